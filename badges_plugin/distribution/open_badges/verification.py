"""Whether a badge that somebody shows is genuine, and if not, why not, in plain words.

Strangers choose what is read here: everything is bounded before it is read, nothing is fetched, and what is costly
(canonical N-Quads) is done only for documents that name a key of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils.translation import gettext as _

from badges_plugin.distribution.open_badges import baking, proofs, strict_json, tokens
from badges_plugin.distribution.open_badges.data import Document

#: Bytes of what may be shown: a large picture.
MAX_BYTES = 8_000_000
_MAX_ADDRESS = 2_000


class Outcome(Enum):
    """What a verification comes to."""

    VALID = "valid"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_OURS = "not_ours"
    TAMPERED = "tampered"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``reason`` is a sentence for people.

    ``document`` is the badge that was shown, whatever it is worth; None if it was unreadable or of somebody else.
    """

    outcome: Outcome
    reason: str
    document: Document | None = None
    signed_badge_uuid: UUID | None = None


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A public key that signs or has signed here, and the issuer whose key it is."""

    public_key: Ed25519PublicKey | EllipticCurvePublicKey
    issuer_id: str


@dataclass(frozen=True, slots=True)
class KnownBadge:
    """What the site knows of a badge that it signed; ``is_erased``: its learner has been erased."""

    uuid: UUID
    is_revoked: bool
    is_erased: bool = False
    expires_at: datetime | None = None


class Records(Protocol):
    """What the site remembers. Each is asked at most once per verification, and none goes to the network."""

    def key(self, method_id: str) -> KnownKey | None:
        """Return the key of a verification method (embedded proof) or ``kid`` (token); None if it is not ours."""

    def is_issuer(self, issuer_id: str) -> bool:
        """Return whether the id is that of an issuer here."""

    def badge(self, badge_id: str) -> KnownBadge | None:
        """Return what is known of the badge with the ``id`` of its document."""

    def text_at(self, url: str) -> str | None:
        """Return the signed JSON or token of the public badge at an address of ours; None for any other address."""


class _Unreadable(Exception):
    """The message is the reason, for people."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What was shown, in either form. ``method_id`` is empty unless there is a signature of a kind that we make."""

    document: Document
    method_id: str
    token: str = ""

    def is_signed_with(self, key: Ed25519PublicKey | EllipticCurvePublicKey) -> bool:
        if self.token:
            return isinstance(key, EllipticCurvePublicKey) and tokens.verify(self.token, key)
        return isinstance(key, Ed25519PublicKey) and proofs.verify(self.document, key)


def verify(data: bytes | str, records: Records, now: datetime) -> Verdict:
    """Judge what somebody shows: JSON, a token, a baked PNG or SVG, or the address of a badge of ours.

    Never raises for what is in ``data``, and never fetches anything.
    """
    try:
        text = _text(data)
        if text.startswith(("https://", "http://")):
            stored = records.text_at(text) if len(text) <= _MAX_ADDRESS else None
            if stored is None:
                return Verdict(Outcome.NOT_OURS, _("This is not the address of a public badge of this site."))
            text = stored
        shown = _read(text)
    except _Unreadable as error:
        return Verdict(Outcome.UNREADABLE, str(error))
    return _judge(shown, records, now)


def _judge(shown: _Shown, records: Records, now: datetime) -> Verdict:
    issuer_id = _issuer_id(shown.document)
    key = records.key(shown.method_id) if shown.method_id else None
    if key is None:
        if issuer_id and records.is_issuer(issuer_id):
            reason = _("This badge names this site as its issuer, but it is not signed with a key of this site.")
            return Verdict(Outcome.TAMPERED, reason, shown.document)
        return Verdict(
            Outcome.NOT_OURS, _("This badge was not issued by this site. Ask its issuer whether it is valid.")
        )
    if key.issuer_id != issuer_id or not shown.is_signed_with(key.public_key):
        reason = _("The signature does not match: this badge was changed after this site signed it.")
        return Verdict(Outcome.TAMPERED, reason, shown.document)
    return _current(shown.document, records.badge(str(shown.document.get("id"))), now)


def _current(document: Document, badge: KnownBadge | None, now: datetime) -> Verdict:
    """Judge a genuine badge."""
    if badge is None or badge.is_erased:
        reason = _("This site signed this badge, but it no longer vouches for it: the record of it has been deleted.")
        return Verdict(Outcome.REVOKED, reason, document, None if badge is None else badge.uuid)
    if badge.is_revoked:
        return Verdict(Outcome.REVOKED, _("This badge is genuine, but it has been revoked."), document, badge.uuid)
    expiry = [time for time in (badge.expires_at, _time(document.get("validUntil"))) if time is not None]
    if expiry and min(expiry) <= now:
        return Verdict(Outcome.EXPIRED, _("This badge is genuine, but it has expired."), document, badge.uuid)
    return Verdict(Outcome.VALID, _("This badge is genuine and valid."), document, badge.uuid)


def _text(data: bytes | str) -> str:
    if len(data) > MAX_BYTES:
        raise _Unreadable(_("This is too large to be a badge."))
    raw = data.encode(errors="replace") if isinstance(data, str) else data
    if baking.is_picture(raw):
        text = baking.extract(raw)
        if text is None:
            raise _Unreadable(_("There is no Open Badge in this picture."))
        return text.strip()
    try:
        return raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise _no_badge() from None


def _read(text: str) -> _Shown:
    try:
        if tokens.SHAPE.fullmatch(text):
            token = tokens.read(text)
            return _Shown(_badge(token.document), token.kid, text)
        document = _badge(strict_json.read_object(text))
    except ValueError:
        raise _no_badge() from None
    return _Shown(document, proofs.method_of(document) or "")


def _badge(document: Document) -> Document:
    """Return the document, or the only badge in it, which is how wallets show one; raise ValueError."""
    kinds = _kinds(document)
    if "VerifiablePresentation" in kinds:
        inner = document.get("verifiableCredential")
        document = inner[0] if isinstance(inner, list) and len(inner) == 1 else inner  # type: ignore[assignment]
        kinds = _kinds(document) if isinstance(document, dict) else set()
    # Assertion: an Open Badge of version 2, which is a badge, though none of ours.
    if not kinds & {"VerifiableCredential", "OpenBadgeCredential", "AchievementCredential", "Assertion"}:
        raise ValueError("not a badge")
    return document


def _kinds(document: Document) -> set[str]:
    kinds = document.get("type")
    return {kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str)}


def _issuer_id(document: Document) -> str:
    issuer = document.get("issuer")
    found = issuer.get("id") if isinstance(issuer, dict) else issuer
    return found if isinstance(found, str) else ""


def _time(text: object) -> datetime | None:
    """Return the time in a document that is signed by us."""
    return datetime.fromisoformat(text).astimezone(UTC) if isinstance(text, str) else None


def _no_badge() -> _Unreadable:
    return _Unreadable(_("This is not an Open Badge that can be read: neither its text, nor a picture with one in it."))
