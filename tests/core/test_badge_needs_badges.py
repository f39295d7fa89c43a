"""Badges that need badges: held, lost, regained, in chains, and whatever goes wrong on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from io import StringIO
from itertools import permutations
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.models import RestrictedError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openedx_events.learning.data import BadgeData, BadgeTemplateData
from openedx_events.learning.signals import BADGE_AWARDED, BADGE_REVOKED

from badges_plugin import api, dependencies, handlers, receiving
from badges_plugin.models import BadgeAward, BadgeRequirement, BadgeTemplate, DataRule, FailedEvent, Fulfillment
from badges_plugin.signals import badge_awarded
from tests.core.conftest import Commit
from tests.core.test_outbox import make_producer
from tests.core.test_queries import active_templates
from tests.factories import (
    AWARDED_TYPE,
    PASSING,
    REVOKED_TYPE,
    at,
    make_template,
    make_user,
    metadata,
    needs_badge,
    passing_data,
    penalizes_failing,
    requires,
    requires_course,
    send_passing,
    user_data,
)
from tests.limits import Lower

pytestmark = pytest.mark.django_db


@pytest.fixture
def broken_bus() -> Iterator[None]:
    """While the bus takes nothing."""
    bus: Any = make_producer()
    bus.fails_with = RuntimeError("broker away")
    yield
    bus.fails_with = None


def course(name: str) -> str:
    return f"course-v1:Demo+{name}+1"


def badge_for(name: str, **changes: Any) -> BadgeTemplate:
    """Save a badge for passing a course of that name, which failing the course takes away."""
    template = make_template(name=name, **changes)
    penalizes_failing(template, requires_course(template, course(name)), course(name))
    return template


def held_by(user: Any) -> set[str]:
    """Return the names of the badges that a learner holds."""
    awards = BadgeAward.objects.filter(progress__user=user, revoked_at=None)
    return set(awards.values_list("progress__template__name", flat=True))


@pytest.fixture
def two() -> tuple[BadgeTemplate, BadgeTemplate, BadgeTemplate]:
    """A, B, and "both", which needs them."""
    first, second, both = badge_for("A"), badge_for("B"), make_template(name="both")
    needs_badge(both, first)
    needs_badge(both, second)
    return first, second, both


Does = Callable[[Commit, Any, float], None]


def passes(name: str) -> Does:
    def do(commit: Commit, user: Any, minute: float) -> None:
        with commit():
            send_passing(user, course(name), minute=minute)

    return do


def fails(name: str) -> Does:
    def do(commit: Commit, user: Any, minute: float) -> None:
        with commit():
            send_passing(user, course(name), minute=minute, is_passing=False)

    return do


def is_revoked(name: str) -> Does:
    def do(commit: Commit, user: Any, minute: float) -> None:
        with commit():
            api.revoke_award(BadgeAward.objects.get(progress__template__name=name, revoked_at=None), reason="by hand")

    return do


@pytest.mark.parametrize(
    ("done", "held", "awards"),
    [
        ([], set(), 0),
        # One of two is not enough.
        ([passes("A")], {"A"}, 0),
        ([passes("A"), passes("B")], {"A", "B", "both"}, 1),
        ([passes("B"), passes("A")], {"A", "B", "both"}, 1),
        # Failing a course takes its badge, and with it the one that needs it.
        ([passes("A"), passes("B"), fails("A")], {"B"}, 1),
        ([passes("A"), passes("B"), is_revoked("B")], {"A"}, 1),
        ([passes("A"), fails("A"), passes("B")], {"B"}, 0),
        # Regained.
        ([passes("A"), passes("B"), fails("A"), passes("A")], {"A", "B", "both"}, 2),
        ([passes("A"), passes("B"), fails("A"), fails("B"), passes("A")], {"A"}, 1),
        ([passes("A"), passes("B"), fails("A"), fails("B"), passes("A"), passes("B")], {"A", "B", "both"}, 2),
        # What a learner still holds stays.
        ([passes("A"), passes("B"), is_revoked("both")], {"A", "B"}, 1),
    ],
)
def test_badge_needs_two_badges(two: Any, commit: Commit, done: list[Does], held: set[str], awards: int) -> None:
    user = make_user()
    for minute, do in enumerate(done):
        do(commit, user, minute)
    assert held_by(user) == held
    assert BadgeAward.objects.filter(progress__template__name="both").count() == awards
    # Nobody lost anything who had nothing.
    assert not BadgeAward.objects.exclude(progress__user=user).exists()


def test_it_bears_the_date_of_the_last_badge_and_names_the_reason(two: Any, commit: Commit) -> None:
    user = make_user()
    passes("B")(commit, user, 7)
    passes("A")(commit, user, 3)
    award = BadgeAward.objects.get(progress__template__name="both")
    assert award.awarded_at == at(7)
    assert [event["type"] for event in award.events] == [AWARDED_TYPE, AWARDED_TYPE]
    fails("A")(commit, user, 9)
    award.refresh_from_db()
    assert award.revoked_at == at(9)
    assert Fulfillment.objects.filter(is_fulfilled=False, event_type=REVOKED_TYPE).count() == 1


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_order_of_arrival_makes_no_difference(two: Any, commit: Commit, order: tuple[int, ...]) -> None:
    user = make_user()
    done = [(passes("A"), 0), (fails("A"), 1), (passes("A"), 2), (passes("B"), 3)]
    for number in order:
        do, minute = done[number]
        do(commit, user, minute)
    assert held_by(user) == {"A", "B", "both"}


def test_one_of_several_badges_is_enough_in_a_group(commit: Commit) -> None:
    first, second, either = badge_for("A"), badge_for("B"), make_template(name="either")
    needs_badge(either, first, group="any")
    needs_badge(either, second, group="any")
    user = make_user()
    passes("A")(commit, user, 0)
    passes("B")(commit, user, 1)
    fails("A")(commit, user, 2)
    assert held_by(user) == {"B", "either"}
    fails("B")(commit, user, 3)
    assert held_by(user) == set()


def chain_of(number: int) -> list[BadgeTemplate]:
    """Save badges that need one another in a row; the first is for passing the course "A"."""
    badges = [badge_for("A")]
    for each in range(1, number):
        badges.append(make_template(name=f"badge {each}"))
        needs_badge(badges[-1], badges[-2])
    return badges


def test_a_chain_of_three(commit: Commit) -> None:
    chain_of(3)
    user = make_user()
    passes("A")(commit, user, 0)
    assert held_by(user) == {"A", "badge 1", "badge 2"}
    fails("A")(commit, user, 1)
    assert held_by(user) == set()


@pytest.mark.django_db(transaction=True)
def test_the_longest_chain_that_is_allowed_is_awarded_at_once() -> None:
    """With real commits: each badge is heard of before the one before is done with."""
    badges = chain_of(dependencies.MAX_CHAIN)
    assert not any(api.activation_problems(badge) for badge in badges)
    user = make_user()
    send_passing(user, course("A"))
    assert len(held_by(user)) == dependencies.MAX_CHAIN
    send_passing(user, course("A"), minute=1, is_passing=False)
    assert held_by(user) == set()
    assert not FailedEvent.objects.exists()
    assert not BadgeAward.objects.filter(publish_due_at__isnull=False).exists()


# --- Heard in this service, whatever bus there is


@pytest.mark.parametrize(
    "changes",
    [
        # No bus, and badge events are not configured.
        {},
        {"BADGES_CONFIG": {"events": [AWARDED_TYPE, REVOKED_TYPE]}},
        # A bus that does not take them.
        {"EVENT_BUS_PRODUCER": "tests.core.test_outbox.make_producer", "DEBUG": True},
    ],
)
def test_badges_are_heard_of_whatever_bus_and_events_are_configured(
    settings: Any, two: Any, commit: Commit, changes: dict[str, Any], broken_bus: None
) -> None:
    settings.EVENT_BUS_PRODUCER_CONFIG = {AWARDED_TYPE: {"topic": {"event_key_field": "badge.uuid", "enabled": True}}}
    for name, value in changes.items():
        setattr(settings, name, value)
    handlers.disconnect()
    handlers.connect()
    user = make_user()
    passes("A")(commit, user, 0)
    passes("B")(commit, user, 1)
    assert "both" in held_by(user)
    fails("A")(commit, user, 2)
    assert held_by(user) == {"B"}
    settings.BADGES_CONFIG = {}
    handlers.disconnect()
    handlers.connect()


def test_an_event_that_comes_back_from_the_bus_changes_nothing(two: Any, commit: Commit) -> None:
    public: list[tuple[Any, Any]] = []

    def listen(badge: BadgeData, metadata: Any, **kwargs: Any) -> None:
        public.append((metadata, badge))

    BADGE_AWARDED.connect(listen)
    user = make_user()
    try:
        passes("A")(commit, user, 0)
        passes("B")(commit, user, 1)
    finally:
        BADGE_AWARDED.disconnect(listen)
    before = list(Fulfillment.objects.order_by("pk").values())
    assert len(public) == 3
    for stamp, badge in public:
        assert api.handle_event(AWARDED_TYPE, stamp, {"badge": badge}) is api.Outcome.UNMATCHED
    assert list(Fulfillment.objects.order_by("pk").values()) == before


def test_what_was_heard_without_a_profile_is_repeated_when_the_bus_tells_it_with_one() -> None:
    """Though it is newer than anything that told the learner's profile."""
    user, needed = make_user(), badge_for("A")
    requires(make_template(name="by rule"), ("template.uuid", "eq", str(needed.uuid)), event_type=AWARDED_TYPE)
    send_passing(user, course("A"))
    badge = BadgeData(uuid="0a8f6d9e-58a6-5c0b-9d0e-0b1f4a2c7d35", user=user_data(user), template=_described(needed))
    public = api.read_event(AWARDED_TYPE, metadata(AWARDED_TYPE, time=at(5)), {"badge": badge})
    here = replace(public, learner=replace(public.learner, email="", name=""))
    assert [api.process_event(event) for event in (here, public)] == [api.Outcome.APPLIED, api.Outcome.REPEATED]


