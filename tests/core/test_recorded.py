"""What is on record of learners for a badge that is new."""

from __future__ import annotations

import pytest

from badges_plugin.backfill import recorded
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.factories import COURSE, make_template, make_user, penalizes_failing, requires_course, send_passing
from tests.limits import Lower

pytestmark = pytest.mark.django_db


def passed_twice(*, is_lost: bool = True) -> BadgeTemplate:
    """Make a badge for passing twice, which failing takes away unless ``is_lost`` is false."""
    template = make_template()
    requirement = requires_course(template, count=2)
    if is_lost:
        penalizes_failing(template, requirement)
    return BadgeTemplate.objects.prefetch_related(
        "requirements__rules", "requirements__group", "penalties__requirements"
    ).get(pk=template.pk)


@pytest.mark.parametrize(
    ("minutes", "number"),
    [
        ([5, 6], 1),
        ([5, 6, -7], 0),  # the penalty names none of the two, and takes both
        ([5, -6, 7], 0),
        ([5, -6, 7, 8], 1),
    ],
)
def test_a_penalty_that_names_no_value_takes_all_that_is_older(minutes: list[int], number: int) -> None:
    passed_twice(is_lost=False), passed_twice()
    user = make_user()
    for minute in minutes:
        send_passing(user, COURSE, minute=abs(minute), is_passing=minute > 0)
    template = passed_twice()
    assert len(recorded.who_has_done(template).complete) == number
    assert recorded.award_recorded(template, [user.pk]) == number


def test_whose_record_is_too_long_to_be_read_is_left_out(lower: Lower) -> None:
    passed_twice()
    long, *others = [make_user() for _ in range(4)]
    for user in (long, *others):
        for minute in (5, 6):
            send_passing(user, minute=minute)
    send_passing(long, minute=7, is_passing=False)
    for minute in (8, 9):
        send_passing(long, minute=minute)
    template = passed_twice()
    lower(recorded, MOST=2)
    before = BadgeAward.objects.count()
    assert recorded.award_recorded(template, [each.pk for each in (long, *others)]) == 4
    lower(recorded, MOST=1)
    again = passed_twice()
    assert recorded.award_recorded(again, [each.pk for each in (long, *others)]) == 0
    assert BadgeAward.objects.count() == before + 4
