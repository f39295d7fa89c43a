"""Who may see and do what in the admin, what is there at all, and what its lists cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin import AdminSite
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from badges_plugin import admin
from badges_plugin.models import (
    BadgeAward,
    BadgePenalty,
    BadgeProgress,
    BadgeRequirement,
    BadgeTemplate,
    RequirementGroup,
)
from tests.core.admin_pages import staff, text, url
from tests.factories import make_template, make_user, penalizes_failing, requires, requires_course, send_passing

pytestmark = pytest.mark.django_db

MODELS = (BadgeTemplate, BadgeRequirement, RequirementGroup, BadgePenalty, BadgeProgress, BadgeAward)
NAMES = tuple(model.__name__.lower() for model in MODELS)


@pytest.mark.parametrize("enabled", [True, False, None])
def test_nothing_is_registered_while_badges_are_disabled(settings: Any, enabled: bool | None) -> None:
    if enabled is None:
        del settings.BADGES_ENABLED
    else:
        settings.BADGES_ENABLED = enabled
    site = AdminSite()
    admin.register(site)
    assert [model for model in MODELS if site.is_registered(model)] == (list(MODELS) if enabled else [])


def awarded() -> BadgeAward:
    template = make_template()
    penalizes_failing(template, requires_course(template, group="A"))
    send_passing(make_user(username="ann"))
    return BadgeAward.objects.get()


def primary_key(model: str, award: BadgeAward) -> int:
    return {
        "badgetemplate": award.template.pk,
        "badgerequirement": award.template.requirements.get().pk,
        "badgepenalty": award.template.penalties.get().pk,
        "requirementgroup": award.template.groups.get().pk,
        "badgeprogress": award.progress_id,
        "badgeaward": award.pk,
    }[model]


@pytest.mark.parametrize("model", NAMES)
def test_staff_without_permission_see_nothing(model: str) -> None:
    pk = primary_key(model, awarded())
    client = staff()
    for address in (url(model), url(model, "change", pk), url(model, "add"), url(model, "delete", pk)):
        assert client.get(address).status_code == 403, address


@pytest.mark.parametrize("model", NAMES)
def test_staff_who_may_only_look_can_only_look(model: str) -> None:
    award = awarded()
    pk = primary_key(model, award)
    client = staff(f"view_{model}")
    assert client.get(url(model)).status_code == 200
    page = client.get(url(model, "change", pk))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert client.get(url(model, "add")).status_code == 403
    assert client.post(url(model, "change", pk), {"name": "x"}).status_code == 403
    for action in ("activate", "deactivate", "revoke", "delete_selected"):
        client.post(url(model), {"action": action, "_selected_action": [pk], "confirmed": 1, "reason": "x", "post": 1})
    award.refresh_from_db()
    assert award.revoked_at is None
    assert BadgeTemplate.objects.get().is_active


def test_what_somebody_may_not_do_is_not_offered() -> None:
    award = awarded()
    address = url("badgetemplate", "change", award.template.pk)
    page = staff("change_badgetemplate").get(address)
    for missing in ("Add requirement", "Add penalty", "Show progress", "Show badges"):
        assert missing not in text(page)
    everything = ("change_badgetemplate", "add_badgerequirement", "add_badgepenalty", "view_badgeprogress")
    page = staff(*everything, "view_badgeaward").get(address)
    for there in ("Add requirement", "Add penalty", "Show progress", "Show badges"):
        assert there in text(page)
    award_page = url("badgeaward", "change", award.pk)
    assert "Revoke…" not in staff("view_badgeaward").get(award_page).content.decode()
    assert "Revoke…" in staff("change_badgeaward").get(award_page).content.decode()


def test_staff_who_may_change_badges_revoke_them() -> None:
    award = awarded()
    answer = {"id": award.pk, "reason": "Left", "progress": "keep"}
    staff("change_badgeaward").post(url("badgeaward", "revoke"), answer)
    award.refresh_from_db()
    assert award.revocation_reason == "Left"


def test_templates_of_a_backend_are_not_edited_as_ours() -> None:
    ours, theirs = make_template(name="Ours"), make_template(name="Theirs", origin="elsewhere")
    requires_course(theirs)
    client = staff(superuser=True)
    page = text(client.get(url("badgetemplate")))
    assert "Ours" in page
    assert "Theirs" not in page
    assert client.get(url("badgetemplate", "change", theirs.pk)).status_code == 302
    assert client.get(url("badgetemplate", "change", ours.pk)).status_code == 200
    # What is asked for it is the core's, whoever brought the template.
    assert client.get(url("badgerequirement", "change", theirs.requirements.get().pk)).status_code == 200


def many(count: int) -> None:
    for number in range(count):
        template = make_template()
        course = f"course-v1:Demo+C{template.pk}+1"
        first = requires_course(template, course, group="g")
        requires_course(template, "course-v1:Other+1+1", group="g")
        penalizes_failing(template, first, course)
        user = make_user()
        send_passing(user, course)
        if number % 2:
            send_passing(user, course, is_passing=False, minute=1)


@pytest.mark.parametrize("model", NAMES)
def test_a_list_costs_the_same_with_many_rows(model: str) -> None:
    client = staff(superuser=True)

    def cost() -> int:
        return queries(lambda: client.get(url(model)))

    many(2)
    cost()
    few = cost()
    many(8)
    assert cost() == few
    assert few <= 17


def test_a_template_page_costs_the_same_with_many_requirements() -> None:
    client = staff(superuser=True)
    template = make_template()

    def add(count: int) -> None:
        for _ in range(count):
            penalizes_failing(template, requires_course(template))

    def cost() -> int:
        return queries(lambda: client.get(url("badgetemplate", "change", template.pk)))

    add(2)
    cost()
    few = cost()
    add(15)
    assert cost() == few


def test_deleting_a_requirement_costs_the_same_with_many_learners() -> None:
    client: Client = staff(superuser=True)
    template = make_template()
    requirement = requires_course(template)

    def cost() -> int:
        return queries(lambda: client.get(url("badgerequirement", "delete", requirement.pk)))

    send_passing(make_user())
    cost()
    few = cost()
    for _ in range(5):
        send_passing(make_user())
    assert cost() == few


def queries(act: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


def test_the_names_of_groups_are_shown_as_text() -> None:
    template = make_template()
    requires(template, group="<script>alert(1)</script>")
    page = staff(superuser=True).get(url("badgerequirement", "add"), {"template": template.pk})
    assert "&lt;script&gt;alert(1)" in page.content.decode()
    assert "<script>alert(1)" not in page.content.decode()