def test_a_badge_of_another_service_is_somebody_elses(two: Any, commit: Commit) -> None:
    """Its template may be the same at a provider, and its learner may have the id of one of ours."""
    first, _, _ = two
    user = make_user()
    passes("B")(commit, user, 0)
    badge = BadgeData(uuid="0a8f6d9e-58a6-5c0b-9d0e-0b1f4a2c7d35", user=user_data(user), template=_described(first))
    for event_type in (AWARDED_TYPE, REVOKED_TYPE):
        assert api.handle_event(event_type, metadata(event_type), {"badge": badge}) is api.Outcome.UNMATCHED
    assert held_by(user) == {"B"}


def _described(template: BadgeTemplate) -> BadgeTemplateData:
    return BadgeTemplateData(uuid=str(template.uuid), origin=template.origin, name=template.name)


# --- Half done


@pytest.fixture
def unlucky() -> Iterator[list[Exception]]:
    """Exceptions, each of which the next award of "both" meets."""
    errors: list[Exception] = []

    def fail(award: BadgeAward, **kwargs: Any) -> None:
        if award.template.name == "both" and errors:
            raise errors.pop(0)

    badge_awarded.connect(fail)
    yield errors
    badge_awarded.disconnect(fail)


@pytest.mark.parametrize("error", [OperationalError(2006, "gone away"), RuntimeError("a bug")])
def test_what_went_wrong_between_award_and_dependents_is_done_by_the_outbox(
    two: Any, commit: Commit, unlucky: list[Exception], error: Exception
) -> None:
    user, published = make_user(), []

    def listen(badge: BadgeData, **kwargs: Any) -> None:
        published.append(badge.template.name)

    BADGE_AWARDED.connect(listen)
    try:
        passes("A")(commit, user, 0)
        unlucky.append(error)
        passes("B")(commit, user, 1)
        assert (held_by(user), published) == ({"A", "B"}, ["A"])
        assert _publish_all(commit) == 1
        assert (held_by(user), sorted(published)) == ({"A", "B", "both"}, ["A", "B", "both"])
        assert _publish_all(commit) == 0
    finally:
        BADGE_AWARDED.disconnect(listen)


