"""Lists of the admin: names of columns at each cell, states in words, filters above the list."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badges_plugin import api
from badges_plugin.admin import cells
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeProgress
from badges_plugin.templatetags.badges_lists import labeled
from tests.core.admin_pages import staff, text, url
from tests.factories import make_template, make_user, penalizes_failing, requires_course, send_passing

pytestmark = pytest.mark.django_db


def test_each_cell_says_what_it_is_and_keeps_its_role() -> None:
    template = make_template(name="<tr>Python & <b>more</b>")
    requires_course(template)
    BadgeProgress.objects.create(template=make_template(name="Old", is_active=False), user=make_user())
    page = staff(superuser=True).get(url("badgetemplate"))
    html = page.content.decode()
    table = html.split('<table id="result_list"')[1].split("</table>")[0]
    assert 'class="badges-cards" role="table"' in table
    assert table.count('<tr role="row">') == table.count("<tr") == 3
    assert '<td role="cell" data-label="Requirements" class="field-requirement_count">1</td>' in table
    assert 'role="rowheader" data-label="State" class="field-standing"' in table
    assert "&lt;tr&gt;Python &amp; &lt;b&gt;more&lt;/b&gt;" in table
    assert not re.search(r"<t[dh] class=", table)
    assert "inactive" in text(page)


def test_a_list_without_rows_is_left_as_it_is() -> None:
    page = staff(superuser=True).get(url("badgeaward"))
    assert page.status_code == 200
    assert labeled("", page.context["cl"]) == ""


@pytest.mark.parametrize(("query", "is_open"), [({}, False), ({"is_active__exact": "1"}, True)])
def test_a_filter_is_closed_until_something_is_chosen(query: dict[str, str], is_open: bool) -> None:
    make_template()
    html = staff(superuser=True).get(url("badgetemplate"), query).content.decode()
    details = re.findall(r"<details [^>]*>", html)
    assert details
    assert any(each.endswith(" open>") for each in details) is is_open


def test_names_and_words_are_escaped() -> None:
    template = make_template(name="<b>")
    assert "&lt;b&gt;" in cells.badge(template, template)
    assert "&lt;b&gt;" in cells.state(cells.GOOD, "<b>")


def lose(*, forget: bool | None = None, erased: bool = False, **changes: Any) -> BadgeAward:
    """Have a learner lose a badge: revoked, or by a penalty if ``forget`` is None."""
    template = make_template(**changes)
    penalizes_failing(template, requires_course(template))
    user = make_user()
    send_passing(user)
    award = BadgeAward.objects.get(progress__user=user, progress__template=template)
    if forget is None:
        send_passing(user, minute=2, is_passing=False)
    else:
        api.revoke_award(award, reason="x", forget=forget)
    if erased:
        User.objects.filter(pk=user.pk).update(username="retired__user_0123456789")
    return award


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"forget": False}, "revoked, stays revoked"),
        ({"forget": True}, "revoked, can be earned again"),
        ({"forget": True, "can_be_reawarded": False}, "revoked, can be earned again"),
        ({}, "revoked, can be earned again"),
        ({"can_be_reawarded": False}, "revoked, stays revoked"),
        ({"forget": True, "erased": True}, "learner erased"),
    ],
)
def test_lists_and_pages_say_the_same_of_a_lost_badge(how: dict[str, Any], said: str) -> None:
    award = lose(**how)
    client = staff(superuser=True)
    assert said in text(client.get(url("badgeprogress")))
    assert said in text(client.get(url("badgeprogress", "change", award.progress_id)))
    desk = client.get(f"/badges/desk/learners/{award.user.pk}/")
    assert said.capitalize() in text(desk)


def test_lost_badges_of_a_page_are_read_at_once() -> None:
    lose(forget=True)
    client = staff(superuser=True)
    client.get(url("badgeprogress"))  # what a process reads once
    with CaptureQueriesContext(connection) as few:
        client.get(url("badgeprogress"))
    for _ in range(2):
        lose(forget=True)
    with CaptureQueriesContext(connection) as many:
        client.get(url("badgeprogress"))
    assert len(many) == len(few)


@pytest.mark.parametrize(
    ("also", "leads"), [((), False), (("view_badgeprogress",), True), (("view_badgetemplate",), False)]
)
def test_cells_lead_only_to_pages_that_one_may_open(also: tuple[str, ...], leads: bool) -> None:
    award = lose(forget=True)
    client = staff("view_badgeaward", *also)
    pages = [client.get(address) for address in (url("badgeaward"), url("badgeaward", "change", award.pk))]
    html = "".join(page.content.decode() for page in pages)
    found = set(re.findall(r'href="(/badges/desk/(?:learners|awards)/[^"]*)"', html))
    assert bool(found) is leads
    assert all(client.get(each).status_code == 200 for each in found)
    assert ("/badges/desk/badges/" in html) is ("view_badgetemplate" in also)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "Nobody has or had a badge."),
        ("?q=nobody", "Nothing matches. Choose other words or filters."),
        ("?state=held", "Nothing matches. Choose other words or filters."),
    ],
)
def test_an_empty_list_says_why(query: str, said: str) -> None:
    page = text(staff(superuser=True).get(url("badgeaward") + query))
    assert said in page
    assert "selected" not in page, "there is nothing to choose an action for"
