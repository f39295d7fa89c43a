"""Events of many learners in one batch: the end is that of one event after another, at a fixed number of statements."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from badges_plugin import api, bulk
from badges_plugin.api import BadgingEvent, Outcome
from badges_plugin.data import LearnerData
from badges_plugin.exceptions import DeferredEvent, IgnoredEvent
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, Learner
from badges_plugin.processing import learners
from badges_plugin.ruleset import current_ruleset
from badges_plugin.signals import badges_awarded
from tests.core.conftest import Heard
from tests.factories import (
    PASSING,
    at,
    make_template,
    make_user,
    metadata,
    passing_data,
    penalizes_failing,
    requires_course,
    user_data,
)
from tests.limits import Lower

pytestmark = pytest.mark.django_db

COURSE = "course-v1:Batch+1+1"


def event(user: Any, minute: float = 0, *, course: str = COURSE, is_passing: bool = True) -> BadgingEvent:
    stamp = metadata(time=at(minute))
    return api.read_event(
        PASSING, stamp, {"course_passing_status": passing_data(user_data(user), course, is_passing=is_passing)}
    )


def of_unknown(number: int, minute: float = 0) -> BadgingEvent:
    who = LearnerData(1000 + number, f"unknown{number}", f"unknown{number}@example.org", "Una Known", is_active=True)
    return replace(event(None, minute), learner=who)


@pytest.fixture
def template() -> BadgeTemplate:
    template = make_template()
    penalizes_failing(template, requires_course(template, COURSE), COURSE)
    return template


def ends(template: BadgeTemplate) -> list[tuple[int, int, bool]]:
    awards = BadgeAward.objects.filter(progress__template=template).order_by("progress__user", "number")
    return [(award.progress.user_id, award.number, award.revoked_at is None) for award in awards]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_several_events_of_a_learner_end_and_are_announced_as_one_by_one(
    template: BadgeTemplate, heard: Heard, size: int
) -> None:
    """What was earned, lost and earned again was awarded twice, in whatever batches the events come."""
    users = [make_user() for _ in range(2)]
    events = [event(user, minute, is_passing=minute != 1) for minute in range(3) for user in users]
    for start in range(0, len(events), size):
        outcomes = api.process_batch(events[start : start + size])
        assert set(outcomes) == {Outcome.APPLIED}
    assert ends(template) == [(user.pk, number, number == 2) for user in users for number in (1, 2)]
    assert (len(heard.awarded), len(heard.revoked)) == (4, 2)


def test_the_same_event_twice_in_a_batch_is_a_repetition(template: BadgeTemplate, heard: Heard) -> None:
    once = event(make_user())
    assert api.process_batch([once, once]) == [Outcome.APPLIED, Outcome.REPEATED]
    assert len(heard.awarded) == 1


def test_an_older_event_that_comes_later_in_a_batch_changes_nothing(template: BadgeTemplate, heard: Heard) -> None:
    user = make_user()
    assert api.process_batch([event(user, 5, is_passing=False), event(user, 1)]) == [Outcome.APPLIED, Outcome.REPEATED]
    assert not heard.awarded


def test_one_learner_by_id_and_by_name_is_one_learner(template: BadgeTemplate, heard: Heard) -> None:
    user = make_user(lms_user_id=77)
    whole = event(user)
    by_id = replace(event(user, 1), learner=LearnerData(77, "", "", "", is_active=True))
    by_name = replace(event(user, 2), learner=LearnerData(None, user.username, "", "", is_active=True))
    assert api.process_batch([by_id, by_name, whole, whole]) == [*[Outcome.APPLIED] * 3, Outcome.REPEATED]
    assert ends(template) == [(user.pk, 1, True)]


def test_no_event_overtakes_an_earlier_one_of_the_same_learner_by_another_description(template: BadgeTemplate) -> None:
    """By name alone nobody knows before the look-up whose event it is."""
    user = make_user(lms_user_id=77)
    named = LearnerData(None, user.username, "", "", is_active=True)
    retired = LearnerData(77, "retired__user_0123", "", "", is_active=True)
    first, second = (replace(event(user, minute, is_passing=minute > 1), learner=named) for minute in (1, 2))
    last = replace(event(user, 9), learner=retired)
    *applied, ignored = api.process_batch([first, second, last])
    assert applied == [Outcome.APPLIED] * 2
    assert isinstance(ignored, IgnoredEvent)
    assert ends(template) == [(user.pk, 1, True)]


def test_a_retirement_in_a_batch_holds_for_later_events_by_another_description(template: BadgeTemplate) -> None:
    user = make_user(lms_user_id=77)
    retired = replace(event(user, 9), learner=LearnerData(77, "retired__user_0123", "", "", is_active=True))
    named = replace(event(user, 1), learner=LearnerData(None, user.username, "", "", is_active=True))
    assert all(isinstance(outcome, IgnoredEvent) for outcome in api.process_batch([retired, named]))
    assert not BadgeAward.objects.exists()


def test_learners_whose_names_differ_in_case_alone_share_no_transaction(template: BadgeTemplate) -> None:
    """Some databases take their names for the same."""
    lower, upper = of_unknown(1), of_unknown(2)
    upper = replace(upper, learner=replace(upper.learner, username=lower.learner.username.upper()))
    first, second = api.process_batch([lower, upper])
    assert first is Outcome.APPLIED
    assert isinstance(second, DeferredEvent) or User.objects.filter(lms_user_id=1002).exists()


def test_names_that_only_the_database_takes_for_the_same_do_not_stop_a_batch(
    template: BadgeTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so when it refuses them together: then each learner is applied alone."""
    insert = bulk.insert

    def refuse_together(rows: Sequence[Any], *, by: Sequence[str]) -> None:
        if list(by) == ["username"] and len(rows) > 1:
            raise IntegrityError("Duplicate entry")
        insert(rows, by=by)

    monkeypatch.setattr(bulk, "insert", refuse_together)
    assert api.process_batch([of_unknown(number) for number in range(3)]) == [Outcome.APPLIED] * 3
    assert len(ends(template)) == 3
    histories = api.process_histories([[of_unknown(number)] for number in (3, 4)])
    assert [changes.awarded for changes in histories] == [(template.pk,)] * 2


