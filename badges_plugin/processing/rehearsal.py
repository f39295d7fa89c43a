"""Say what an event would do, by the same decisions as when it is applied. Nothing is written, and nobody is locked."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.utils import timezone

from badges_plugin import fulfillment_rows, retirement
from badges_plugin.data import BadgingEvent
from badges_plugin.exceptions import IgnoredEvent
from badges_plugin.fulfillment_rows import FulfillmentRow
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeProgress
from badges_plugin.processing import collector, learners
from badges_plugin.processing.awarding import End, Grant
from badges_plugin.processing.pipeline import step_of
from badges_plugin.processing.progression import ProgressChange
from badges_plugin.processing.registers import Registers, Step
from badges_plugin.ruleset import CompiledTemplate, Ruleset, compile_ruleset, current_ruleset


class Effect(enum.Enum):
    """What an event would do about one badge."""

    AWARDS = "awards"
    REVOKES = "revokes"
    EXPIRED = "expired"
    """The badge would be complete, but would have expired by now."""
    ADDS = "adds"
    """Something that the badge asks for would be done, and more is missing."""
    TAKES = "takes"
    """Something that was done would not be any more; a badge that is held stays."""
    KEEPS = "keeps"
    """The learner has the badge, and keeps it."""
    STAYS_AWAY = "stays away"
    """Everything is done, and yet it is not awarded: it was revoked by a decision, or is given once only."""
    NOTHING = "nothing"
    """It says nothing that is not known: it came before, or something newer did."""


@dataclass(frozen=True)
class BadgeEffect:
    """What an event would do about one badge: which requirements it fulfills and which it takes away.

    ``before`` and ``after``: how many groups, of ``groups``, are done without it and with it.
    """

    template_id: int
    effect: Effect
    fulfilled: frozenset[int]
    taken: frozenset[int]
    before: int
    after: int
    groups: int


@dataclass(frozen=True)
class Rehearsal:
    """What an event would do about every badge that it matters to.

    ``ignored``: why it would not be applied at all; empty if it would. ``user_id``: of the learner, None for somebody
    whom the service does not know yet.
    """

    user_id: int | None
    ignored: str
    badges: tuple[BadgeEffect, ...]


def rehearse(
    event: BadgingEvent, *, template_ids: Collection[int] | None = None, is_of_nobody: bool = False
) -> Rehearsal:
    """Return what an event would do: for the active badges, or for these, active or not.

    ``is_of_nobody``: whoever it names, as if it were about somebody who never did anything. At most thirteen queries,
    and those of compiling the badges.
    """
    ruleset = current_ruleset() if template_ids is None else compile_ruleset(None, template_ids, with_inactive=True)
    user_id = None
    try:
        user_id = None if is_of_nobody else _learner(event)
        step = step_of(ruleset, event)
    except IgnoredEvent as reason:
        return Rehearsal(user_id, reason.reason, ())
    if isinstance(step, IgnoredEvent):
        return Rehearsal(user_id, step.reason, ())
    return Rehearsal(user_id, "", () if step is None else _effects(step, user_id, ruleset))


def _learner(event: BadgingEvent) -> int | None:
    """Return the user whom an event is about, None for a new one. Raises IgnoredEvent as processing would."""
    found = learners.find_all(event.learner)
    learners.refuse_retired(event.learner)
    if not found:
        if not event.learner.username:
            raise IgnoredEvent("the learner is not known here and the event has no user name")
        return None
    if retirement.is_gone(User.objects.get(pk=found[0].pk)):
        raise IgnoredEvent("its learner was retired")
    return found[0].pk


def _effects(step: Step, user_id: int | None, ruleset: Ruleset) -> tuple[BadgeEffect, ...]:
    template_ids = sorted(step.match.template_ids)
    known: dict[int, BadgeProgress] = {}
    last: dict[int, BadgeAward] = {}
    if user_id is not None:
        stored = BadgeProgress.objects.filter(user=user_id, template__in=template_ids)
        known = {row.template_id: row for row in stored}
        awards = BadgeAward.objects.filter(progress__in=known.values()).order_by("number")
        last = {row.progress_id: row for row in awards.select_related("progress")}
    rows_of = fulfillment_rows.of_progresses([row.pk for row in known.values()])
    return tuple(_effect(step, ruleset.templates[pk], known.get(pk), rows_of, last) for pk in template_ids)


def _effect(
    step: Step,
    template: CompiledTemplate,
    known: BadgeProgress | None,
    rows_of: dict[int, list[FulfillmentRow]],
    last_awards: dict[int, BadgeAward],
) -> BadgeEffect:
    progress = known or BadgeProgress(template=template.row)
    rows = rows_of[known.pk] if known is not None else []
    last = last_awards.get(known.pk) if known is not None else None
    before = _done(template, rows, progress)
    registers = Registers(template, rows, counts_from=progress.counts_from)
    stayed_complete, reset_by = registers.take_all([step])
    is_news = any(registers.settle())
    change = ProgressChange(progress, template, registers.rows, stayed_complete, reset_by)
    outcomes = step.match.outcomes(template.id)
    taken = frozenset(pk for pk, is_fulfilled in outcomes.items() if not is_fulfilled)
    return BadgeEffect(
        template_id=template.id,
        effect=_what(change, last, is_news=is_news, takes=bool(taken)),
        fulfilled=frozenset(outcomes) - taken,
        taken=taken,
        before=before,
        after=_done(template, registers.rows, progress),
        groups=len(template.criteria.groups),
    )


def _done(template: CompiledTemplate, rows: Sequence[FulfillmentRow], progress: BadgeProgress) -> int:
    standing = template.criteria.standing(rows, counts_from=progress.counts_from)
    return sum(group.is_fulfilled for group in standing.groups)


def _what(change: ProgressChange, last: BadgeAward | None, *, is_news: bool, takes: bool) -> Effect:
    decision = collector.decide(change, last, timezone.now())
    if isinstance(decision, Grant):
        return Effect.EXPIRED if decision.term.awarded_at is None else Effect.AWARDS
    if isinstance(decision, End):
        return Effect.REVOKES
    if not is_news:
        return Effect.NOTHING
    if last is not None and last.revoked_at is None:
        return Effect.KEEPS
    if change.is_complete:
        return Effect.STAYS_AWAY
    return Effect.TAKES if takes else Effect.ADDS