def test_a_process_that_dies_between_award_and_dependents_leaves_them_to_the_outbox(two: Any, commit: Commit) -> None:
    user = make_user()
    passes("A")(commit, user, 0)
    send_passing(user, course("B"), minute=1)  # committed, and nothing after that
    assert held_by(user) == {"A", "B"}
    assert _publish_all(commit) == 1
    assert held_by(user) == {"A", "B", "both"}


def test_one_badge_that_cannot_be_told_of_does_not_hold_up_others(
    two: Any, commit: Commit, unlucky: list[Exception]
) -> None:
    user, other = make_user(), make_user()
    passes("A")(commit, user, 0)
    send_passing(user, course("B"), minute=1)
    send_passing(other, course("A"), minute=2)
    unlucky.append(RuntimeError("a bug"))
    assert _publish_all(commit) == 1
    assert BadgeAward.objects.filter(publish_due_at=None).count() == 2


def all_pass(users: list[Any], name: str, minute: float) -> None:
    events = [
        api.read_event(
            PASSING, metadata(time=at(minute)), {"course_passing_status": passing_data(user_data(user), course(name))}
        )
        for user in users
    ]
    api.process_batch(events)


def test_badges_that_need_those_of_a_batch_are_told_of_them_together(two: Any, commit: Commit) -> None:
    costs = []
    for count in (3, 20):
        users = [make_user() for _ in range(count)]
        with commit():
            all_pass(users, "A", 0)
        with CaptureQueriesContext(connection) as queries, commit():
            all_pass(users, "B", 1)
        costs.append(len(queries))
        assert all(held_by(user) == {"A", "B", "both"} for user in users)
    assert costs[0] == costs[1]