@pytest.mark.parametrize("names", [("さくら", "サクラ"), ("søren", "soren"), ("zoe", "zo\u00ade"), ("\u0131lk", "ilk")])
@pytest.mark.parametrize("is_known", [False, True])
def test_names_that_some_databases_take_for_the_same(
    template: BadgeTemplate, names: tuple[str, str], *, is_known: bool
) -> None:
    first, second = (
        replace(each, learner=replace(each.learner, username=name))
        for each, name in zip((of_unknown(1), of_unknown(2)), names, strict=True)
    )
    if is_known:
        make_user(username=names[0], lms_user_id=1001)
    one, other = api.process_batch([first, second])
    assert one is Outcome.APPLIED
    assert isinstance(other, DeferredEvent) or User.objects.filter(lms_user_id=1002).exists()


def test_two_learners_who_turn_out_to_be_one_are_applied_one_after_the_other(
    template: BadgeTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look-up and the lock, another app has written down which LMS user a user is."""
    user = make_user(lms_user_id=None)
    by_name = replace(event(user), learner=LearnerData(None, user.username, "", "", is_active=True))
    by_id = replace(event(user, 1), learner=LearnerData(77, "", "", "", is_active=True))
    find_many = learners.find_many

    def find_then_identify(people: Sequence[LearnerData], **options: Any) -> Any:
        found = find_many(people, **options)
        User.objects.filter(pk=user.pk).update(lms_user_id=77)
        return found

    monkeypatch.setattr(learners, "find_many", find_then_identify)
    assert api.process_batch([by_name, by_id]) == [Outcome.APPLIED] * 2
    assert ends(template) == [(user.pk, 1, True)]


def test_a_user_whose_name_is_written_in_another_way_is_found_in_a_batch(template: BadgeTemplate) -> None:
    of_the_host = set(User.objects.values_list("username", flat=True))
    users = [make_user(username=name, lms_user_id=None) for name in ("Ada", "Bea")]
    events = [event(user) for user in users]
    odd = replace(events[0], learner=replace(events[0].learner, username="ada", lms_user_id=None))
    alone = api.process_batch([odd])
    api.process_batch([odd, events[1]])
    names = set(User.objects.values_list("username", flat=True)) - of_the_host
    # As the database compares names: one user or two, the same as by itself.
    assert alone == [Outcome.APPLIED]
    assert Learner.objects.count() == 2
    assert names in ({"Ada", "Bea"}, {"Ada", "Bea", "ada"})


def test_new_learners_of_a_batch_become_users_with_their_profiles(template: BadgeTemplate, heard: Heard) -> None:
    assert set(api.process_batch([of_unknown(number) for number in range(5)])) == {Outcome.APPLIED}
    users = User.objects.filter(lms_user_id__isnull=False).order_by("lms_user_id")
    assert [user.lms_user_id for user in users] == [1000, 1001, 1002, 1003, 1004]
    assert {(user.full_name, user.has_usable_password()) for user in users} == {("Una Known", False)}
    assert len({user.email for user in users}) == len(heard.awarded) == 5


def test_more_learners_than_a_transaction_takes(template: BadgeTemplate, heard: Heard, lower: Lower) -> None:
    lower("badges_plugin.processing.pipeline", BATCH_LEARNERS=2)
    assert api.process_batch([of_unknown(number) for number in range(5)]) == [Outcome.APPLIED] * 5
    assert len(heard.awarded) == 5


def test_a_transaction_is_about_a_limited_number_of_badges(template: BadgeTemplate, heard: Heard, lower: Lower) -> None:
    """Events that award hundreds of badges each must not hold the locks of a hundred learners for a minute."""
    others = [make_template() for _ in range(2)]
    for other in others:
        requires_course(other, COURSE)
    lower("badges_plugin.processing.pipeline", BATCH_BADGES=7)
    sizes: list[int] = []

    def count(awards: Sequence[BadgeAward], **kwargs: Any) -> None:
        sizes.append(len(awards))

    badges_awarded.connect(count)
    try:
        assert api.process_batch([of_unknown(number) for number in range(5)]) == [Outcome.APPLIED] * 5
    finally:
        badges_awarded.disconnect(count)
    assert sizes == [6, 6, 3]
    lower("badges_plugin.processing.pipeline", BATCH_BADGES=2)
    assert api.process_event(of_unknown(6)) is Outcome.APPLIED


Make = Callable[[int], Sequence[BadgingEvent]]


def _unmatched(size: int) -> Sequence[BadgingEvent]:
    return [event(make_user(), course="course-v1:No+Badge+1") for _ in range(size)]


def _unknown(size: int) -> Sequence[BadgingEvent]:
    return [of_unknown(size * 1000 + number) for number in range(size)]


def _known_to_credentials(size: int) -> Sequence[BadgingEvent]:
    return [event(make_user()) for _ in range(size)]


def _applied(size: int) -> list[BadgingEvent]:
    events = [event(make_user()) for _ in range(size)]
    api.process_batch(events)
    return events


def _newer(size: int) -> Sequence[BadgingEvent]:
    return [replace(each, stamp=replace(each.stamp, time=at(9), id=uuid.uuid1())) for each in _applied(size)]


@pytest.mark.parametrize(
    ("make", "at_most"),
    [(_unmatched, 1), (_applied, 3), (_newer, 13), (_known_to_credentials, 18), (_unknown, 20)],
)
def test_statements_do_not_grow_with_the_batch(template: BadgeTemplate, make: Make, at_most: int) -> None:
    ContentType.objects.get_for_model(BadgeTemplate)
    current_ruleset()
    costs = []
    for size in (3, 30):
        events = make(size)
        with CaptureQueriesContext(connection) as queries:
            api.process_batch(events)
        costs.append(len(queries))
    assert costs[0] == costs[1]
    assert costs[0] <= at_most


# --- Histories


def test_histories_of_many_learners_are_applied_together(template: BadgeTemplate) -> None:
    users = [make_user() for _ in range(3)]
    histories = [[event(user, minute, is_passing=minute != 1) for minute in (2, 0, 1)] for user in users]
    rehearsal = api.process_histories(histories, dry_run=True)
    assert not BadgeProgress.objects.exists()
    assert rehearsal == api.process_histories(histories)
    assert [changes.awarded for changes in rehearsal] == [(template.pk,)] * 3
    assert len(ends(template)) == 3
    assert all(changes.is_repeated for changes in api.process_histories(histories))


def test_two_histories_of_one_learner_end_as_one(template: BadgeTemplate) -> None:
    user = make_user(lms_user_id=77)
    by_id = replace(event(user), learner=LearnerData(77, "", "", "", is_active=True))
    by_name = replace(event(user, 1), learner=LearnerData(None, user.username, "", "", is_active=True))
    first, second = api.process_histories([[by_id], [by_name]])
    assert (first.awarded, second.awarded) == ((template.pk,), ())
    assert ends(template) == [(user.pk, 1, True)]


def test_histories_fail_together(template: BadgeTemplate) -> None:
    poison = replace(of_unknown(2), learner=replace(of_unknown(2).learner, name="x" * 300))
    if connection.vendor == "sqlite":
        pytest.skip("SQLite does not refuse a text that is too long")
    with pytest.raises(Exception, match=r"(?i)too long"):
        api.process_histories([[of_unknown(1)], [poison]])
    assert not User.objects.filter(lms_user_id__gte=1000).exists()


def test_nothing_to_do() -> None:
    assert (api.process_batch([]), api.process_histories([])) == ([], [])
