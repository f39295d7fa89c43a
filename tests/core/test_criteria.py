"""Criteria, from events to awards: counts, groups with a minimum, order, periods, and penalties on all of them."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from badges_plugin import api
from badges_plugin.api import Outcome
from badges_plugin.fulfillment_rows import FulfillmentRow
from badges_plugin.models import BadgeAward, BadgeRequirement, BadgeTemplate, Fulfillment, RequirementGroup
from badges_plugin.processing.registers import Registers, Step
from badges_plugin.ruleset import Ruleset, compile_ruleset
from tests.core.conftest import Heard
from tests.factories import (
    ENROLLMENT,
    PASSING,
    at,
    enrollment_data,
    make_template,
    make_user,
    metadata,
    passing_data,
    penalizes,
    requires,
    requires_course,
    send_passing,
    user_data,
)

pytestmark = pytest.mark.django_db
PASSED, FAILED = ("is_passing", "eq", "true"), ("is_passing", "eq", "false")
BY_COURSE = "course.course_key"
MONTH = 31 * 24 * 60


def course(name: str) -> str:
    return f"course-v1:Demo+{name}+1"


def any_of_five(template: BadgeTemplate, count: int = 3) -> BadgeRequirement:
    """Ask for some of the courses A to E, and take away what is failed."""
    five = (BY_COURSE, "in", "\n".join(map(course, "ABCDE")))
    requirement = requires(template, five, PASSED, count=count, counted_by=BY_COURSE)
    penalizes(template, [requirement], FAILED)
    return requirement


def enroll(user: Any, minute: float, name: str = "A") -> Outcome:
    stamp = metadata(ENROLLMENT, time=at(minute))
    return api.handle_event(ENROLLMENT, stamp, {"enrollment": enrollment_data(user_data(user), course(name))})


def test_any_3_of_5_courses(heard: Heard) -> None:
    template, user = make_template(), make_user()
    any_of_five(template)
    for minute, name in enumerate("AABXB"):
        send_passing(user, course(name), minute=minute)
    assert heard.awarded == []
    send_passing(user, course("E"), minute=7)
    (award,) = heard.awarded
    assert award.awarded_at == at(7)
    assert [event["time"] for event in award.events] == [at(minute).isoformat() for minute in (1, 4, 7)]
    assert sorted(Fulfillment.objects.values_list("value", flat=True)) == [course(name) for name in "ABE"]


def test_10_of_the_same(heard: Heard) -> None:
    template, user = make_template(), make_user()
    requires(template, event_type=ENROLLMENT, count=10)
    for minute in range(9):
        enroll(user, minute)
    assert heard.awarded == []
    for minute in range(9, 15):
        enroll(user, minute)
    (award,) = heard.awarded
    assert (award.awarded_at, len(award.events)) == (at(9), 10)
    assert Fulfillment.objects.count() == 10  # the newest ones
    assert enroll(user, 2) is Outcome.REPEATED


def test_10_of_the_same_in_a_history_are_awarded_with_the_date_of_the_tenth(heard: Heard) -> None:
    template, user = make_template(), make_user()
    requires(template, PASSED, count=10)
    api.process_history(passing(user, "A", minute) for minute in reversed(range(30)))
    assert [award.awarded_at for award in heard.awarded] == [at(9)]
    assert Fulfillment.objects.count() == 10


def test_2_of_these_3_groups(heard: Heard) -> None:
    """Two of three, each of which is something of its own; and one thing besides that must be."""
    template, user = make_template(), make_user()
    for name in "ABC":
        requires_course(template, course(name), group="any two")
    RequirementGroup.objects.update(needed=2)
    requires_course(template, course("D"))
    for minute, name in enumerate("ADAC"):
        assert heard.awarded == []
        send_passing(user, course(name), minute=minute)
    assert [award.awarded_at for award in heard.awarded] == [at(3)]


def in_order(template: BadgeTemplate) -> list[BadgeRequirement]:
    """Ask for A, then for B or C, then for D; the positions say so, not the order in which they were made."""
    last = requires_course(template, course("D"), position=3)
    either = [requires_course(template, course(name), group="either") for name in "BC"]
    RequirementGroup.objects.filter(template=template).update(position=2)
    return [requires_course(template, course("A"), position=1), *either, last]


@pytest.mark.parametrize(
    ("sent", "awarded"),
    [
        ("A B D", 1),
        ("A C D", 1),
        ("B A D", 0),
        ("A D B", 0),
        ("B A C D", 1),
        ("D C A B", 0),
        ("D C A B D", 1),  # said again in its turn
    ],
)
def test_in_order(heard: Heard, sent: str, awarded: int) -> None:
    template, user = make_template(in_order=True), make_user()
    in_order(template)
    for minute, name in enumerate(sent.split()):
        send_passing(user, course(name), minute=minute)
    assert len(heard.awarded) == awarded


def test_until_a_date(heard: Heard) -> None:
    template, late, early = make_template(), make_user(), make_user()
    requires_course(template)
    BadgeRequirement.objects.get().rules.create(key_path="event.time", operator="lt", value="2026-02-01")
    assert send_passing(late, minute=MONTH) is Outcome.UNMATCHED
    assert send_passing(early, minute=MONTH - 1) is Outcome.APPLIED
    assert [award.user for award in heard.awarded] == [early]


def test_3_within_30_days(heard: Heard) -> None:
    """A fixed period is two rules. "Within any 30 days" is refused: see groups-and-penalties in the documentation."""
    template, user = make_template(), make_user()
    begin, end = ("event.time", "gte", "2026-01-01"), ("event.time", "lt", "2026-01-31")
    requires(template, PASSED, begin, end, count=3, counted_by=BY_COURSE)
    day = 24 * 60
    for name, minute in (("A", -1), ("B", 0), ("C", 29 * day), ("D", 30 * day)):
        send_passing(user, course(name), minute=minute)
    assert heard.awarded == []
    send_passing(user, course("E"), minute=30 * day - 1)  # late, but within
    assert len(heard.awarded) == 1


def test_a_penalty_takes_one_counted_course_only(heard: Heard) -> None:
    template, user = make_template(), make_user()
    any_of_five(template)
    for minute, name in enumerate("ABCD"):
        send_passing(user, course(name), minute=minute)
    send_passing(user, course("A"), is_passing=False, minute=5)
    assert (len(heard.awarded), heard.revoked) == (1, [])
    send_passing(user, course("B"), is_passing=False, minute=6)
    assert [award.revoked_at for award in heard.revoked] == [at(6)]
    # What comes late cannot give it back, what is done again can.
    assert send_passing(user, course("B"), minute=4) is Outcome.REPEATED
    send_passing(user, course("A"), minute=7)
    assert [award.awarded_at for award in heard.awarded[1:]] == [at(7)]


def test_a_penalty_that_names_no_value_takes_all_that_is_older(heard: Heard) -> None:
    template, user = make_template(), make_user()
    requirement = requires(template, event_type=ENROLLMENT, count=2)
    penalizes(template, [requirement], FAILED)
    enroll(user, 1)
    enroll(user, 4)
    assert len(heard.awarded) == 1
    send_passing(user, is_passing=False, minute=3)  # late: one of the two is older
    assert len(heard.revoked) == 1
    assert enroll(user, 2) is Outcome.REPEATED
    enroll(user, 5)
    assert len(heard.awarded) == 2


# Every order of arrival.


def passing(user: Any, name: str, minute: float, is_passing: bool = True) -> api.BadgingEvent:
    stamp = metadata(time=at(minute), event_id=uuid.UUID(int=int(minute * 10) + 1000))
    said = passing_data(user_data(user), course(name), is_passing=is_passing)
    return api.read_event(PASSING, stamp, {"course_passing_status": said})


def ten_cut_to_three(template: BadgeTemplate) -> None:
    penalizes(template, [requires(template, PASSED, count=3)], (BY_COURSE, "eq", course("X")))


def two_of_three(template: BadgeTemplate) -> None:
    members = [requires_course(template, course(name), group="any two") for name in "ABC"]
    RequirementGroup.objects.filter(template=template).update(needed=2)
    penalizes(template, members[:1], FAILED, (BY_COURSE, "eq", course("A")))


def in_order_with_a_penalty(template: BadgeTemplate) -> None:
    BadgeTemplate.objects.filter(pk=template.pk).update(in_order=True)
    penalizes(template, in_order(template)[:1], FAILED)


def counted_in_order(template: BadgeTemplate) -> None:
    BadgeTemplate.objects.filter(pk=template.pk).update(in_order=True)
    first = requires(template, PASSED, (BY_COURSE, "in", f"{course('A')}, {course('B')}"), count=2, position=1)
    requires_course(template, course("C"), position=2)
    penalizes(template, [first], FAILED)


def until(template: BadgeTemplate) -> None:
    requires(template, PASSED, ("event.time", "lt", at(5).isoformat()), count=2, counted_by=BY_COURSE)


def alternatives(template: BadgeTemplate) -> None:
    members = [requires_course(template, course(name), group="either") for name in "AB"]
    for member, name in zip(members, "AB", strict=True):
        penalizes(template, [member], FAILED, (BY_COURSE, "eq", course(name)))


STORIES = [
    # name of what is asked for, what happened in the order of time, whether it is held in the end
    (any_of_five, "A B C A- D", True),
    (any_of_five, "A B C C- A-", False),
    (any_of_five, "A- A B C B-", False),
    (ten_cut_to_three, "A A A A A", True),
    (ten_cut_to_three, "A A X A A", False),
    (ten_cut_to_three, "X A B X A", False),
    (ten_cut_to_three, "A X B A C", True),
    (two_of_three, "A A- B A C", True),
    (two_of_three, "B A A- A A-", False),
    (in_order_with_a_penalty, "D A B D D", True),
    (in_order_with_a_penalty, "A B D A- A", False),
    (in_order_with_a_penalty, "A A- A B D", True),
    (in_order_with_a_penalty, "A B A- D D", False),
    (counted_in_order, "C A B A C", True),
    (counted_in_order, "A A B- A C", False),
    (counted_in_order, "A C B A B", False),
    (until, "A A A B A", True),
    (until, "A A A A B", False),
    (alternatives, "A B A- B- A", True),
    (alternatives, "A B A- A B-", True),
    (alternatives, "A B B- A- A-", False),
]


def told(story: str) -> list[api.BadgingEvent]:
    user = make_user()
    return [passing(user, each[0], minute, not each.endswith("-")) for minute, each in enumerate(story.split(), 1)]


@pytest.mark.parametrize(("asks", "story", "is_held"), STORIES)
def test_all_120_orders_of_five_events(asks: Callable[[BadgeTemplate], object], story: str, is_held: bool) -> None:
    """In memory; what is saved and awarded in the end is compared with the database by the next test."""
    template = make_template()
    asks(template)
    events, ruleset = told(story), compile_ruleset()
    ends = [arrive(ruleset, template, order) for order in itertools.permutations(events)]
    assert len(ends) == 120
    assert {held for held, _ in ends} == {is_held}
    assert all(end == ends[0] for end in ends)


def arrive(ruleset: Ruleset, template: BadgeTemplate, events: Sequence[api.BadgingEvent]) -> tuple[bool, object]:
    """Return whether the badge is held after events that arrived one by one, and what the registers say then."""
    compiled, is_held = ruleset.templates[template.pk], False
    rows: list[FulfillmentRow] = []
    for event in events:
        match = ruleset.match(event)
        if not match:
            continue
        found = Registers(compiled, rows)
        _, reset_by = found.take_all([Step(event, match)])
        is_complete = compiled.criteria.is_complete(found.rows)
        is_held = is_complete or (is_held and reset_by is None)
        rows = kept(found)
        assert compiled.criteria.is_complete(rows) is is_complete
    tallies = [tally for group in compiled.criteria.standing(rows).groups for tally in group.tallies]
    said = [[(held.register.value_key, held.register.event_id) for held in tally.held] for tally in tallies]
    since = [held.since for tally in tallies for held in tally.held] if compiled.criteria.in_order else []
    return is_held, (said, since)


def kept(found: Registers) -> list[FulfillmentRow]:
    """Return the rows that would be stored, with keys that tell them apart."""
    saved, deleted = found.settle()
    for row in saved:
        row.pk = row.pk or uuid.uuid4().int >> 70
    return [row for row in found.rows if row.pk and row.pk not in deleted]


@pytest.mark.parametrize(("asks", "story", "is_held"), STORIES)
def test_one_by_one_backwards_as_a_history_and_in_a_batch(
    heard: Heard, asks: Callable[[BadgeTemplate], object], story: str, is_held: bool
) -> None:
    template = make_template()
    asks(template)
    for way in (forward, backward, api.process_history, batch):
        events = told(story)
        way(events)
        progress = template.progresses.get(user__lms_user_id=events[0].learner.lms_user_id)
        assert progress.awards.filter(revoked_at=None).exists() is is_held
    assert sum(award.revoked_at is None for award in BadgeAward.objects.all()) == 4 * is_held


def forward(events: Sequence[api.BadgingEvent]) -> None:
    for event in events:
        api.process_event(event)


def backward(events: Sequence[api.BadgingEvent]) -> None:
    forward(events[::-1])


def batch(events: Sequence[api.BadgingEvent]) -> None:
    api.process_batch(events)
