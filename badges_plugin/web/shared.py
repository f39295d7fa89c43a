"""What pages, API and mails share: who a person is, what of a badge is public, and its document and image."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.contrib.sites.models import Site
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import get_language

from badges_plugin import reading
from badges_plugin.distribution.open_badges.api import (
    IssuerProfileData,
    Outcome,
    SignedDocument,
    Verdict,
    bake_png,
    bake_svg,
    documents_of,
    find_document,
    issuer_of,
    verify,
)
from badges_plugin.host import User
from badges_plugin.images import Picture, pictures, png_for_baking, preview_url_of, svg_for_baking
from badges_plugin.models import BadgeTemplate
from badges_plugin.names import as_name
from badges_plugin.retirement import retired_among
from badges_plugin.web.models import NameShown, Publication

__all__ = [
    "BadgeOnShow",
    "IssuerProfileData",
    "Outcome",
    "SignedDocument",
    "Verdict",
    "documents_of",
    "find_document",
    "initials",
    "issuer_of",
    "name_of",
    "on_show",
    "people_of",
    "shown_name",
    "verify",
]


@dataclass(frozen=True)
class BadgeOnShow:
    """A badge that its learner has published, and what they chose to show of it.

    ``name`` is empty where no name is shown. ``award`` holds the reason of a revocation, which is nobody else's.

    .. pii: Carries the name of a learner in memory, as far as the learner chose; never logged.
    .. pii_types: name
    .. pii_retirement: retained
    """

    document: SignedDocument
    award: reading.Award
    template: BadgeTemplate
    publication: Publication
    name: str

    @property
    def is_open(self) -> bool:
        """Whether everybody may have the signed document: it is valid or expired, and shows nothing that is hidden.

        The document says what the learner did. Whoever hides that keeps the files, too.
        """
        return not self.is_revoked and (self.publication.evidence_shown or not self._says_what_was_done)

    @property
    def _says_what_was_done(self) -> bool:
        signed = json.loads(self.document.json_text)
        return bool(signed.get("evidence") or signed.get("credentialSubject", {}).get("result"))

    @property
    def is_revoked(self) -> bool:
        """Whether it was revoked: here, which is known at once, or in the document's status."""
        return self.award.state is reading.AwardState.REVOKED or self.document.is_revoked


def site_of(request: HttpRequest) -> Site | None:
    """Return the site of a request; None where the host cannot tell."""
    site = getattr(request, "site", None)
    return site if isinstance(site, Site) else None


def people_of(user: User | AnonymousUser) -> list[int]:
    """Return the keys of all users of the person who is signed in, none if nobody is. One query at most.

    LMS user ids are not unique in the host: badges may know this person by a user of an earlier name.
    """
    if not isinstance(user, User):
        return []
    if not user.lms_user_id:
        return [user.pk]
    same = User.objects.filter(lms_user_id=user.lms_user_id).order_by("pk")
    return list(same.values_list("pk", flat=True))


def name_of(user: User) -> str:
    """Return the name of a learner as others may read it; empty where there is none. Never the user name."""
    return as_name(user.get_full_name() or "")


def initials(name: str) -> str:
    """Return "A. L." for "Ada Lovelace"."""
    letters = [next((char for char in word if char.isalpha()), "") for word in name.split()]
    return " ".join(f"{letter.upper()}." for letter in letters[:5] if letter)


def shown_name(user: User, choice: str) -> str:
    """Return the name as the learner chose to show it; empty for no name."""
    name = name_of(user)
    if choice == NameShown.FULL:
        return name
    return initials(name) if choice == NameShown.INITIALS else ""


def on_show(documents: Collection[SignedDocument]) -> Mapping[UUID, BadgeOnShow]:
    """Return those of the documents whose badges are public now, by their UUIDs. Three queries at most.

    Nothing of a retired learner is public, also before the worker has erased what there is of them.
    """
    by_award = {each.award_id: each for each in documents if not each.is_erased}
    if not by_award:
        return {}
    rows = Publication.objects.filter(award__in=by_award, taken_back_at=None)
    publications = list(rows.select_related("award__progress__template", "award__progress__user").order_by("pk"))
    retired = retired_among([row.award.user for row in publications])
    publications = [row for row in publications if row.award.user.pk not in retired]
    awards = reading.awards([row.award_id for row in publications])
    return {
        by_award[row.award_id].uuid: BadgeOnShow(
            document=by_award[row.award_id],
            award=awards[row.award_id],
            template=row.award.template,
            publication=row,
            name=shown_name(row.award.user, row.name_shown),
        )
        for row in publications
    }


def why_hidden(document: SignedDocument | None) -> HTTPStatus:
    """Return the status that says why a badge is not on show. One query at most.

    404: it does not exist, or was never published. 410: it was taken back, or its learner was erased.
    """
    if document is None:
        return HTTPStatus.NOT_FOUND
    was_public = document.is_erased or Publication.objects.filter(award=document.award_id).exists()
    return HTTPStatus.GONE if was_public else HTTPStatus.NOT_FOUND


def day_in_full(day: date) -> str:
    """Return a day as the language that is active writes it, with the names of months in full."""
    # Django's format for English abbreviates months, which looks poor on a certificate.
    is_english = (get_language() or "en").startswith("en")
    return date_format(day, "F j, Y" if is_english else "DATE_FORMAT")


def text_at(document: object, *path: str) -> str:
    """Return a text within a JSON document, empty where there is none: others may have written the document."""
    value: Any = document
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


def origin_of(url: str) -> str:
    """Return scheme and host of an absolute URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""


@dataclass(frozen=True)
class Art:
    """The picture of a badge, as a page shows it: ``url`` is a path of ours, or an address at the provider.

    ``png_url`` and ``preview_url`` are paths of ours: of a small PNG, and of the picture for link previews.
    """

    url: str
    png_url: str
    preview_url: str

    @property
    def is_elsewhere(self) -> bool:
        return not self.url.startswith("/")


def arts(templates: Iterable[BadgeTemplate], *, ours: bool = False) -> dict[int, Art]:
    """Return the pictures of badges by the keys of their templates. One query.

    A provider's badge looks as it does there, unless ``ours``: pages that are shared load nothing from elsewhere.
    """
    rows = list(templates)
    found = pictures(rows)
    return {row.pk: _art(row, found[row.pk], ours=ours) for row in rows}


def picture_at_provider(template: BadgeTemplate) -> str:
    """Return the address of a picture at the provider, where the badge is one of a provider; otherwise empty."""
    return template.icon if template.origin != BadgeTemplate.ORIGIN else ""


def _art(template: BadgeTemplate, picture: Picture, *, ours: bool) -> Art:
    icon = "" if ours else picture_at_provider(template)
    # Of a preview, an earlier digest leads to today's.
    return Art(icon or picture.best_url, picture.url("png"), preview_url_of(template.uuid, picture.digest))


def baked_png(template: BadgeTemplate, text: str) -> bytes:
    """Return the picture of a badge as a PNG that carries its signed document. At most two queries."""
    return bake_png(png_for_baking(template), text)


def baked_svg(template: BadgeTemplate, text: str) -> bytes:
    """Return the picture as an SVG that carries the document. At most two queries."""
    return bake_svg(svg_for_baking(template), text)
