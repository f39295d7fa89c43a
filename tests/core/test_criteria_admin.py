"""Counts, minimums and positions, set up by clicking."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from badges_plugin.models import BadgeTemplate, RequirementGroup
from tests.core.admin_pages import PASSES, errors, rules, staff, submit, text, url
from tests.factories import PASSING, make_template, make_user, requires, requires_course, send_passing

pytestmark = pytest.mark.django_db
COURSE_KEY = "course.course_key"


@pytest.fixture
def client() -> Client:
    return staff(superuser=True)


def add(client: Client, template: BadgeTemplate, **fields: Any) -> Any:
    address = f"{url('badgerequirement', 'add')}?template={template.pk}"
    return submit(client, address, rules(*PASSES), event_type=PASSING, **fields)


def test_staff_ask_for_a_count(client: Client) -> None:
    template = make_template(is_active=False)
    add(client, template, count=3, counted_by=COURSE_KEY)
    requirement = template.requirements.get()
    assert (requirement.count, requirement.counted_by, requirement.position) == (3, COURSE_KEY, 0)
    submit(client, url("badgerequirement", "change", requirement.pk), count="")
    requirement.refresh_from_db()
    assert requirement.count == 3  # empty: as it is
    for wrong, message in (
        ({"count": 0}, "greater than or equal to 1"),
        ({"counted_by": "event.time"}, "valid choice"),
    ):
        assert message in errors(add(client, template, **wrong))
    assert template.requirements.count() == 1


def test_positions_are_asked_for_only_where_they_matter(client: Client) -> None:
    template = make_template(is_active=False)
    requirement = requires_course(template, group="either")
    pages = [url("badgerequirement", "change", requirement.pk), url("requirementgroup", "change", requirement.group_id)]
    assert not any('name="position"' in client.get(page).content.decode() for page in pages)
    submit(client, url("badgetemplate", "change", template.pk), in_order="on")
    assert all('name="position"' in client.get(page).content.decode() for page in pages)
    add(client, template, new_group="second", position=2)
    assert template.groups.get(name="second").position == 2


def test_staff_say_how_many_of_a_group_are_needed(client: Client) -> None:
    template = make_template()
    members = [requires_course(template, group="some") for _ in range(3)]
    page = url("requirementgroup", "change", members[0].group_id)
    assert "has 3 requirements" in errors(submit(client, page, needed=4))
    submit(client, page, needed=2)
    assert RequirementGroup.objects.get().needed == 2


def test_another_way_of_counting_is_asked_about(client: Client) -> None:
    requirement = requires(make_template(), ("is_passing", "eq", "true"))
    send_passing(make_user())
    page = submit(client, url("badgerequirement", "change", requirement.pk), count=3, counted_by=COURSE_KEY)
    assert "3 different values of course.course_key" in text(page)
    assert "even if you keep it" in text(page)
    requirement.refresh_from_db()
    assert requirement.count == 1  # nothing is saved yet
