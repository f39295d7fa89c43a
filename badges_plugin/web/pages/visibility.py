"""Who may see a badge's page and files: everybody once it is published, its owner always.

A badge that was never published, and one that does not exist, are the same to everybody else: 404. One that was taken
back, or whose learner was erased, is gone: 410.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core import signing
from django.http import HttpRequest

from badges_plugin import reading
from badges_plugin.models import BadgeAward
from badges_plugin.web.models import NameShown, Publication
from badges_plugin.web.shared import (
    BadgeOnShow,
    SignedDocument,
    find_document,
    on_show,
    people_of,
    shown_name,
    why_hidden,
)

_SALT = "badges_web.wallet"
WALLET_SECONDS = 15 * 60
"""How long a wallet may fetch a badge that only its owner sees, after the owner opened its page."""


@dataclass(frozen=True)
class Hidden:
    """Nothing is shown; ``status`` says why: 404 or 410."""

    status: int


@dataclass(frozen=True)
class Seen:
    """A badge as it is shown. Owners see it as others do, or as others would if it were published."""

    badge: BadgeOnShow
    is_public: bool
    is_owner: bool

    @property
    def may_have_files(self) -> bool:
        """Whether the reader may have the signed document. Nobody gets that of a revoked badge."""
        if self.badge.is_revoked:
            return False
        return self.is_owner or (self.is_public and self.badge.is_open)


def look_at(request: HttpRequest, uuid: UUID) -> Seen | Hidden:
    """Return what a reader sees behind the link of a badge. Eight queries at most."""
    document = find_document(uuid)
    if document is None or document.is_erased:
        return Hidden(why_hidden(document))
    is_owner = _is_own(request.user, document)
    if public := on_show([document]).get(uuid):
        return Seen(public, is_public=True, is_owner=is_owner)
    if is_owner and (own := _own(document)):
        return Seen(own, is_public=False, is_owner=True)
    return Hidden(why_hidden(document))


def wallet_token(uuid: UUID) -> str:
    """Return a token that lets a wallet, which is not signed in, fetch a badge for its owner for some minutes."""
    return signing.TimestampSigner(salt=_SALT).sign(str(uuid)).partition(":")[2]


def look_at_with_token(request: HttpRequest, uuid: UUID, token: str) -> Seen | Hidden:
    """Return what a wallet sees: what its owner does if the token is right, otherwise what everybody does."""
    if not token or not _is_right(uuid, token):
        return look_at(request, uuid)
    document = find_document(uuid)
    if document is None or document.is_erased:
        return Hidden(why_hidden(document))
    own = _own(document)
    return Seen(own, is_public=False, is_owner=True) if own else Hidden(404)


def _is_right(uuid: UUID, token: str) -> bool:
    try:
        signing.TimestampSigner(salt=_SALT).unsign(f"{uuid}:{token}", max_age=WALLET_SECONDS)
    except signing.BadSignature:
        return False
    return True


def _is_own(user: Any, document: SignedDocument) -> bool:
    people = people_of(user)
    return bool(people) and BadgeAward.objects.filter(pk=document.award_id, progress__user__in=people).exists()


def _own(document: SignedDocument) -> BadgeOnShow | None:
    """Return a badge as its owner chose to show it, published or not."""
    rows = BadgeAward.objects.select_related("progress__template", "progress__user", "badges_publication")
    award = rows.filter(pk=document.award_id).first()
    if award is None:
        return None
    chosen = getattr(award, "badges_publication", None) or Publication(award=award, name_shown=NameShown.NONE)
    return BadgeOnShow(
        document=document,
        award=reading.awards([award.pk])[award.pk],
        template=award.template,
        publication=chosen,
        name=shown_name(award.user, chosen.name_shown),
    )
