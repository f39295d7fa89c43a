"""Awards and revocations: what follows from progress, of any number of learners at once."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime

from django.db.models import prefetch_related_objects
from django.utils import timezone

from badges_plugin.data import BadgingEvent
from badges_plugin.host import AWARDED, REVOKED
from badges_plugin.models import DECIDED, BadgeAward, Ending
from badges_plugin.models.awards import BEFORE
from badges_plugin.processing import awarding, causes, credentials, terms
from badges_plugin.processing.awarding import End, Grant
from badges_plugin.processing.progression import ProgressChange

BEFORE_ENDED_AT = "before_ended_at"
"""In the facts of an award that was undone, beside ``BEFORE``: when the award before it had ended."""


class Collected(enum.Enum):
    """What followed from a change of progress."""

    NOTHING = "nothing"
    AWARDED = "awarded"
    REVOKED = "revoked"


def collect(changes: Sequence[ProgressChange]) -> list[Collected]:
    """Award what is complete now and not awarded; revoke what was awarded and a penalty has broken.

    Returns what followed from each change. A badge that was revoked by hand stays revoked while the learner
    merely goes on passing: only the way from incomplete to complete awards it again. Called inside the
    transaction that holds the learners. Each change is of another progress. A fixed number of statements.
    """
    last = _last_awards([change for change in changes if _may_matter(change)])
    broken = {change.template.id: change.template.row for change in changes if change.reset_by is not None}
    # No query where the ruleset has them.
    prefetch_related_objects(list(broken.values()), "penalties__rules")
    now = timezone.now()
    decisions = [None if change.is_settled else decide(change, last.get(change.progress.pk), now) for change in changes]
    grants = [decision for decision in decisions if isinstance(decision, Grant)]
    ends = [decision for decision in decisions if isinstance(decision, End)]
    changed = [each.last for each in grants if each.last is not None] + [each.award for each in ends]
    prefetch_related_objects(changed, "credential")
    granted = dict(zip(map(id, grants), awarding.grant(grants), strict=True)) if grants else {}
    awarding.end(ends)
    return [_result(decision, granted.get(id(decision))) for decision in decisions]


def award(changes: Sequence[ProgressChange], last_awards: Sequence[BadgeAward]) -> list[BadgeAward | None]:
    """Award complete progress anew, after the last award of each. Called as ``collect`` is.

    Returns None for a badge that would have expired by now.
    """
    now = timezone.now()
    return awarding.grant(
        [
            Grant(change, last, terms.term_of(change, last, now))
            for change, last in zip(changes, last_awards, strict=True)
        ]
    )


def revoke(award: BadgeAward, *, ended_by: Ending, reason: str = "") -> None:
    """End an award that has not ended yet, by a decision. Called inside a transaction that holds the learner."""
    awarding.end([End(award, ended_by, reason=reason)])


def expire(awards: Sequence[BadgeAward]) -> None:
    """End awards whose time is over, at the end of it. Called inside a transaction that holds the learners.

    From then on only what happened since the opening of their renewal counts.
    """
    awarding.end([_expiry(award) for award in awards])


def restore_credential(award: BadgeAward) -> bool:
    """Make the user credential say again what the last award of the badge says. Returns False when it did.

    Called inside a transaction that holds the learner.
    """
    last = award.progress.awards.order_by("-number")[0]
    return credentials.set_right(award.credential, award.progress, AWARDED if last.revoked_at is None else REVOKED)


def _result(decision: Grant | End | None, granted: BadgeAward | None) -> Collected:
    if isinstance(decision, End):
        return Collected.REVOKED
    return Collected.NOTHING if granted is None else Collected.AWARDED


def decide(change: ProgressChange, last: BadgeAward | None, now: datetime) -> Grant | End | None:
    """Return what follows from a change of progress, given the last award. Changes nothing."""
    is_awarded = last is not None and last.revoked_at is None
    if change.is_complete and not is_awarded and may_award(change, last):
        return Grant(change, last, terms.term_of(change, last, now))
    if last is not None and is_awarded and change.reset_by is not None and not change.is_complete and not last.given:
        return _end_by_event(last, change.reset_by, now)
    return None


def may_award(change: ProgressChange, last: BadgeAward | None) -> bool:
    """Return whether a complete progress may be awarded after the last award, which has ended."""
    ending = last.last_ending if last is not None else ""
    if ending in ("", Ending.EXPIRED):
        return True
    can_be_earned = change.template.row.can_be_reawarded or _begins_again(change, last)
    return can_be_earned and not (ending in DECIDED and change.stayed_complete)


def _begins_again(change: ProgressChange, last: BadgeAward | None) -> bool:
    """Whether staff let the learner start again since the last award that was not undone: only what is newer counts."""
    counts_from, ended_at = change.progress.counts_from, last_end(last)
    return bool(counts_from and ended_at and counts_from >= ended_at)


def last_end(last: BadgeAward | None) -> datetime | None:
    """Return when the last award ended that was not undone."""
    if last is None or last.ended_by != Ending.UNDONE or BEFORE not in last.ending_facts:
        return last.revoked_at if last is not None else None
    ended_at = last.ending_facts.get(BEFORE_ENDED_AT)
    return datetime.fromisoformat(ended_at) if ended_at else None


def _end_by_event(award: BadgeAward, event: BadgingEvent, now: datetime) -> End:
    """Return how an award ends that an event broke: by the calendar, if that came first and nobody has noticed."""
    if award.expires_at is not None and event.stamp.time >= award.expires_at <= now:
        return _expiry(award)
    facts = causes.facts_of(award.template, event)
    return End(award, Ending.PENALTY, happened_at=event.stamp.time, facts=facts)


def _expiry(award: BadgeAward) -> End:
    if award.expires_at is None:
        raise ValueError(f"Award {award.pk} does not expire.")
    opens_at = award.template.renewal_opens_at(award.expires_at)
    return End(award, Ending.EXPIRED, happened_at=award.expires_at, counts_from=opens_at)


def _may_matter(change: ProgressChange) -> bool:
    """Whether what follows depends on the last award, of which there is one."""
    return change.last is not None and not change.is_settled and (change.is_complete or change.reset_by is not None)


def _last_awards(changes: Sequence[ProgressChange]) -> dict[int, BadgeAward]:
    """Return the last award of each progress that has one, whole. One query, none where nobody needs one."""
    of_award = {change.last.pk: change.progress for change in changes if change.last is not None}
    if not of_award:
        return {}
    awards = BadgeAward.objects.filter(pk__in=of_award.keys()).select_related("by_hand")
    last = {}
    for award in awards:
        award.progress = of_award[award.pk]
        last[award.progress_id] = award
    return last
