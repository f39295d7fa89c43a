"""The front page of the admin: one heading for badges, in the order of work, with what needs attention."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badges_plugin import api, counting, host, vitals
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, ConsumerGroup, FailedEvent, PartitionLag, RunningProcess
from badges_plugin.web.desk import finding
from badges_plugin.web.desk.badge import permitted
from badges_plugin.web.desk.front import figures, heading
from badges_plugin.web.desk.front.heading import OneHeading
from tests.core.admin_pages import staff, text, url
from tests.factories import EPOCH, make_template, make_user, penalizes, requires_course, send_passing, staff_who_may
from tests.limits import Lower

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _counted_anew() -> Iterator[None]:
    cache.delete(figures.KEY)
    yield
    cache.delete(figures.KEY)


@pytest.fixture
def front() -> Client:
    return staff(superuser=True)


def who_may(*codenames: str) -> Client:
    client = Client()
    client.force_login(staff_who_may(*codenames))
    return client


def headings(page: Any) -> list[Any]:
    return list(page.context["app_list"])


def names(page: Any) -> list[str]:
    return [entry.link.name for entry in headings(page)[0]["entries_of_badges"].rows()]


def row(page: Any, name: str) -> Any:
    return next(each for each in headings(page)[0]["entries_of_badges"].rows() if each.link.name == name)


def test_all_of_badges_is_below_one_heading_in_the_order_of_work(front: Client) -> None:
    page = front.get(reverse("admin:index"))
    ours = [each for each in headings(page) if each["name"] == "Badges"]
    assert len(ours) == 1
    assert not [
        each for each in headings(page)[1:] for model in each["models"] if "badges" in model["model"].__module__
    ]
    wanted = ["Badges", "Progress", "Awards", "Deliveries", "Failed events", "Providers", "Rules", "Mails and pages"]
    assert [name for name in names(page) if name in wanted] == wanted
    listed = [str(model["name"]) for model in ours[0]["models"]]
    order = ["Badges", "Learners", "Progress", "Awards", "Deliveries", "Failed events", "Numbers", "Badge requirements"]
    assert [name for name in listed if name in order] == order
    # Every page of ours is reached from the front, under some entry.
    linked = {link.url for entry in ours[0]["entries_of_badges"].rows() for link in (entry.link, *entry.links)}
    assert {model["admin_url"] for model in ours[0]["models"]} <= linked


@pytest.mark.parametrize(
    ("permissions", "shown"),
    [
        (("view_badgeaward",), ["Awards"]),
        (("view_failedevent", "change_badgetemplate"), ["Badges", "Failed events"]),
        (("view_badgerequirement", "view_mailtext"), ["Rules", "Mails and pages"]),
        (("view_credlybadgetemplate",), ["Badges"]),
        ((), []),
    ],
)
def test_a_person_sees_the_entries_that_they_may_open(permissions: tuple[str, ...], shown: list[str]) -> None:
    page = who_may("view_site", *permissions).get(reverse("admin:index"))
    ours = headings(page)[0]
    assert (
        [name for name in names(page) if name not in ("Learners", "Numbers")] == shown
        if shown
        else (ours["app_label"] == "sites")
    )


IN_WORDS, BY_ROWS = "badges_web:desk_new_badge", "admin:badges_plugin_badgetemplate_add"


@pytest.mark.parametrize(
    ("permissions", "name"), [(permitted.MAY_ADD, IN_WORDS), (("badges_plugin.add_badgetemplate",), BY_ROWS)]
)
def test_add_leads_to_one_page_from_the_front_the_bar_and_the_list(permissions: tuple[str, ...], name: str) -> None:
    client = who_may("view_badgetemplate", *(each.partition(".")[2] for each in permissions))
    for page in ("admin:index", "admin:badges_plugin_badgetemplate_changelist"):
        found = re.findall(r'href="([^"?]+)[^"]*" class="addlink"', client.get(reverse(page)).content.decode())
        assert set(found) & {reverse(IN_WORDS), reverse(BY_ROWS)} == {reverse(name)}, page


def test_who_may_add_badges_is_offered_to(front: Client) -> None:
    assert row(front.get(reverse("admin:index")), "Badges").add is not None
    viewer = who_may("view_badgetemplate").get(reverse("admin:index"))
    assert row(viewer, "Badges").add is None
    assert "addlink" not in viewer.content.decode()


def test_the_entries_tell_how_much_there_is_and_what_needs_somebody(front: Client) -> None:
    template = make_template(name="Python")
    requires_course(template)
    make_template(is_active=False)
    send_passing(make_user())
    award = BadgeAward.objects.get()
    BadgeAward.objects.update(awarded_at=timezone.now() - timedelta(days=1))
    open_one = Channel.objects.create(backend="fake", account="a")
    paused = Channel.objects.create(backend="fake", account="b", paused_reason="Key rejected.")
    for backend, channel, state in (("x", open_one, "pending"), ("y", paused, "pending"), ("z", open_one, "failed")):
        Delivery.objects.create(award=award, backend=backend, channel=channel, action="issue", state=state)
    for number, due in enumerate((None, None, timezone.now())):
        FailedEvent.objects.create(fingerprint=str(number), retry_at=due)
    page = front.get(reverse("admin:index"))
    assert row(page, "Badges").figure == "1 active, 1 draft."
    assert row(page, "Awards").figure == "1 held."
    assert row(page, "Deliveries").figure == "1 waiting. 1 on hold."
    attention = {name: row(page, name).attention for name in ("Deliveries", "Failed events", "Providers", "Awards")}
    assert attention["Deliveries"].text == "1 needs you"
    assert front.get(attention["Deliveries"].url).context["cl"].result_count == 1
    assert attention["Failed events"].text == "2 need you"
    assert attention["Providers"].text == "1 account is on hold"
    assert attention["Awards"] is None
    shown = text(page)
    assert "Who has which badge, since when, and why no longer. 1 held." in shown
    assert "2 need you" in shown


def test_drafts_that_ask_for_the_impossible_are_told(front: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(3):
        template = make_template(name=f"Wrong {number}", is_active=False)
        penalizes(template, [], ("is_passing", "eq", "false"))
    requires_course(make_template(name="Fine", is_active=False))
    make_template(name="Begun", is_active=False)  # nothing is asked for yet
    make_template(name="Of a provider", origin="credly", is_active=False)
    with django_assert_max_num_queries(12):
        assert len(api.drafts_with_problems()) == 3
    badges = row(front.get(reverse("admin:index")), "Badges")
    assert badges.figure == "0 active, 5 drafts, 1 inactive."
    assert (badges.attention.text, badges.attention.is_bad) == ("3 drafts have a problem", False)
    shown = front.get(badges.attention.url).context["cl"].result_list
    assert {each.name for each in shown} == {"Wrong 0", "Wrong 1", "Wrong 2"}
    assert front.get(f"{url('badgetemplate')}?drafts=all").context["cl"].result_count == 5


@pytest.mark.parametrize(
    ("days", "forget", "number"),
    [
        pytest.param((20, 10), False, 1, id="passed again since it was revoked"),
        pytest.param((20,), False, 0, id="nothing came since"),
        pytest.param((100, 90), False, 0, id="long ago: whoever revoked it has seen it"),
        pytest.param((20, 10), True, 0, id="forgotten, so earned anew"),
    ],
)
def test_awards_to_check_were_revoked_and_earned_again(
    front: Client, days: tuple[int, ...], forget: bool, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    user, template = make_user(), make_template()
    requires_course(template)

    def passes(days_ago: int) -> None:
        send_passing(user, minute=(now - timedelta(days=days_ago) - EPOCH) / timedelta(minutes=1))

    passes(days[0])
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: now - timedelta(days=days[0] - 1))
        api.revoke_award(BadgeAward.objects.get(), reason="Copied", forget=forget)
    for day in days[1:]:
        passes(day)
    cache.delete(figures.KEY)
    attention = row(front.get(reverse("admin:index")), "Awards").attention
    shown = front.get(f"{url('badgeaward')}?state=check")
    assert shown.context["cl"].result_count == number
    assert (attention.text if attention else None) == (f"{number} to check" if number else None)
    if number:
        assert front.get(attention.url).context["cl"].result_count == number


def test_nothing_to_tell_is_not_told_as_zero(front: Client) -> None:
    page = front.get(reverse("admin:index"))
    assert row(page, "Badges").figure == "No badge yet. Make the first one."
    assert [row(page, name).figure for name in ("Awards", "Deliveries")] == ["", ""]
    assert not [name for name in names(page) if row(page, name).attention]


def test_numbers_are_counted_once_a_minute_and_only_for_the_front_page(
    front: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = []
    count = figures.count

    def counting() -> Any:
        counted.append(1)
        return count()

    monkeypatch.setattr(figures, "count", counting)
    front.get(url("badgeaward"))
    assert not counted
    for _ in range(2):
        front.get(reverse("admin:index"))
    assert len(counted) == 1


def test_a_number_that_cannot_be_counted_is_left_out(
    front: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column FROM badges_plugin_badgeaward")
        return 1

    monkeypatch.setitem(figures._COUNTED, "held awards", refused)
    make_template()
    page = front.get(reverse("admin:index"))
    assert row(page, "Awards").figure == ""
    assert row(page, "Badges").figure == "1 active."
    assert "without the number of held awards" in caplog.text


def test_no_table_is_counted_beyond_a_bound() -> None:
    with CaptureQueriesContext(connection) as captured:
        assert len(figures.count()) == len(figures._COUNTED) + sum(map(len, figures._MEASURED))
    asked = [each["sql"] for each in captured.captured_queries if "COUNT(" in each["sql"]]
    counts = [sql for sql in asked if "runningprocess" not in sql]  # which has a row for each process of a month
    assert len(counts) >= 5
    assert all(f"LIMIT {counting.MOST + 1}" in sql for sql in counts)


def test_the_page_of_each_of_our_apps_is_the_heading(front: Client) -> None:
    for label in ("badges_plugin", "badges_distribution", "badges_web"):
        page = front.get(reverse("admin:app_list", args=(label,)))
        assert [each["name"] for each in headings(page)] == ["Badges"]
        assert "Who has which badge" in text(page)
    assert "Badges" not in [each["name"] for each in headings(front.get(reverse("admin:app_list", args=("sites",))))]


def test_the_heading_is_put_there_once() -> None:
    inner = admin.site.get_app_list
    assert isinstance(inner, OneHeading)
    heading.gather(admin.site)
    assert admin.site.get_app_list is inner


def test_the_built_in_app_has_another_heading_while_it_is_kept() -> None:
    def listed(request: Any, app_label: str | None = None) -> list[Any]:
        return [{"app_label": "badges", "name": "Badges", "models": []}, {"app_label": "core", "name": "Core"}]

    def names_with(app_label: str | None = None) -> list[str]:
        return [each["name"] for each in OneHeading(listed)(None, app_label)]  # type: ignore[arg-type]

    wanted = ["Badges (built into Credentials)", "Core"] if host.builtin_models() else ["Badges", "Core"]
    assert names_with() == names_with("badges") == wanted


@pytest.fixture
def learners() -> None:
    template = make_template(name="Python")
    requires_course(template)
    make_template(name="Advanced Python", is_active=False)
    for name in ("ann", "anna", "pythagoras"):
        make_user(username=name, full_name=f"{name.title()} Doe", email=f"{name}@example.org")


@pytest.mark.usefixtures("learners")
@pytest.mark.parametrize(
    ("term", "shown", "hidden"),
    [
        ("an", ["ann", "Ann Doe", "anna"], ["pythagoras"]),
        ("pyth", ["Python", "Advanced Python inactive", "pythagoras"], ["anna"]),
        ("nobody", ["Nobody here has this name or address"], []),
        ("", [], ["Nobody here"]),
        ("\0%_\\", ["Nobody here"], []),
        ("x" * 5000, ["Nobody here"], []),
    ],
)
def test_learners_and_badges_are_found_by_name(front: Client, term: str, shown: list[str], hidden: list[str]) -> None:
    page = front.get(reverse("badges_web:desk_find"), {"q": term})
    assert page.status_code == 200
    assert all(each in text(page) for each in shown)
    assert not [each for each in hidden if each in text(page)]


@pytest.mark.usefixtures("learners")
@pytest.mark.parametrize("term", ["ann", "anna@example.org", "ANNA@example.org", "advanced"])
def test_who_is_found_alone_is_shown_at_once(front: Client, term: str) -> None:
    response = front.get(reverse("badges_web:desk_find"), {"q": term})
    assert response.status_code == 302
    assert front.get(response["Location"]).status_code == 200


@pytest.mark.usefixtures("learners")
def test_nobody_finds_what_they_may_not_see() -> None:
    address = reverse("badges_web:desk_find")
    assert "anna" not in text(who_may("view_badgetemplate").get(address, {"q": "an"}))
    assert "Python" not in text(who_may("view_badgeprogress").get(address, {"q": "python"}))
    refused = Client().get(address, {"q": "an"})
    assert refused.status_code == 302
    assert "/login/" in refused["Location"]


@pytest.mark.usefixtures("learners")
def test_of_many_the_first_are_shown(front: Client, lower: Lower) -> None:
    lower(finding, MOST=1)
    page = front.get(reverse("badges_web:desk_find"), {"q": "an"})
    assert "There are more." in text(page)
    assert "anna" not in text(page).replace("ann ", "")


@pytest.mark.usefixtures("learners")
def test_an_erased_learner_is_found_without_their_name(front: Client) -> None:
    User.objects.filter(username="ann").update(username="retired__user_1", email="x@example.org")
    page = text(front.get(reverse("badges_web:desk_find"), {"q": "an"}))
    assert "anna" in page
    assert "retired__user_1" in page
    assert "Ann Doe" not in page


def silent_consumer() -> None:
    RunningProcess.objects.create(
        kind="consumer", name="host:1", started_at=timezone.now(), beat_at=timezone.now() - timedelta(hours=1)
    )


def waiting_events(seconds: int | None = 40) -> None:
    now = timezone.now()
    group = ConsumerGroup.objects.create(bus="kafka", topic="dev-topic", group="ours<b>", seen_at=now)
    lags = [(0, 1200, seconds), (1, None, None)]
    vitals.keep_lag(
        group,
        [PartitionLag(consumer_group=group, partition=n, messages=number, seconds=time) for n, number, time in lags],
        now,
    )


@pytest.mark.parametrize(
    ("happens", "figure", "attention", "shown"),
    [
        (lambda: None, "", None, "No consumer has reported yet."),
        (waiting_events, "1,200 events wait.", None, "The first has waited for 40 seconds."),
        (lambda: waiting_events(900), "1,200 events wait.", "Events have waited for 15 minutes", "not known"),
        (silent_consumer, "", "No consumer runs", "silent"),
    ],
)
def test_the_front_page_tells_when_events_are_not_read(
    front: Client, happens: Callable[[], None], figure: str, attention: str | None, shown: str
) -> None:
    happens()
    entry = row(front.get(reverse("admin:index")), "How it runs")
    assert (entry.figure, entry.attention and entry.attention.text) == (figure, attention)
    page = front.get(entry.link.url)
    assert shown in text(page)
    assert "ours<b>" not in page.content.decode()
    assert who_may("view_failedevent").get(entry.link.url).status_code == 403
