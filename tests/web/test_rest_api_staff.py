"""The REST API for staff: filters, pages of large lists, and what of the retired is still said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from badges_plugin import api, reading
from badges_plugin.host import User
from badges_plugin.models import BadgeAward
from tests.factories import at, staff_who_may
from tests.limits import Lower
from tests.web.api_calls import all_pages, badge, client_of, earn, get, learner, results

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_requests_yet() -> None:
    cache.clear()


@pytest.fixture
def staff() -> Client:
    return client_of(staff_who_may("view_badgeaward", "view_badgeprogress"))


@pytest.fixture
def world() -> dict[str, Any]:
    """Ada holds Logic, lost Algebra and had Art until it expired; Bob holds Logic. A minute lies between them."""
    ada, bob = learner(email="Ada@Example.org"), learner("bob")
    badges = {name: badge(name, f"course-v1:edX+{name}+1", valid_days=3650) for name in ("Logic", "Algebra", "Art")}
    awards = [
        earn(user, badges[name], minute)
        for minute, (user, name) in enumerate([(ada, "Logic"), (ada, "Algebra"), (ada, "Art"), (bob, "Logic")])
    ]
    api.revoke_award(awards[1], reason="By mistake")
    BadgeAward.objects.filter(pk=awards[2].pk).update(expires_at=timezone.now() - timedelta(days=1))
    return {name: str(each.uuid) for name, each in badges.items()}


ALL = ["bob Logic", "ada Art", "ada Algebra", "ada Logic"]


def named(parameters: dict[str, Any], world: dict[str, Any]) -> dict[str, Any]:
    """Name a badge by its UUID."""
    if "badge" not in parameters:
        return parameters
    return {**parameters, "badge": world.get(parameters["badge"], parameters["badge"])}


def told(rows: list[dict[str, Any]]) -> list[str]:
    return [f"{row['learner']['username']} {row['badge']['name']}" for row in rows]


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ALL),
    ({"state": "held"}, ["bob Logic", "ada Logic"]),
    ({"state": "revoked"}, ["ada Algebra"]),
    ({"state": "expired"}, ["ada Art"]),  # the worker has not ended it yet
    ({"learner": "bob"}, ["bob Logic"]),
    ({"learner": "ada@example.org"}, ["ada Art", "ada Algebra", "ada Logic"]),
    ({"learner": "ada@example.org", "state": "held"}, ["ada Logic"]),
    ({"learner": "nobody"}, []),
    ({"learner": "no@body.org"}, []),
    ({"learner": "example.org"}, []),  # nobody shall find addresses out letter by letter
    ({"badge": "Logic"}, ["bob Logic", "ada Logic"]),
    ({"badge": "Logic", "learner": "ada"}, ["ada Logic"]),
    ({"badge": "Logic", "state": "revoked"}, []),
    ({"badge": "00000000-0000-4000-8000-000000000000"}, []),
    ({"awarded_after": at(2)}, ["bob Logic", "ada Art"]),  # from that minute on
    ({"awarded_before": at(2)}, ["ada Algebra", "ada Logic"]),
    ({"awarded_after": "2026-01-01T01:02:00+01:00"}, ["bob Logic", "ada Art"]),
    ({"awarded_after": "2026-01-01", "awarded_before": "2026-01-02"}, ALL),
    ({"awarded_after": "2026-01-02"}, []),
    ({"badge": "Logic", "awarded_after": at(3)}, ["bob Logic"]),
]


def test_filters(world: dict[str, Any], staff: Client) -> None:
    found = [(parameters, told(results(staff, "awards/", **named(parameters, world)))) for parameters, _rows in FILTERS]
    assert found == FILTERS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("badge", "17"),
        ("state", "waiting"),
        ("state", ""),
        ("learner", ""),
        ("learner", "a\0b"),
        ("awarded_after", "yesterday"),
        ("awarded_after", "2026-02-30"),
        ("awarded_before", "0001-01-01T00:00:00+10:00"),
    ],
)
def test_a_wrong_filter_is_named(name: str, value: str, staff: Client) -> None:
    response = get(staff, "awards/", **{name: value})
    assert (response.status_code, list(response.json())) == (400, [name])


def test_pages_hold_every_row_once_however_few_rows_one_looks_through(
    world: dict[str, Any], staff: Client, lower: Lower
) -> None:
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ALL),
        ({"state": "held"}, ["bob Logic", "ada Logic"]),
        ({"state": "expired", "awarded_before": at(3)}, ["ada Art"]),
        ({"badge": "Logic"}, ["bob Logic", "ada Logic"]),
        ({"badge": "Logic", "state": "expired"}, []),
        ({"learner": "ada", "state": "held"}, ["ada Logic"]),
    ]
    for span, size in ((1, 1), (1, 2), (2, 1), (2, 100), (1000, 1), (1000, 2)):
        lower("badges_plugin.reading.lists", SPAN=span)
        for parameters, expected in cases:
            pages = all_pages(staff, "awards/", page_size=size, **named(parameters, world))
            assert told([row for page in pages for row in page]) == expected, (span, size, parameters)
            assert all(len(page) <= size for page in pages)


def test_awards_of_one_badge_that_was_earned_again_are_all_there(staff: Client) -> None:
    ada, logic = learner(), badge()
    first = earn(ada, logic)
    BadgeAward.objects.filter(pk=first.pk).update(number=1)
    for number in (2, 3):
        BadgeAward.objects.create(
            progress=first.progress, number=number, credential=first.credential, awarded_at=at(number), events=[]
        )
    pages = all_pages(staff, "awards/", page_size=1, badge=str(logic.uuid))
    assert [row["number"] for page in pages for row in page] == [3, 2, 1]


def test_awards_of_the_same_instant_are_all_there(staff: Client) -> None:
    logic = badge()
    for name in ("ada", "bob", "eve"):
        earn(learner(name), logic)
    pages = all_pages(staff, "awards/", page_size=1)
    assert sorted(told([row for page in pages for row in page])) == ["ada Logic", "bob Logic", "eve Logic"]


def test_the_cost_is_the_same_for_a_few_rows_and_for_many(staff: Client, lower: Lower) -> None:
    logic = badge()

    def count(**parameters: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            get(staff, "awards/", **parameters)
        assert not any("COUNT(" in each["sql"] for each in captured.captured_queries)
        return len(captured)

    cases: list[dict[str, Any]] = [{}, {"state": "held"}, {"badge": str(logic.uuid)}, {"learner": "u0@example.org"}]
    lower("badges_plugin.reading.lists", SPAN=3)
    earn(learner("u0"), logic)
    count()
    few = [count(**each) for each in cases]
    for number in range(1, 7):
        earn(learner(f"u{number}"), logic)
    assert [count(**each) for each in cases] == few
    assert max(few) <= 14


def test_of_the_retired_nothing_but_the_new_user_name_is_said(staff: Client) -> None:
    ada = learner(email="ada@example.org")
    earn(ada, badge())
    # The LMS replaces the address days before the user name; the service keeps the full name.
    User.objects.filter(pk=ada.pk).update(email="retired__user_1@retired.invalid")
    assert results(staff, "awards/")[0]["learner"] == {"username": "ada", "name": ""}
    User.objects.filter(pk=ada.pk).update(username="retired__user_1", email="ada@example.org")
    assert results(staff, "awards/", learner="ada@example.org") == []
    assert results(staff, "learners/retired__user_1/badges/")[0]["learner"]["name"] == ""


def test_a_learner_is_found_by_odd_names(staff: Client) -> None:
    for name in ("a.b", "a+b", "Zoë", "x@y"):
        earn(learner(name), badge(name, f"course-v1:edX+{len(name)}+{ord(name[0])}{ord(name[1])}"))
        found = results(staff, f"learners/{name.replace('+', '%2B')}/badges/")
        assert told(found) == [f"{name} {name}"]


def test_staff_see_the_progress_of_a_learner(world: dict[str, Any], staff: Client) -> None:
    found = results(staff, "learners/ada/progress/")
    assert sorted((each["badge"]["name"], each["state"]) for each in found) == [
        ("Algebra", "revoked"),
        ("Art", "expired"),
    ]


@pytest.mark.parametrize("limit", [0, 1001])
def test_the_read_side_refuses_senseless_pages(limit: int) -> None:
    wanted = "limit must be between 1 and 1000"
    for call in (
        lambda: reading.list_awards(reading.AwardFilter(), limit=limit),
        lambda: reading.on_the_way([1], limit=limit),
        lambda: reading.active_badges(limit=limit),
    ):
        with pytest.raises(ValueError, match=wanted):
            call()


@pytest.mark.mysql
@pytest.mark.standin
@pytest.mark.django_db(transaction=True)
def test_an_index_serves_each_list_of_a_large_table(staff: Client) -> None:
    from sandbox.bench.tables import fill
    from tests.core.test_query_plans import ROWS, faults

    template = fill(ROWS, fulfillments=1)
    broken = {}
    for parameters in (
        {},
        {"state": "held"},
        {"state": "revoked"},
        {"badge": str(template.uuid)},
        {"badge": str(template.uuid), "state": "expired"},
        {"awarded_after": at(0)},
        {"learner": User.objects.order_by("-pk")[5].username},
    ):
        with CaptureQueriesContext(connection) as captured:
            assert get(staff, "awards/", **parameters).status_code == 200
        asked = [each["sql"] for each in captured.captured_queries if each["sql"].startswith("SELECT")]
        if found := faults(asked):
            broken[str(parameters)] = found
    assert not broken