def test_one_of_a_batch_that_cannot_be_told_of_does_not_hold_up_the_others(
    two: Any, commit: Commit, unlucky: list[Exception]
) -> None:
    users = [make_user() for _ in range(3)]
    with commit():
        all_pass(users, "A", 0)
    unlucky.extend([RuntimeError("a bug")] * 2)  # together, and then the first by itself
    with commit():
        all_pass(users, "B", 1)
    assert [held_by(user) for user in users] == [{"A", "B"}, *[{"A", "B", "both"}] * 2]
    assert BadgeAward.objects.exclude(publish_due_at=None).count() == 1
    assert _publish_all(commit) == 1
    assert held_by(users[0]) == {"A", "B", "both"}


@pytest.mark.parametrize("heard", [0, 1, 2])
def test_a_process_that_dies_while_badges_are_told_of_a_batch_leaves_the_rest_to_the_outbox(
    two: Any, commit: Commit, monkeypatch: pytest.MonkeyPatch, heard: int
) -> None:
    """A chain of three, each award of which is committed before the next one is told of it."""
    last = make_template(name="last")
    needs_badge(last, two[2])
    users = [make_user() for _ in range(3)]
    with commit():
        all_pass(users, "A", 0)
    published: list[str] = []

    def listen(badge: BadgeData, **kwargs: Any) -> None:
        published.append(f"{badge.user.id} {badge.template.name}")

    BADGE_AWARDED.connect(listen)
    process = api.process_batch
    left = iter(range(heard))

    def die(events: Any) -> Any:
        if next(left, None) is None:
            raise SystemExit
        return process(events)

    with suppress(SystemExit), commit():
        all_pass(users, "B", 1)
        monkeypatch.setattr(api, "process_batch", die)
    monkeypatch.undo()
    for _ in range(3):
        _publish_all(commit)
    BADGE_AWARDED.disconnect(listen)
    assert all(held_by(user) == {"A", "B", "both", "last"} for user in users)
    assert BadgeAward.objects.count() == 12
    assert set(published) == {f"{user.lms_user_id} {name}" for user in users for name in ("B", "both", "last")}
    assert not BadgeAward.objects.exclude(publish_due_at=None).exists()


