"""Every page of ours in the admin, as the admin registers them: lists, rows, and forms to add one; wide and narrow."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import RequestFactory
from django.urls import reverse

from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleGroup
from badges_plugin.models import BadgeAward, FailedEvent, RequirementGroup
from badges_plugin.web.notes import MailNote, MailText
from tests.browser.axe import violations
from tests.browser.conftest import Open
from tests.browser.serving import Service
from tests.browser.test_pages import WIDTHS, look_at
from tests.browser.window import HEIGHT, Window, overflow, take_picture
from tests.browser.world import World

KINDS = ("changelist", "change", "add")
ELSEWHERE = ("badgetemplate", "badgeprogress", "badgeaward", "delivery", "failedevent")
"""Whose lists other tests look at."""
WITHOUT_ROW = {"accredible_badges_accrediblebadge"}
"""Whose pages are those of Credly's badges."""


def models() -> list[type[Model]]:
    return [model for model in admin.site._registry if model.__module__.startswith("badges_plugin.")]


@pytest.fixture
def rows(served: Service, world: World) -> None:
    """A row in every table that the world leaves empty."""
    served.run(make_rows, world)


def make_rows(world: World) -> None:
    award = BadgeAward.objects.filter(progress__user=world.ada).order_by("pk")[0]
    config = AccredibleApiConfig.objects.create(name="Example University")
    AccredibleGroup.objects.create(
        name="Oratory", api_config=config, group_id=7, course_name="Oratory", site=world.statistics.site
    )
    RequirementGroup.objects.create(template=world.reasoning, name="Any of these", needed=1)
    FailedEvent.objects.create(
        fingerprint="1", bus="kafka", topic="learning-badges-lifecycle", group="badges", position="0:17",
        event_type="org.openedx.learning.course.passing.status.updated.v1", reason="The user has no id.",
        cause="invalid", error="ValueError: The user has no id.", payload={"user": {"pii": "..."}},
    )  # fmt: skip
    MailNote.objects.create(award=award, kind="awarded")
    MailText.objects.create(site=world.statistics.site, kind="awarded", language="en", text="Well done.")


def addresses(kind: str, staff: Any) -> dict[str, str]:
    """Return the pages of a kind by the names of their pictures."""
    request = RequestFactory().get("/")
    request.user = staff
    found = {}
    for model in models():
        opts = model._meta
        name = f"{opts.app_label}_{opts.model_name}_{kind}"
        if kind == "changelist" and opts.model_name in ELSEWHERE:
            continue
        if kind == "add" and not admin.site._registry[model].has_add_permission(request):
            continue
        row = admin.site._registry[model].get_queryset(request).order_by("-pk").first() if kind == "change" else None
        if kind != "change" or row is not None:
            found[name] = reverse(f"admin:{name}", args=[row.pk] if row is not None else [])
    return found


def glance_at(window: Window, name: str) -> list[str]:
    """Look at a page as ``look_at`` does, for less: by axe in one width only, where lists are cards; and by day."""
    found = []
    for width in WIDTHS:
        window.page.set_viewport_size({"width": width, "height": HEIGHT})
        take_picture(window.page, f"expert-{name}-{width}")
        found += overflow(window.page)
    return [f"{name}: {each}" for each in (*found, *violations(window.page))]


@pytest.mark.parametrize("kind", KINDS)
def test_every_page(opened: Open, served: Service, rows: None, registrar: Any, kind: str) -> None:
    window = opened(registrar)
    problems = []
    for name, address in served.run(addresses, kind, registrar).items():
        window.go(address)
        problems += glance_at(window, name)
    assert problems == []


def test_from_right_to_left(opened: Open, served: Service, rows: None, registrar: Any) -> None:
    window = opened(registrar, language="ar")
    pages = served.run(addresses, "change", registrar)
    problems = []
    for model in ("badgerequirement", "badgepenalty", "failedevent"):
        window.go(pages[f"badges_plugin_{model}_change"])
        assert window.page.locator("html").get_attribute("dir") == "rtl"
        problems += [f"{model} {each}" for each in look_at(window, f"expert-{model}-ar", dark=False)]
    assert problems == []


def test_each_table_has_a_row_to_look_at(served: Service, rows: None, registrar: Any) -> None:
    pages = served.run(addresses, "change", registrar)
    tables = {f"{model._meta.app_label}_{model._meta.model_name}" for model in models()}
    assert tables - {name.removesuffix("_change") for name in pages} == WITHOUT_ROW
