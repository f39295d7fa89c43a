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
from badges_plugin.questions import Question

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
    transaction that holds the learners. A fixed number of statements, unless two changes are of one progress: then
    the second follows when the first is written.
    """
    collected: dict[int, Collected] = {}
    waiting = list(enumerate(changes))
    while waiting:
        firsts = {change.progress.pk: number for number, change in reversed(waiting)}
        now = [(number, change) for number, change in waiting if firsts[change.progress.pk] == number]
        collected |= zip((number for number, _ in now), _collect([change for _, change in now]), strict=True)
        waiting = [(number, change) for number, change in waiting if number not in collected]
    return [collected[number] for number in range(len(changes))]


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


def _collect(changes: Sequence[ProgressChange]) -> list[Collected]:
    last, held = _last_awards([change for change in changes if _may_matter(change)])
    broken = {change.template.id: change.template.row for change in changes if change.reset_by is not None}
    # No query where the ruleset has them.
    prefetch_related_objects(list(broken.values()), "penalties__rules")
    now = timezone.now()
    decisions = [
        None if change.progress.pk in held else decide(change, last.get(change.progress.pk), now) for change in changes
    ]
    grants = [decision for decision in decisions if isinstance(decision, Grant)]
    ends = [decision for decision in decisions if isinstance(decision, End)]
    changed = [each.last for each in grants if each.last is not None] + [each.award for each in ends]
    prefetch_related_objects(changed, "credential")
    granted = dict(zip(map(id, grants), awarding.grant(grants), strict=True)) if grants else {}
    awarding.end(ends)
    return [_result(decision, granted.get(id(decision))) for decision in decisions]


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
    """Whether what follows depends on the last award, and there may be one."""
    return not change.is_first and (change.is_complete or change.reset_by is not None)


_AWARDS = Question(
    lambda progresses: (
        BadgeAward.objects.filter(progress__in=progresses)
        .order_by("number")
        .values_list("progress_id", "pk", "revoked_at")
    )
)


def _last_awards(changes: Sequence[ProgressChange]) -> tuple[dict[int, BadgeAward], set[int]]:
    """Return the newest award of each progress that has one, and which progress is complete and held.

    Nothing follows from the latter, as from most events that are sent again: their awards are not read as a whole. One
    query, and another one where something may follow.
    """
    of_progress = {change.progress.pk: change for change in changes}
    if not of_progress:
        return {}, set()
    newest = {pk: (key, revoked_at) for pk, key, revoked_at in _AWARDS.ask(of_progress.keys())}
    held = {pk for pk, (_, revoked_at) in newest.items() if revoked_at is None and of_progress[pk].is_complete}
    wanted = [key for pk, (key, _) in newest.items() if pk not in held]
    last = {}
    for row in BadgeAward.objects.filter(pk__in=wanted).select_related("by_hand") if wanted else ():
        row.progress = of_progress[row.progress_id].progress
        last[row.progress_id] = row
    return last, held
