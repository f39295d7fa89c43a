"""Who is nearly there: learners who lack one thing, in the list of progress."""

from __future__ import annotations

from typing import Any

import pytest

from badges_plugin import reading
from badges_plugin.admin import nearly
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate
from tests.core.admin_pages import errors, staff, url
from tests.factories import PASSING, make_template, make_user, requires, requires_course, send_passing
from tests.limits import Lower

pytestmark = pytest.mark.django_db

COURSES = tuple(f"course-v1:Demo+{name}+1" for name in "abcd")


def both(template: BadgeTemplate) -> None:
    for course in COURSES[:2]:
        requires_course(template, course)


def three(template: BadgeTemplate) -> None:
    for course in COURSES[:3]:
        requires_course(template, course)


def any_two_of_three(template: BadgeTemplate) -> None:
    for course in COURSES[:3]:
        group = requires_course(template, course, group="some").group
    assert group is not None
    group.needed = 2
    group.save()


def three_different(template: BadgeTemplate) -> None:
    requires(template, ("is_passing", "eq", "true"), event_type=PASSING, count=3, counted_by="course.course_key")


def one_and_two_different(template: BadgeTemplate) -> None:
    requires_course(template, COURSES[3])
    requires(template, ("is_passing", "eq", "true"), event_type=PASSING, count=2, counted_by="course.course_key")


@pytest.mark.parametrize(
    ("asks", "passed", "is_nearly"),
    [
        (both, 1, True),
        (both, 2, False),  # done
        (three, 1, False),  # lacks two
        (three, 2, True),
        (any_two_of_three, 1, True),
        (three_different, 1, False),
        (three_different, 2, True),
        (one_and_two_different, 1, False),  # one of two, and the course
        (one_and_two_different, 2, True),
    ],
)
def test_who_lacks_one_thing_is_nearly_there(asks: Any, passed: int, is_nearly: bool) -> None:
    template = make_template()
    asks(template)
    learner = make_user()
    for minute, course in enumerate(COURSES[:passed]):
        send_passing(learner, course, minute=minute)
    progress = BadgeProgress.objects.get()
    assert reading.nearly_there([progress.pk]) == ({progress.pk} if is_nearly else set())


def test_who_failed_what_they_need_has_done_nothing() -> None:
    template = make_template()
    both(template)
    learner = make_user()
    send_passing(learner, COURSES[0])
    send_passing(learner, COURSES[0], is_passing=False, minute=1)
    progress = BadgeProgress.objects.get()
    progress.fulfillments.update(is_fulfilled=False)
    assert reading.nearly_there([progress.pk]) == set()


@pytest.fixture
def world() -> BadgeTemplate:
    """Of a badge for three courses: ann lacks two, bob and bea lack one, cid has it."""
    template = make_template(name="Python")
    three(template)
    for name, passed in (("ann", 1), ("bob", 2), ("bea", 2), ("cid", 3)):
        learner = make_user(username=name)
        for minute, course in enumerate(COURSES[:passed]):
            send_passing(learner, course, minute=minute)
    assert BadgeAward.objects.count() == 1
    return template


def listed(page: Any) -> list[str]:
    return [row.user.get_username() for row in page.context["cl"].result_list]


def test_the_list_of_progress_is_filtered_and_sorted_by_it(world: BadgeTemplate) -> None:
    client = staff(superuser=True)
    assert set(listed(client.get(url("badgeprogress"), {"badge": "nearly"}))) == {"bob", "bea"}
    assert listed(client.get(url("badgeprogress"), {"badge": "nearly", "q": "bea"})) == ["bea"]
    column = str(list(client.get(url("badgeprogress")).context["cl"].list_display).index("fulfilled"))
    assert listed(client.get(url("badgeprogress"), {"o": f"-{column}"}))[::3] == ["cid", "ann"]
    world.is_active = False
    world.save()
    assert listed(client.get(url("badgeprogress"), {"badge": "nearly"})) == []


@pytest.mark.usefixtures("world")
def test_it_is_decided_of_the_newest_and_the_page_says_so(lower: Lower) -> None:
    lower(nearly, MOST_DECIDED=1)
    page = staff(superuser=True).get(url("badgeprogress"), {"badge": "nearly"})
    assert listed(page) == ["bea"]
    assert "Only the newest 1 learners" in errors(page)


@pytest.mark.usefixtures("world")
def test_it_is_decided_with_a_fixed_number_of_queries(django_assert_max_num_queries: Any) -> None:
    keys = list(BadgeProgress.objects.order_by("pk").values_list("pk", flat=True))
    with django_assert_max_num_queries(5):
        assert len(reading.nearly_there(keys)) == 2
