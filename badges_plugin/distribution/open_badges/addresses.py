"""The addresses of signed documents: all absolute, and all below the base URL of the issuer, never of a request.

They are part of what is signed, so they stay as they are for as long as anybody keeps a badge.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from uuid import UUID

from badges_plugin.distribution.open_badges.did_web import did_of

BADGES = "badges/b/"
"""The path of the public pages of badges, which the web app serves."""

DOCUMENTS = "badges/open/"
"""The path of the documents of issuers, achievements and status lists, which this app serves."""

IMAGES = "badges/images/"
"""The path of the images of badges, which the web app serves."""

_UUID = r"(?P<uuid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
_BADGE_PATH = re.compile(rf"^.*/{re.escape(BADGES)}{_UUID}(?:/.*)?$")


def badge_url(base_url: str, uuid: UUID) -> str:
    """Return the ``id`` of a signed badge, which is its public page."""
    return f"{_base(base_url)}{BADGES}{uuid}/"


def badge_uuid(url: str) -> UUID | None:
    """Return the UUID of the badge to whose page or files a URL, or a path, leads; None for any other text."""
    try:
        path = urlsplit(url.strip()).path
    except ValueError:
        return None
    found = _BADGE_PATH.match(path if path.startswith("/") else f"/{path}")
    return UUID(found["uuid"]) if found else None


def issuer_url(base_url: str, uuid: UUID) -> str:
    """Return where the profile of an issuer is."""
    return f"{_base(base_url)}{DOCUMENTS}issuers/{uuid}/"


def did(base_url: str, uuid: UUID) -> str:
    """Return the did:web of an issuer, by which its badges name it."""
    return did_of(issuer_url(base_url, uuid))


def method_id(issuer_id: str, number: int) -> str:
    """Return the verification method of a key that signs embedded proofs."""
    return f"{issuer_id}#key-{number}"


def key_url(base_url: str, uuid: UUID, number: int) -> str:
    """Return the ``kid`` of a key that signs tokens: its address, where one JWK is."""
    return f"{issuer_url(base_url, uuid)}keys/{number}"


def achievement_url(base_url: str, template_uuid: UUID) -> str:
    """Return where the achievement of a badge template is described."""
    return f"{_base(base_url)}{DOCUMENTS}achievements/{template_uuid}/"


def status_url(base_url: str, uuid: UUID) -> str:
    """Return where a status list is."""
    return f"{_base(base_url)}{DOCUMENTS}status/{uuid}/"


def image_url(base_url: str, template_uuid: UUID, digest: str) -> str:
    """Return where the image of a badge template is; it leads to today's image for ever."""
    return f"{_base(base_url)}{IMAGES}{template_uuid}/{digest}.png"


def _base(base_url: str) -> str:
    return base_url.rstrip("/") + "/"
