"""Lists of tables with millions of rows: what they leave out, and that they say so."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from badges_plugin import counting
from badges_plugin.admin import badge_filter, large
from badges_plugin.admin.large import LargePaginator
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeProgress, FailedEvent
from tests.core.admin_pages import errors, staff, text, url
from tests.factories import make_template, make_user, requires_course, send_passing
from tests.limits import Lower

pytestmark = pytest.mark.django_db
NAMES = ("ann", "anna", "bob", "cid", "dora")


@pytest.fixture
def client() -> Client:
    template = make_template(name="Python")
    requires_course(template)
    for name in NAMES:
        send_passing(make_user(username=name, full_name=f"{name.title()} Doe", email=f"{name}@example.org"))
    return staff(superuser=True)


@pytest.fixture
def small(lower: Lower) -> None:
    """Let three rows be many."""
    lower(large, MOST=3)
    lower(large, LARGE=3)
    lower(large, FIRST_SPAN=1)


def listed(response: Any) -> list[str]:
    return [row.user.get_username() for row in response.context["cl"].result_list]


@pytest.mark.usefixtures("small")
def test_a_list_of_too_many_rows_is_cut_and_says_so(client: Client) -> None:
    page = client.get(url("badgeprogress"))
    assert "More than 3 rows. Search or filter to see others." in text(page)
    assert listed(page) == ["dora", "cid", "bob"]
    one = client.get(url("badgeprogress"), {"q": "bob"})
    assert "More than" not in text(one)
    assert listed(one) == ["bob"]


@pytest.mark.usefixtures("small")
def test_pages_of_a_cut_list_follow_one_another(client: Client, lower: Lower) -> None:
    from django.contrib import admin

    lower(admin.site._registry[BadgeProgress], list_per_page=2)
    assert listed(client.get(url("badgeprogress"))) == ["dora", "cid"]
    assert listed(client.get(url("badgeprogress"), {"p": 2})) == ["bob", "anna"]
    assert client.get(url("badgeprogress"), {"p": 3}).status_code == 302


@pytest.mark.usefixtures("small")
def test_only_a_list_that_is_not_cut_is_sorted(client: Client) -> None:
    page = client.get(url("badgeprogress"), {"o": "1"})
    assert "too many to be sorted" in errors(page)
    assert listed(page) == ["dora", "cid", "bob"]
    few = client.get(url("badgeprogress"), {"o": "1", "q": "ann"})
    assert "too many" not in errors(few)
    assert listed(few) == ["ann", "anna"]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ann", {"ann", "anna"}),  # the beginning of user names
        ("ANNA", {"anna"}),
        ("dora d", {"dora"}),  # of full names
        ("cid@example.org", {"cid"}),
        ("ANN@example.org", {"ann"}),  # the oldest, in the last span of users
        ("cid@example", set()),
        ("doe", set()),  # a part that is no beginning: there is no index for it
        ("python", {"dora", "cid", "bob"}),  # a badge; the list is cut
        ("%", set()),
        ("nobody", set()),
    ],
)
def test_a_large_table_is_searched_for_beginnings(client: Client, query: str, found: set[str]) -> None:
    page = client.get(url("badgeaward"), {"q": query})
    assert {each.user.get_username() for each in page.context["cl"].result_list} == found


@pytest.mark.usefixtures("small")
def test_a_search_that_finds_too_many_learners_says_so(client: Client, lower: Lower) -> None:
    lower(large, MOST_PEOPLE=1)
    page = client.get(url("badgeprogress"), {"q": "ann"})
    assert "More than 1 learners were found." in errors(page)
    assert "Type the beginning" in text(page)
    assert len(listed(page)) == 1


@pytest.mark.usefixtures("small")
def test_an_action_on_rows_that_nobody_has_counted_is_refused(client: Client) -> None:
    for number in range(5):
        FailedEvent.objects.create(fingerprint=str(number), topic="t", position=f"0:{number}")
    pk = FailedEvent.objects.order_by("pk")[0].pk
    chosen = {"action": "dismiss", "_selected_action": [pk], "select_across": "1"}
    page = client.post(url("failedevent"), chosen, follow=True)
    assert "Select at most 3 rows at once." in errors(page)
    assert not FailedEvent.objects.filter(state=FailedEvent.State.DISMISSED).exists()
    assert "1 event was dismissed" in errors(
        client.post(url("failedevent"), {**chosen, "select_across": "0"}, follow=True)
    )


@pytest.mark.parametrize(
    ("query", "found"), [("0:2", ["0:2"]), ("an er", ["0:3"]), ("error", []), ("0:", ["0:4", "0:3"])]
)
@pytest.mark.usefixtures("small")
def test_failed_events_are_searched_for_beginnings(query: str, found: list[str]) -> None:
    for number in range(5):
        reason = "An error" if number == 3 else "Something"
        FailedEvent.objects.create(fingerprint=str(number), topic="t", position=f"0:{number}", reason=reason)
    page = staff("view_failedevent").get(url("failedevent"), {"q": query})
    assert [row.position for row in page.context["cl"].result_list][:2] == found


def test_what_is_counted_for_people_is_counted_up_to_a_bound(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1) as queries:
        assert counting.count_up_to(BadgeAward.objects.all(), 3) == 4
    assert "LIMIT 4" in queries.captured_queries[0]["sql"]
    assert counting.count_up_to(BadgeAward.objects.all(), 5) == 5
    assert (counting.in_words(4, 3), counting.in_words(3, 3)) == ("more than 3", "3")


def test_of_many_templates_a_filter_suggests_the_first_and_finds_each(client: Client, lower: Lower) -> None:
    lower(badge_filter, MOST_SUGGESTED=1)
    other = make_template(name="Zoology")
    page = client.get(url("badgeprogress"), {"template__id__exact": str(other.pk), "q": "ann", "p": "1"})
    assert '<option value="Python">' in page.content.decode()
    assert '<option value="Zoology">' not in page.content.decode()
    assert 'value="Zoology"' in page.content.decode()
    assert page.context["cl"].filter_specs[1].kept == [("q", "ann")]
    assert listed(page) == []
    assert client.get(url("badgeprogress"), {"template__id__exact": "9" * 30}).status_code == 200


@pytest.mark.parametrize(
    ("typed", "found"), [("python", 5), ("PYTH", 5), (" Python ", 5), ("zoology", 1), ("o", 6), ("none", 0), ("", 6)]
)
def test_progress_is_filtered_by_the_name_of_a_badge_or_a_part_of_it(client: Client, typed: str, found: int) -> None:
    BadgeProgress.objects.create(user=make_user(), template=make_template(name="Zoology"))
    page = client.get(url("badgeprogress"), {"badge_name": typed})
    assert page.context["cl"].result_count == found


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(("badge", "found"), [("held", ["dora", "bob"]), ("revoked", ["cid"]), ("never", [])])
def test_what_became_of_progress_is_looked_up_for_the_newest(client: Client, badge: str, found: list[str]) -> None:
    award = BadgeAward.objects.get(progress__user__username="cid")
    BadgeAward.objects.filter(pk=award.pk).update(revoked_at=award.awarded_at)
    page = client.get(url("badgeprogress"), {"badge": badge})
    assert listed(page) == found
    assert "the newest 3 rows only" in errors(page)


@pytest.mark.usefixtures("small")
def test_the_newest_rows_that_a_filter_leaves_may_be_old_and_many() -> None:
    User.objects.bulk_create(User(username=f"old {number:03}") for number in range(100))
    User.objects.bulk_create(User(username=f"new {number:03}") for number in range(300))
    paginator = LargePaginator(User.objects.filter(username__startswith="old").order_by("-id"), 2)
    with CaptureQueriesContext(connection) as captured:
        assert [user.username for user in paginator.page(1)] == ["old 099", "old 098"]
    spans = [each["sql"] for each in captured.captured_queries if ">" in each["sql"]]
    assert spans
    assert all("LIMIT 4" in sql for sql in spans)  # never all of them


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("query", "found"), [({"q": "ann"}, ["anna", "ann"]), ({"q": "ann", "o": "1"}, ["ann", "anna"]), ({}, ["anna"])]
)
def test_what_became_of_progress_is_looked_up_among_what_else_is_wanted(
    client: Client, query: dict[str, str], found: list[str]
) -> None:
    python = BadgeProgress.objects.get(user__username="anna").template
    for number in range(4):
        BadgeProgress.objects.create(user=make_user(), template=make_template(name=f"Other {number}"))
    gone = BadgeAward.objects.filter(progress__user__username__in=("bob", "cid", "dora"))
    BadgeProgress.objects.filter(awards__in=list(gone)).delete()
    if not query:  # of the newest three of this badge, two do not have it
        query = {"template__id__exact": str(python.pk)}
        for _ in range(2):
            BadgeProgress.objects.create(user=make_user(), template=python)
    page = client.get(url("badgeprogress"), {"badge": "held", **query})
    assert listed(page) == found


def test_the_page_of_a_learner_reads_the_facts_once(client: Client) -> None:
    progress = BadgeProgress.objects.get(user__username="ann")
    address = url("badgeprogress", "change", progress.pk)
    counts = []
    for number in range(3):
        with CaptureQueriesContext(connection) as captured:
            assert f"{number + 1} of {number + 1}" in text(client.get(address))
        counts.append(len(captured))
        course = f"course-v1:Another+{number}+1"
        requires_course(progress.template, course)
        send_passing(progress.user, course=course)
    assert counts[2] == counts[1]  # the first one fills caches
