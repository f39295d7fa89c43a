"""What learners have done already for a badge, by what was recorded for other badges.

What a learner did is kept with the requirement that it fulfilled, under a fingerprint of its rules. So a requirement of
another badge that means the same tells who has done what this one asks for, and by which event: that event, applied
once more to this badge alone, counts as it did there. A badge that is needed is told by who holds it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q

from badges_plugin import api
from badges_plugin.criteria import FLOOR
from badges_plugin.data import EVENT_TIME, BadgingEvent, EventStamp, LearnerData, ValueKind
from badges_plugin.events import get_event_type
from badges_plugin.exceptions import InvalidRule, UnusableEventType
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeRequirement, BadgeTemplate, Fulfillment
from badges_plugin.models.key_paths import compile_for
from badges_plugin.rules import Operator, Rule

MOST = 5_000
"""Learners that are looked at for one requirement. Where there are more, what is counted is a lower bound."""
AT_ONCE = 100
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Done:
    """Who has done everything that a badge asks for, and how many lack one thing."""

    complete: frozenset[int] = frozenset()
    """Primary keys of users. They may have the badge already."""
    nearly: int = 0
    is_cut: bool = False
    """Whether there may be more."""
    unknown: int = 0
    """Requirements about which nothing is on record: no other badge ever asked for the same."""


def who_has_done(template: BadgeTemplate) -> Done:
    """Return who has done what a template asks for, stored or made in memory, with its conditions prefetched.

    Two queries, and two for each requirement. Nothing is written.
    """
    requirements = list(template.requirements.all())
    if not requirements:
        return Done()
    alike, penalized = _alike(requirements), _penalized(template)
    is_cut, unknown = False, 0
    done: dict[int, frozenset[int]] = {}
    for requirement in requirements:
        if requirement.needs_badge_id is not None:
            done[requirement.pk] = _holders(requirement.needs_badge_id)
            is_cut = is_cut or len(done[requirement.pk]) > MOST
            continue
        same = alike.get(requirement.digest(), [])
        unknown += not same
        told, is_all = _told(same, can_be_lost=requirement.pk in penalized)
        is_cut = is_cut or not is_all
        numbers = Counter(each.user for each in told)
        done[requirement.pk] = frozenset(user for user, number in numbers.items() if number >= requirement.count)
    lacking = _lacking(requirements, done)
    return Done(
        complete=frozenset(user for user, number in lacking.items() if number == 0),
        nearly=sum(number == 1 for number in lacking.values()),
        is_cut=is_cut,
        unknown=unknown,
    )


def can_be_applied(template: BadgeTemplate) -> bool:
    """Whether what is on record tells all that the rules of a template ask of an event. No query."""
    return all(each.needs_badge_id is not None or _is_told(each) for each in template.requirements.all())


def without_award(template: BadgeTemplate, users: Collection[int]) -> list[int]:
    """Return the users who never got the badge, held or not. One query."""
    had = BadgeAward.objects.filter(progress__template=template.pk).order_by().values_list("progress__user", flat=True)
    return sorted(set(users) - set(had.filter(progress__user__in=list(users)).distinct()))


def award_recorded(template: BadgeTemplate, users: Collection[int]) -> int:
    """Apply what is on record of users to an active template; return how many were awarded.

    Applied in parts: what is done stays done, and doing it again changes nothing. A learner whose record has changed
    meanwhile, or who was retired, is left out.
    """
    awarded, keys = 0, sorted(users)
    for start in range(0, len(keys), AT_ONCE):
        histories = _histories(template, keys[start : start + AT_ONCE])
        changes = api.process_histories(histories, templates=[template.pk])
        awarded += sum(template.pk in each.awarded for each in changes)
    return awarded


def _histories(template: BadgeTemplate, users: Sequence[int]) -> list[list[BadgingEvent]]:
    """Return the events of each user that told what the template asks for.

    Fewer users are read at once where there is more than ``MOST`` of them. One of whom alone there is more is left out:
    what is cut off may be what was lost.
    """
    rows = User.objects.in_bulk(list(users))
    events: dict[int, list[BadgingEvent]] = defaultdict(list)
    requirements = list(template.requirements.all())
    alike, penalized = _alike(requirements), _penalized(template)
    for requirement in requirements:
        same = alike.get(requirement.digest(), [])
        found, is_all = _told(same, can_be_lost=requirement.pk in penalized, users=list(rows))
        if not is_all:
            middle = len(users) // 2
            return _histories(template, users[:middle]) + _histories(template, users[middle:]) if middle else []
        for told in found:
            payload = _payload(requirement, told)
            if payload is not None:
                stamp = EventStamp(told.event_time, told.event_id)
                events[told.user].append(BadgingEvent(told.event_type, stamp, _learner(rows[told.user]), payload))
    needed = [each.needs_badge_id for each in requirements if each.needs_badge_id is not None]
    histories = ([*events[pk], *(api.badge_events(user, needed) if needed else ())] for pk, user in rows.items())
    return [history for history in histories if history]


def _learner(user: User) -> LearnerData:
    # As where a file is read: nothing about the person is new, so it is not said.
    return LearnerData(user.lms_user_id, user.get_username(), email="", name="", is_active=True)


def _lacking(requirements: Collection[BadgeRequirement], done: dict[int, frozenset[int]]) -> Counter[int]:
    """Return how many things each learner lacks who has done any."""
    groups: dict[int | None, list[BadgeRequirement]] = {}
    for each in requirements:
        groups.setdefault(each.group_id, []).append(each)
    lacking: Counter[int] = Counter(dict.fromkeys(frozenset[int]().union(*done.values()), 0))
    for members in groups.values():
        group = members[0].group
        needed = len(members) if group is None else group.needed
        have = Counter(user for each in members for user in done[each.pk])
        for user in lacking:
            lacking[user] += max(0, needed - have[user])
    return lacking


def _alike(requirements: Iterable[BadgeRequirement]) -> dict[str, list[BadgeRequirement]]:
    """Return stored requirements of any badge that mean the same as one of these, by digest. Two queries."""
    wanted, digests = Q(pk__in=[]), set()
    for each in requirements:
        rules = each.existing_rules()
        if each.needs_badge_id is None and rules:
            # One of its rules is enough to find it among all: the rest is compared here.
            wanted |= Q(event_type=each.event_type, rules__key_path=rules[0].key_path, rules__value=rules[0].value)
            digests.add(each.digest())
    rows = BadgeRequirement.objects.filter(wanted).distinct().order_by("pk").prefetch_related("rules")
    found: dict[str, list[BadgeRequirement]] = {}
    for row in rows if digests else ():
        if (digest := row.digest()) in digests:
            found.setdefault(digest, []).append(row)
    return found


def _holders(template_id: int) -> frozenset[int]:
    """Return the keys of users who hold a badge, one more than ``MOST`` at most. One query."""
    held = BadgeAward.objects.filter(progress__template=template_id, revoked_at=None)
    return frozenset(held.order_by().values_list("progress__user", flat=True).distinct()[: MOST + 1])


def _penalized(template: BadgeTemplate) -> frozenset[int]:
    return frozenset(each.pk for penalty in template.penalties.all() for each in penalty.requirements.all())


class Told(NamedTuple):
    """What is on record of one learner and one counted value."""

    user: int
    value_key: str
    event_time: datetime
    event_id: UUID
    event_type: str
    value: str
    grade: str


def _told(
    same: Collection[BadgeRequirement], *, can_be_lost: bool, users: Collection[int] | None = None
) -> tuple[list[Told], bool]:
    """Return what counts for one of these requirements, each learner and value once, and whether that is all.

    ``can_be_lost``: leave out what was lost later, as any of them tells; those that cannot be lost do not know.
    Two queries at most.
    """
    if not same:
        return [], True
    rows = Fulfillment.objects.filter(_counting(same))
    lost = Fulfillment.objects.filter(requirement__in=[each.pk for each in same], is_fulfilled=False)
    if users is not None:
        rows, lost = rows.filter(progress__user__in=users), lost.filter(progress__user__in=users)
    # In no order: to sort a million rows takes seconds.
    found = [Told(*row) for row in rows.order_by().values_list("progress__user", *Told._fields[1:])[: MOST + 1]]
    newest: dict[tuple[int, str], Told] = {}
    for told in sorted(found, key=lambda each: (each.event_time, each.event_id)):
        newest[told.user, told.value_key] = told
    taken = []
    if can_be_lost:
        taken = list(lost.order_by().values_list("progress__user", "value_key", "event_time")[: MOST + 1])
    until = {(user, value_key): moment for user, value_key, moment in sorted(taken, key=lambda each: each[2])}
    kept = [told for key, told in newest.items() if told.event_time > _lost_until(until, *key)]
    return kept, max(len(found), len(taken)) <= MOST


def _lost_until(until: Mapping[tuple[int, str], datetime], user: int, value_key: str) -> datetime:
    """Return until when a value was lost: by itself, or with all others by a penalty that named none."""
    return max(until.get((user, key), _NEVER) for key in (value_key, FLOOR))


def _counting(same: Iterable[BadgeRequirement]) -> Q:
    """Return the condition on fulfillments that count for one of these requirements."""
    counts = Q(pk__in=[])
    for each in same:
        validity = each.validity()
        counts |= Q(requirement=each.pk, is_fulfilled=True, made_under__in=[validity.current, *validity.kept])
    return counts


def _is_told(requirement: BadgeRequirement) -> bool:
    rules = _rules(requirement)
    return rules is not None and all(_is_tellable(requirement, rule) for rule in rules)


def _is_tellable(requirement: BadgeRequirement, rule: Rule) -> bool:
    if rule.key_path == EVENT_TIME:
        return True
    if requirement.counted_by == rule.key_path:
        return rule.kind is ValueKind.TEXT
    return rule.operator is Operator.EQUAL or _is_grade(rule)


def _is_grade(rule: Rule) -> bool:
    return rule.key_path == "percent_grade" and rule.operator is Operator.GREATER_OR_EQUAL


def _rules(requirement: BadgeRequirement) -> list[Rule] | None:
    try:
        get_event_type(requirement.event_type)
        return [compile_for(requirement.event_type, rule) for rule in requirement.existing_rules()]
    except (InvalidRule, UnusableEventType):
        return None


def _payload(requirement: BadgeRequirement, told: Told) -> SimpleNamespace | None:
    """Return what the event said, as far as the rules ask; None where it is not on record."""
    payload = SimpleNamespace()
    for rule in _rules(requirement) or ():
        if rule.key_path == EVENT_TIME:
            continue
        value: Any = rule.wanted
        if rule.key_path == requirement.counted_by:
            value = told.value
        elif _is_grade(rule):
            value = _share(told.grade)
        elif rule.operator is not Operator.EQUAL:
            return None
        if value is None:
            return None
        _put(payload, rule.key_path, value)
    return payload


def _put(payload: SimpleNamespace, key_path: str, value: Any) -> None:
    *parents, name = key_path.split(".")
    for parent in parents:
        if not hasattr(payload, parent):
            setattr(payload, parent, SimpleNamespace())
        payload = getattr(payload, parent)
    setattr(payload, name, value)


def _share(grade: str) -> float | None:
    """Return 0.87 for "87%", as fulfillments keep a grade."""
    try:
        return float(grade.removesuffix("%")) / 100 if grade.endswith("%") else None
    except ValueError:
        return None
