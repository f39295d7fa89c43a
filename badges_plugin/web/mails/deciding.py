"""Decide, just before it would be sent, whether a mail is still wanted and true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from badges_plugin.distribution.api import Place
from badges_plugin.distribution.standing import Standing, standings
from badges_plugin.host import User
from badges_plugin.models import BadgeAward
from badges_plugin.retirement import is_gone
from badges_plugin.synthetic import is_synthetic
from badges_plugin.web.mails.conf import MailsConfig
from badges_plugin.web.mails.wishes import Wishes
from badges_plugin.web.notes import MailKind, MailNote, MailReason, MailState
from badges_plugin.web.shared import documents_of

PATIENCE = timedelta(days=7)
"""What could not be sent for so long is no news any more."""

_SOON = timedelta(minutes=2)
_TOMORROW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Skip:
    """The mail is not needed, and never will be."""

    reason: str


@dataclass(frozen=True, slots=True)
class Later:
    """It is too early to say."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Go:
    """The mail is to be sent. A badge that waits at a provider has a ``standing``."""

    standing: Standing | None = None


Decision = Go | Skip | Later


def decide(note: MailNote, award: BadgeAward, wishes: Wishes, config: MailsConfig, now: datetime) -> Decision:
    """Return what to do about a mail. At most six queries, and those of the providers."""
    if note.kind not in config.kinds:
        return Skip(MailReason.SWITCHED_OFF)
    if refusal := _about_recipient(award.user):
        return Skip(refusal)
    if note.kind in wishes.unwanted:
        return Skip(MailReason.NOT_WANTED)
    found = _about_badge(note, award, config, now)
    if not isinstance(found, Skip) and now - note.created > PATIENCE:
        return Skip(MailReason.TOO_LATE)
    return found


def _about_recipient(user: User) -> str:
    if not user.is_active or is_gone(user) or is_synthetic(user.username, user.lms_user_id):
        return MailReason.NO_RECIPIENT
    try:
        validate_email(user.email)
    except ValidationError:
        return MailReason.NO_ADDRESS
    return ""


def _about_badge(note: MailNote, award: BadgeAward, config: MailsConfig, now: datetime) -> Decision:
    match MailKind(note.kind):
        case MailKind.AWARDED:
            return _awarded(note, award, now)
        case MailKind.REVOKED:
            return _revoked(note, award, now)
        case MailKind.EXPIRING:
            return _expiring(award, config, now)
        case _:
            return _pending(award, config, now)


def _awarded(note: MailNote, award: BadgeAward, now: datetime) -> Decision:
    if _has_ended(award, now):
        return Skip(MailReason.ENDED)
    document = documents_of([award.pk]).get(award.pk)
    if document is None:
        return _soon(note, now)
    return Skip(MailReason.NOT_SIGNED) if document.is_erased else Go()


def _revoked(note: MailNote, award: BadgeAward, now: datetime) -> Decision:
    told = MailNote.objects.filter(award=award, kind=MailKind.AWARDED).values_list("state", flat=True).first()
    if told == MailState.SENDING:
        return _soon(note, now)
    if told not in {None, MailState.SENT, MailState.UNKNOWN}:
        return Skip(MailReason.NEVER_TOLD)
    if _newer(award):
        return Skip(MailReason.EARNED_AGAIN)
    return Go() if _is_signed(award) else Skip(MailReason.NOT_SIGNED)


def _expiring(award: BadgeAward, config: MailsConfig, now: datetime) -> Decision:
    if _has_ended(award, now) or award.expires_at is None:
        return Skip(MailReason.ENDED)
    # What a backfill awards, and is about to expire already, is no news either: its learner never heard of it.
    known_since = max(award.awarded_at, award.recorded_at)
    if award.expires_at - known_since <= timedelta(days=config.expiring_days):
        return Skip(MailReason.TOO_SHORT)
    return Go() if _is_signed(award) else Skip(MailReason.NOT_SIGNED)


def _pending(award: BadgeAward, config: MailsConfig, now: datetime) -> Decision:
    if _has_ended(award, now):
        return Skip(MailReason.ENDED)
    known = standings([award.pk]).get(award.pk, ())
    waiting = next((each for each in known if each.at.place is Place.WAITING and each.at.url), None)
    if waiting is None:
        on_its_way = any(each.at.place is Place.ON_ITS_WAY for each in known)
        return Later(now + _TOMORROW) if on_its_way else Skip(MailReason.NOT_WAITING)
    opens_at = (waiting.at.since or award.awarded_at) + timedelta(days=config.pending_days)
    return Go(standing=waiting) if opens_at <= now else Later(opens_at)


def _soon(note: MailNote, now: datetime) -> Later:
    # Where nothing can be signed for days, thousands that are asked about every two minutes would hold up the others.
    return Later(now + max(_SOON, (now - note.created) / 4))


def _has_ended(award: BadgeAward, now: datetime) -> bool:
    return award.revoked_at is not None or (award.expires_at is not None and award.expires_at <= now)


def _is_signed(award: BadgeAward) -> bool:
    document = documents_of([award.pk]).get(award.pk)
    return document is not None and not document.is_erased


def _newer(award: BadgeAward) -> bool:
    newer = BadgeAward.objects.filter(progress=award.progress_id, number__gt=award.number, revoked_at=None)
    return newer.exists()