def _publish_all(commit: Commit) -> int:
    BadgeAward.objects.filter(publish_due_at__isnull=False).update(publish_due_at=timezone.now())
    with commit():
        return api.publish_pending()


def test_a_learner_who_is_retired_meanwhile_gets_nothing(two: Any, commit: Commit) -> None:
    user = make_user()
    passes("A")(commit, user, 0)
    send_passing(user, course("B"), minute=1)
    user.username = "retired__user_0123"
    user.save()
    _publish_all(commit)
    assert held_by(user) == {"A", "B"}


# --- Held before it was needed


def test_a_badge_that_was_held_before_counts_with_the_next_event(commit: Commit) -> None:
    needed, template, user = badge_for("A"), make_template(name="more"), make_user()
    passes("A")(commit, user, 0)
    needs_badge(template, needed)
    requires_course(template, course("B"))
    assert held_by(user) == {"A"}
    passes("B")(commit, user, 1)
    assert held_by(user) == {"A", "more"}


def test_a_badge_that_was_lost_before_does_not_count(commit: Commit) -> None:
    needed, template, user = badge_for("A"), make_template(name="more"), make_user()
    passes("A")(commit, user, 0)
    fails("A")(commit, user, 1)
    needs_badge(template, needed)
    requires_course(template, course("B"))
    passes("B")(commit, user, 2)
    assert held_by(user) == set()
    passes("A")(commit, user, 3)
    assert held_by(user) == {"A", "more"}


@pytest.mark.parametrize("only", [False, True])
def test_a_backfill_awards_to_those_who_held_the_needed_badge_all_along(commit: Commit, only: bool) -> None:
    needed, template, other = badge_for("A"), make_template(name="more"), make_template(name="other")
    holder, former, nobody = make_user(), make_user(), make_user()
    passes("A")(commit, holder, 0)
    passes("A")(commit, former, 0)
    fails("A")(commit, former, 1)
    passes("B")(commit, nobody, 0)
    needs_badge(template, needed)
    needs_badge(other, needed)
    chosen = ["--template", str(template.uuid)] if only else []

    def backfill(*options: str) -> str:
        out = StringIO()
        with commit():
            call_command("badges_backfill", "--held-badges", *chosen, *options, stdout=out)
        return out.getvalue()

    assert f"{1 if only else 2} badges would be awarded" in backfill("--dry-run")
    assert held_by(holder) == {"A"}
    assert "2 learners, 0 new here" in backfill()
    assert held_by(holder) == ({"A", "more"} if only else {"A", "more", "other"})
    assert held_by(former) == held_by(nobody) == set()
    assert BadgeAward.objects.get(progress__template=template).awarded_at == at(0)
    assert "nothing changed for 2 learners" in backfill()


@pytest.mark.parametrize("arguments", [[], ["rows.csv", "--held-badges"]])
def test_a_backfill_is_of_a_file_or_of_held_badges(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="A file is required"):
        call_command("badges_backfill", *arguments)


# --- Set up


def test_the_event_is_that_of_badges_whatever_was_given() -> None:
    template = make_template()
    requirement = BadgeRequirement.objects.create(template=template, needs_badge=make_template(), event_type="nothing")
    assert requirement.event_type == AWARDED_TYPE
    requirement.full_clean()
    assert api.activation_problems(template) == []
    assert not any("no rules" in text or "not processed" in text for text in api.activation_warnings(template))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": 2}, "Do not count"),
        ({"counted_by": "template.uuid"}, "Do not count"),
        ({"needs_badge": "self"}, "cannot need itself"),
    ],
)
def test_what_does_not_fit_a_needed_badge_is_refused(changes: dict[str, Any], message: str) -> None:
    template = make_template()
    given = {"needs_badge": make_template(), **changes}
    if given["needs_badge"] == "self":
        given["needs_badge"] = template
    with pytest.raises(ValidationError, match=message):
        BadgeRequirement.objects.create(template=template, **given)


