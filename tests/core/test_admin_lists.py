"""Lists of the admin: names of columns at each cell, states in words, filters above the list."""

from __future__ import annotations

import re

import pytest

from badges_plugin.admin import cells
from badges_plugin.templatetags.badges_lists import labeled
from tests.core.admin_pages import staff, text, url
from tests.factories import make_template, requires_course

pytestmark = pytest.mark.django_db


def test_each_cell_says_what_it_is_and_keeps_its_role() -> None:
    template = make_template(name="<tr>Python & <b>more</b>")
    requires_course(template)
    make_template(name="Old", is_active=False)
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
    assert "&lt;b&gt;" in cells.badge(template)
    assert "&lt;b&gt;" in cells.state(cells.GOOD, "<b>")
