"""Lists as CSV files: the rows of the list, for whom they may be, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from badges_plugin import api
from badges_plugin.admin import exporting, large, nearly
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.models import BadgeAward, BadgeProgress, RetiredLearner
from tests.core.admin_pages import errors, staff, text, url
from tests.factories import make_template, make_user, requires_course, send_passing, staff_who_may
from tests.limits import Lower

pytestmark = pytest.mark.django_db
NAMES = ("ann", "bob", "cid")


@pytest.fixture
def awards() -> list[BadgeAward]:
    requires_course(make_template(name="Python"))
    for name in NAMES:
        send_passing(make_user(username=name, full_name=f"{name.title()} Doe", email=f"{name}@example.org"))
    return list(BadgeAward.objects.order_by("pk"))


def read(response: Any) -> list[dict[str, str]]:
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    content = b"".join(response.streaming_content).decode("utf-8")
    assert content.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"))))


def download(client: Client, model: str, query: dict[str, str] | None = None, app: str = "badges_plugin") -> Any:
    return client.get(reverse(f"admin:{app}_{model}_export"), query or {})


def who_may(*codenames: str) -> Client:
    client = Client()
    client.force_login(staff_who_may(*codenames))
    return client


def test_holders_are_exported_newest_first(awards: list[BadgeAward]) -> None:
    api.revoke_award(awards[0], reason="Copied")
    response = download(staff(superuser=True), "badgeaward")
    assert "attachment; filename=" in response["Content-Disposition"]
    rows = read(response)
    assert [row["username"] for row in rows] == ["cid", "bob", "ann"]
    assert rows[1] == {
        "username": "bob",
        "full_name": "Bob Doe",
        "email": "bob@example.org",
        "badge": "Python",
        "award": "1",
        "state": "held",
        "awarded_at": "2026-01-01T00:00:00Z",
        "expires_at": "",
        "ended_at": "",
        "ending": "",
        "reason": "",
    }
    assert (rows[2]["state"], rows[2]["reason"]) == ("revoked", "Copied")
    assert rows[2]["ended_at"]


@pytest.mark.usefixtures("awards")
def test_progress_is_exported_with_what_is_missing() -> None:
    template = make_template(name="Both")
    requires_course(template)
    requires_course(template, "course-v1:Demo+Other+1")
    send_passing(BadgeProgress.objects.get(user__username="bob").user, minute=1)
    rows = read(download(staff(superuser=True), "badgeprogress", {"badge_name": "both"}))
    assert rows == [
        {
            "username": "bob",
            "full_name": "Bob Doe",
            "email": "bob@example.org",
            "badge": "Both",
            "state": "on the way",
            "done": "1",
            "of": "2",
            "missing": "Pass course-v1:Demo+Other+1",
        }
    ]


def test_deliveries_are_exported_with_their_reasons(awards: list[BadgeAward]) -> None:
    channel = Channel.objects.create(backend="gone", account="a")
    Delivery.objects.create(
        award=awards[1], backend="gone", channel=channel, action="issue", state="failed", last_error="No address."
    )
    [row] = read(download(staff(superuser=True), "delivery", app="badges_distribution"))
    assert (row["username"], row["badge"], row["state"], row["reason"]) == ("bob", "Python", "failed", "No address.")
    assert (row["provider"], row["next_attempt_at"]) == ("gone", "")


@pytest.mark.usefixtures("awards")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "bob"}, ["bob"]),
        ({"q": "bob@example.org"}, ["bob"]),
        ({"state": "held", "o": "1", "p": "7"}, ["cid", "bob", "ann"]),
        ({"state": "ended"}, []),
        ({"badge_name": "pyth"}, ["cid", "bob", "ann"]),
        ({"badge_name": "none"}, []),
        ({"progress__template__id__exact": "0"}, []),
    ],
)
def test_a_file_has_what_the_list_has(query: dict[str, str], found: list[str]) -> None:
    client = staff(superuser=True)
    assert [row["username"] for row in read(download(client, "badgeaward", query))] == found
    page = client.get(url("badgeaward"), {name: value for name, value in query.items() if name != "p"})
    link = page.context["cl"].export_url
    assert [row["username"] for row in read(client.get(link))] == found
    assert "Download as CSV" in text(page)


@pytest.mark.usefixtures("awards")
@pytest.mark.parametrize(("page", "span"), [(1, 1), (2, 1), (2, 50), (1, 1000)])
def test_long_lists_are_read_piece_by_piece(lower: Lower, page: int, span: int) -> None:
    lower(exporting, PAGE=page)
    lower(exporting, SPAN=span)
    template = BadgeProgress.objects.filter(user__username="ann")[0].template
    for pk in (900, 5000, 5001):
        BadgeProgress.objects.create(pk=pk, user=make_user(), template=template)
    found = list(exporting.pages(BadgeProgress.objects.all()))
    wanted = list(BadgeProgress.objects.order_by("-pk").values_list("pk", flat=True))
    assert [pk for some in found for pk in some] == wanted
    assert len(wanted) == 6
    assert max(map(len, found)) <= page


@pytest.mark.usefixtures("awards")
def test_what_no_index_serves_is_decided_for_all_rows_and_not_for_the_newest(lower: Lower) -> None:
    lower(large, MOST=1)
    lower(nearly, MOST_DECIDED=1)
    lower(exporting, PAGE=1)
    client = staff(superuser=True)
    assert len(read(download(client, "badgeprogress", {"badge": "held"}))) == 3
    assert read(download(client, "badgeprogress", {"badge": "nearly"})) == []
    assert "newest" not in errors(client.get(url("failedevent")))


def test_queries_do_not_grow_with_the_rows(awards: list[BadgeAward]) -> None:
    client = staff(superuser=True)
    counts = []
    for turn in range(3):
        with CaptureQueriesContext(connection) as captured:
            read(download(client, "badgeaward"))
        counts.append(len(captured))
        for number in range(10):
            send_passing(make_user(username=f"more{turn}{number}"))
    assert counts[1] == counts[2]  # the first one fills caches


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ('=HYPERLINK("http://evil")', '\'=HYPERLINK("http://evil")'),
        ("+1", "'+1"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("Ann\0", "Ann"),
        ("a=b", "a=b"),
        (-3, "-3"),
        (None, ""),
    ],
)
def test_a_spreadsheet_runs_nothing_that_a_cell_says(value: object, told: str) -> None:
    assert exporting.cell(value) == told


def test_addresses_are_for_those_who_may_see_them_elsewhere(awards: list[BadgeAward]) -> None:
    assert "email" not in read(download(who_may("view_badgeaward"), "badgeaward"))[0]
    assert "email" in read(download(who_may("view_badgeaward", "view_badgeprogress"), "badgeaward"))[0]
    RetiredLearner.objects.create(user=awards[0].user, said="retired__user_ann", said_at=awards[0].awarded_at)
    last = read(download(staff(superuser=True), "badgeaward"))[-1]
    assert (last["username"], last["full_name"], last["email"]) == ("ann", "", "")


@pytest.mark.usefixtures("awards")
def test_a_file_is_for_those_who_may_see_the_list_and_leaves_a_trace() -> None:
    assert download(who_may("view_badgeprogress"), "badgeaward").status_code == 403
    assert download(Client(), "badgeaward").status_code == 302
    assert not LogEntry.objects.exists()
    read(download(who_may("view_badgeaward"), "badgeaward"))
    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.change_message) == ("badge awards", "Downloaded as CSV.")


@pytest.mark.usefixtures("awards")
def test_a_search_that_finds_too_much_is_not_exported_in_part(lower: Lower) -> None:
    lower(large, LARGE=1)
    lower(large, MOST_PEOPLE=1)
    make_user(username="anna")
    response = staff(superuser=True).get(reverse("admin:badges_plugin_badgeaward_export"), {"q": "an"}, follow=True)
    assert "More than 1 learners were found" in errors(response)
    assert response.context["cl"].query == "an"


def test_the_holders_of_a_badge_have_an_address(awards: list[BadgeAward]) -> None:
    api.revoke_award(awards[0], reason="Copied")
    send_passing(awards[0].user, "course-v1:Demo+Other+1")
    pk = awards[0].template.pk
    address = reverse("badges_web:desk_export_holders", args=(pk,))
    rows = read(staff(superuser=True).get(address, follow=True))
    assert [row["username"] for row in rows] == ["cid", "bob"]
    assert who_may("view_badgeprogress").get(address).status_code == 403
    assert staff(superuser=True).get(reverse("badges_web:desk_export_holders", args=(pk + 999,))).status_code == 404


def test_an_empty_list_is_a_file_with_a_heading() -> None:
    response = download(staff(superuser=True), "badgeaward", {"awarded_at__gte": "nonsense"})
    assert response.status_code == 302
    assert read(download(staff(superuser=True), "badgeaward")) == []