def test_rules_and_a_needed_badge_exclude_each_other() -> None:
    template, needed = make_template(), make_template()
    requirement = needs_badge(template, needed)
    with pytest.raises(ValidationError, match="has no rules"):
        DataRule.objects.create(requirement=requirement, key_path="template.uuid", operator="eq", value="x")
    ruled = requires(template, ("template.name", "eq", "A"), event_type=AWARDED_TYPE)
    ruled.needs_badge = needed
    with pytest.raises(ValidationError, match="Delete the rules first"):
        ruled.save()


def test_another_needed_badge_is_a_change_that_staff_decide_about(commit: Commit) -> None:
    first, second, template = badge_for("A"), badge_for("B"), make_template(name="more")
    requirement = needs_badge(template, first)
    user = make_user()
    passes("A")(commit, user, 0)
    assert held_by(user) == {"A", "more"}
    requirement.needs_badge = second
    requirement.save()
    assert api.undecided_fulfillments(template)[requirement.pk].learners == 1
    assert held_by(user) == {"A", "more"}
    requirement.needs_badge = first
    requirement.save()
    assert api.undecided_fulfillments(template) == {}


def test_a_badge_that_others_need_cannot_be_deleted() -> None:
    needed, template = make_template(name="A"), make_template(name="B")
    needs_badge(template, needed)
    with pytest.raises(RestrictedError):
        needed.delete()
    (problem,) = api.deletion_problems([needed])
    assert "“A” is needed by “B”" in problem
    assert api.deletion_problems([template]) == api.deletion_problems([needed, template]) == []
    BadgeTemplate.objects.filter(pk__in=[needed.pk, template.pk]).delete()


# --- The price


def test_badges_that_nobody_needs_cost_nothing_more(django_capture_on_commit_callbacks: Any) -> None:
    costs = set()
    for size in (1, 100, 1000):
        active_templates(size)
        name = f"A{size}"
        requires_course(make_template(), course(name))
        send_passing(make_user(), course("Warm"))
        with django_capture_on_commit_callbacks() as callbacks:
            send_passing(make_user(), course(name))
        with CaptureQueriesContext(connection) as queries:
            for callback in callbacks:
                callback()
        costs.add(len(queries))
    assert len(costs) == 1
    assert costs.pop() == 0  # nor is there a bus to be told


def test_an_endless_chain_is_kept_for_staff(lower: Lower, two: Any, commit: Commit) -> None:
    lower(receiving, MAX_CHAIN=0)
    user = make_user()
    passes("A")(commit, user, 0)
    failed = FailedEvent.objects.get()
    assert (failed.event_type, failed.cause) == (AWARDED_TYPE, "endless_chain")
    assert failed.event_time == at(0)


def test_the_times_of_needed_badges_only_grow(two: Any, commit: Commit) -> None:
    times: list[datetime] = []

    def listen(metadata: Any, **kwargs: Any) -> None:
        times.append(metadata.time)

    for signal in (BADGE_AWARDED, BADGE_REVOKED):
        signal.connect(listen)
    user = make_user()
    try:
        passes("A")(commit, user, 5)
        is_revoked("A")(commit, user, 0)
        fails("A")(commit, user, 6)
        passes("A")(commit, user, 7)
    finally:
        for signal in (BADGE_AWARDED, BADGE_REVOKED):
            signal.disconnect(listen)
    assert times == sorted(times)
    assert len(times) == 3


def test_a_badge_that_is_held_already_counts_when_its_turn_comes(django_capture_on_commit_callbacks: Any) -> None:
    needed, template, user = make_template(), make_template(in_order=True), make_user()
    requires_course(needed, "course-v1:Demo+A+1")
    requires_course(template, "course-v1:Demo+B+1", position=1)
    held = needs_badge(template, needed)
    held.position = 2
    held.save()
    for minute, name in ((1, "A"), (2, "B")):
        with django_capture_on_commit_callbacks(execute=True):
            send_passing(user, f"course-v1:Demo+{name}+1", minute=minute)
    assert [award.awarded_at for award in BadgeAward.objects.order_by("pk")] == [at(1), at(2)]
