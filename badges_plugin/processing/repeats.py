"""Whether events were applied before. Asked without a lock, so that a repeated event costs no transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import OuterRef, Subquery

from badges_plugin.criteria import FLOOR
from badges_plugin.fulfillment_rows import COLUMNS, FulfillmentRow
from badges_plugin.models import BadgeAward, Ending, Fulfillment
from badges_plugin.processing.found_users import FoundUser
from badges_plugin.processing.progression import Place, touched
from badges_plugin.processing.registers import Registers, Step
from badges_plugin.questions import Question
from badges_plugin.ruleset import CompiledTemplate, Ruleset, is_about_badges

_LAST_ENDED_BY = Subquery(
    BadgeAward.objects.filter(progress=OuterRef("progress")).order_by("-number").values("ended_by")[:1]
)
"""How the last award of a progress ended: None where there was none, empty while it is held."""


_STORED = Question(
    lambda users, templates: (
        Fulfillment.objects.filter(progress__user__in=users, progress__template__in=templates)
        .annotate(last_ended_by=_LAST_ENDED_BY)
        .values_list("progress__user", "progress__template", "progress__counts_from", *COLUMNS, "last_ended_by")
    )
)

_Values = tuple[Any, ...]
"""What ``_STORED`` returns of a fulfillment. Most say at once what they say, before anything is made of them."""

_ROW = slice(3, -1)
_REQUIREMENT, _VALUE_KEY, _IS_FULFILLED, _EVENT_ID, _EVENT_TIME, _MADE_UNDER, _RESET_TIME, _TIMES, _SINCE = (
    _ROW.start + COLUMNS.index(name)
    for name in (
        "requirement_id", "value_key", "is_fulfilled", "event_id", "event_time", "made_under", "reset_time", "times",
        "since",
    )
)  # fmt: skip


def applied(known: Sequence[tuple[FoundUser, Sequence[Step]]], ruleset: Ruleset) -> list[bool]:
    """Return for each learner whether their events can change nothing any more. One query, no lock.

    The learners are different ones. Nothing is asked about those of whom only older events are known.
    Stamps only ever grow while the rules stay, so an answer of True stays true. A progress that is complete and was
    never awarded (its configuration was changed since), or whose award expired (while the template was inactive), is
    not finished: the repeated event will award it. Nor is a fulfillment that does not count under the rules of today:
    the repeated event will renew it.
    """
    asked = {user.pk: steps for user, steps in known if not _is_newer_than_known(user, steps)}
    if not asked:
        return [False] * len(known)
    stored: dict[Place, list[_Values]] = defaultdict(list)
    for values in _STORED.ask(asked, touched(asked.values())):
        stored[values[0], values[1]].append(values)
    return [user.pk in asked and _is_all_applied(user.pk, steps, ruleset, stored) for user, steps in known]


def _is_newer_than_known(user: FoundUser, steps: Sequence[Step]) -> bool:
    """Whether only older events were applied, as far as they told the user's profile, which the last step does, too.

    Events about badges do not tell it when they are heard inside this service, but tell it on the bus.
    """
    if user.profile_time is None:
        return True
    newest = steps[-1].event
    tells_profile = newest.learner.has_profile and not is_about_badges(newest.type)
    return tells_profile and newest.stamp.time > user.profile_time


def _is_all_applied(
    user_id: int, steps: Sequence[Step], ruleset: Ruleset, stored: Mapping[Place, Sequence[_Values]]
) -> bool:
    for pk in touched([steps]):
        rows = stored.get((user_id, pk), ())
        if not rows or _is_plainly_news(pk, steps, rows):
            return False
        template = ruleset.templates[pk]
        if not (_is_plainly_repeated(template, steps, rows) or _is_applied(template, steps, rows)):
            return False
    return True


def _is_unfinished(rows: Sequence[_Values]) -> bool:
    """Whether the badge was never awarded, or its last award has expired or was undone."""
    return rows[0][-1] in (None, Ending.EXPIRED, Ending.UNDONE)


def _is_plainly_news(template_id: int, steps: Sequence[Step], rows: Sequence[_Values]) -> bool:
    """Whether the last step fulfills again what older events fulfilled, and nothing newer is there: the usual case."""
    outcomes, time = steps[-1].match.outcomes(template_id), steps[-1].event.stamp.time
    told = [row for row in rows if outcomes.get(row[_REQUIREMENT])]
    return bool(told) and all(row[_IS_FULFILLED] and row[_EVENT_TIME] < time for row in told)


def _is_plainly_repeated(template: CompiledTemplate, steps: Sequence[Step], rows: Sequence[_Values]) -> bool:
    """Whether all there is of the step's requirements is this one event, under the rules of today, never reset."""
    if len(steps) > 1 or template.criteria.in_order or _is_unfinished(rows):
        return False
    stamp = steps[0].event.stamp
    of_requirement = {row[_REQUIREMENT]: row for row in rows}
    for requirement_id, is_fulfilled in steps[0].match.outcomes(template.id).items():
        row, criterion = of_requirement.get(requirement_id), template.criteria.by_id[requirement_id]
        is_repeated = (
            row is not None
            and len(of_requirement) == len(rows)
            and is_fulfilled
            and row[_IS_FULFILLED]
            and row[_EVENT_TIME] == stamp.time
            and row[_EVENT_ID] == stamp.id
            and row[_VALUE_KEY] == FLOOR
            and criterion.is_one
            and criterion.rules.covers(row[_MADE_UNDER])
            and row[_RESET_TIME] is None
            and not row[_TIMES]
            and (row[_SINCE] is None or row[_SINCE] <= stamp.time)
        )
        if not is_repeated:
            return False
    return True


def _is_applied(template: CompiledTemplate, steps: Sequence[Step], stored: Sequence[_Values]) -> bool:
    rows = [FulfillmentRow(*values[_ROW]) for values in stored]
    if _is_unfinished(stored) and template.criteria.is_complete(rows, counts_from=stored[0][2]):
        return False
    registers = Registers(template, rows)
    for step in steps:
        registers.take(step)
    return not any(registers.settle())
