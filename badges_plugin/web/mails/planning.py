"""Decide which awards a mail is about, and note it: one row for each award and kind.

Nothing is written when a badge is awarded: the worker looks for what is new. What is new depends on the date of the
badge, which is that of the event behind it, and not on when this site learned of it. So a backfill or a replay of past
years sends no mails, however many badges it awards.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from badges_plugin.distribution.open_badges import conf as open_badges
from badges_plugin.models import BadgeAward, BadgeTemplate, Ending
from badges_plugin.retirement import retired_among
from badges_plugin.web.mails.conf import MailsConfig, mails
from badges_plugin.web.notes import MailKind, MailNote

PAGE = 500
"""Awards that are read together."""

AT_ONCE = 5_000
"""Mails of one kind that one step notes at most."""

_AT_PROVIDER = frozenset({MailKind.PENDING.value})


def plan(now: datetime) -> bool:
    """Note the mails that are due by now. Return whether there may be more. A chore."""
    config = mails()
    is_cut = [_note(kind, _wanted(kind, config, now), now) for kind in sorted(_possible(config.kinds))]
    return any(is_cut)


def _possible(kinds: frozenset[str]) -> frozenset[str]:
    """Leave out mails about signed badges where nothing is signed."""
    return kinds if open_badges.config().enabled else kinds & _AT_PROVIDER


def _wanted(kind: str, config: MailsConfig, now: datetime) -> QuerySet[BadgeAward]:
    """Return the awards that a mail of this kind is about. Indexes answer each."""
    news = timedelta(days=config.new_for_days)
    own = BadgeAward.objects.filter(progress__template__origin=BadgeTemplate.ORIGIN)
    match MailKind(kind):
        case MailKind.AWARDED:
            return own.filter(awarded_at__gt=now - news, revoked_at=None)
        case MailKind.REVOKED:
            # That a badge has expired was said before. Of the erased nothing is said.
            return own.filter(revoked_at__gt=now - news).exclude(ended_by__in=(Ending.EXPIRED, Ending.ERASED))
        case MailKind.EXPIRING:
            return own.filter(
                revoked_at=None, expires_at__gt=now, expires_at__lte=now + timedelta(days=config.expiring_days)
            )
        case _:
            since = now - timedelta(days=config.pending_days)
            others = BadgeAward.objects.exclude(progress__template__origin=BadgeTemplate.ORIGIN)
            return others.filter(awarded_at__gt=since - news, awarded_at__lte=since, revoked_at=None)


def _note(kind: str, awards: QuerySet[BadgeAward], now: datetime) -> bool:
    """Write the rows that are missing. Return whether it ended before all were looked at."""
    noted = MailNote.objects.filter(award=OuterRef("pk"), kind=kind)
    # Keys first, and without an order: for one, MySQL would go through all awards by their keys.
    keys = sorted(awards.exclude(Exists(noted)).order_by().values_list("pk", flat=True)[:AT_ONCE])
    for start in range(0, len(keys), PAGE):
        rows = BadgeAward.objects.filter(pk__in=keys[start : start + PAGE]).select_related("progress__user")
        page = list(rows.order_by("pk"))
        retired = retired_among([award.progress.user for award in page])
        # Another worker may be doing the same.
        MailNote.objects.bulk_create(
            [
                MailNote(award=award, kind=kind, created=now, due_at=now)
                for award in page
                if award.progress.user_id not in retired
            ],
            ignore_conflicts=True,
        )
    return len(keys) == AT_ONCE
