"""The form of a badge and the badge's page, as staff use them: by mouse, without JavaScript's help, and narrow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.sites.models import Site

from badges_plugin.models import BadgeTemplate
from tests.browser.axe import violations
from tests.browser.conftest import Open
from tests.browser.hand import Hand
from tests.browser.serving import Service
from tests.browser.test_pages import look_at
from tests.browser.window import HEIGHT, take_picture
from tests.browser.world import STATISTICS, World
from tests.factories import make_template, make_user, requires_course, send_passing

NEW = "/badges/desk/badges/new/"
RUNS = (("Proof", "2027S", "Proof and Argument, spring 2027"), ("Proof", "2026A", "Proof and Argument, autumn 2026"))


def make_catalog() -> None:
    """A course with two runs, which the world has nothing of."""
    label = "catalog"  # not a literal: mypy knows no such app
    site = Site.objects.order_by("pk")[0]
    course = apps.get_model(label, "Course").objects.create(
        site=site, uuid=UUID(int=0xCA7), key="Example+Proof", title="Proof and Argument"
    )
    for number, (name, run, title) in enumerate(RUNS):
        apps.get_model(label, "CourseRun").objects.create(
            course=course,
            uuid=UUID(int=0xCA8 + number),
            key=f"course-v1:Example+{name}+{run}",
            title_override=title,
            start_date=datetime(2027 - number, 2 + 6 * number, 3, tzinfo=UTC),
        )


@pytest.fixture(autouse=True)
def catalogued(served: Service) -> None:
    served.run(make_catalog)


def test_pass_one_course_in_five_interactions(opened: Open, served: Service, registrar: Any) -> None:
    window = opened(registrar)
    page, hand = window.page, Hand(window.page)
    window.go("/admin/")
    hand.press(page.locator(f"#content-main a[href='{NEW}']"))
    page.wait_for_url(f"**{NEW}")
    assert page.evaluate("document.activeElement.id") == "name"
    page.keyboard.type("Sound Reasoning")
    hand.press(page.get_by_role("combobox", name="Course"))
    page.keyboard.type("proof")
    hand.press(page.get_by_role("option", name="Proof and Argument, spring 2027"))
    page.get_by_text("Pass Proof and Argument, spring 2027.").first.wait_for()
    hand.press(page.get_by_role("button", name="Activate…"))
    page.get_by_role("heading", name="Activate “Sound Reasoning”?").wait_for()
    take_picture(page, "desk-activate-1280")
    assert violations(page) == []
    hand.press(page.get_by_role("button", name="Activate", exact=True))
    page.get_by_text("The badge is active.").wait_for()
    assert hand.interactions == 5
    assert page.get_by_role("heading", name="Sound Reasoning").is_visible()
    assert served.run(lambda: BadgeTemplate.objects.get(name="Sound Reasoning").is_active)


def test_by_keyboard_alone(opened: Open, registrar: Any) -> None:
    page = opened(registrar).page
    page.goto(NEW)
    page.keyboard.type("Sound Proof")
    page.locator("#b1-1-text").focus()
    page.keyboard.type("proof")
    page.locator("[role=option]").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator(".desk-chip").inner_text().startswith("Proof and Argument, autumn 2026")
    assert page.evaluate("document.activeElement.textContent") == "Choose another"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "b1-1-text"
    page.keyboard.type("proof")
    page.locator("[role=option]").first.wait_for()
    page.keyboard.press("Escape")
    assert not page.locator("[role=listbox]").is_visible()


def test_the_form(opened: Open, registrar: Any) -> None:
    window = opened(registrar)
    page = window.page
    window.go(NEW)
    problems = look_at(window, "desk-new-badge", dark=False)
    page.set_viewport_size({"width": 1280, "height": HEIGHT})
    page.get_by_role("button", name="Several courses, or any N of them").click()
    page.get_by_role("heading", name="New badge").wait_for()
    page.locator("#name").fill("Sound Reasoning")
    page.locator("#b1-1-text").fill(STATISTICS)
    page.locator("#b1-2-text").fill("proof")
    page.get_by_role("button", name="+ Another block (all of)").click()
    page.locator("#b2").wait_for()
    assert [*problems, *look_at(window, "desk-new-badge-blocks", dark=False)] == []


def test_who_would_have_it_is_shown_before_an_activation_and_after(
    opened: Open, served: Service, registrar: Any
) -> None:
    template = served.run(_done_by_one)
    window = opened(registrar)
    page = window.page
    window.go(f"/badges/desk/badges/{template.pk}/activate/")
    page.get_by_text("1 learner has done this already.").wait_for()
    page.get_by_text("See them", exact=True).click()
    assert page.get_by_role("link", name="Nia Sound").is_visible()
    problems = look_at(window, "desk-activate-see", dark=False)
    page.get_by_label("Only what is done from now on counts").check()
    page.get_by_role("button", name="Activate", exact=True).click()
    page.get_by_role("link", name="Who has done it already").click()
    page.get_by_role("button", name="Give it to 1 learner").wait_for()
    assert [*problems, *look_at(window, "desk-catch-up", dark=False)] == []


def _done_by_one() -> BadgeTemplate:
    """A draft that asks for what another badge asks for, which one learner has done."""
    course, site = "course-v1:Example+Sound+2026", Site.objects.order_by("pk")[0]
    requires_course(make_template(site=site, name="Sound Hearing", icon=""), course)
    send_passing(make_user(full_name="Nia Sound"), course)
    template = make_template(site=site, name="Sound Listening", icon="", is_active=False)
    requires_course(template, course)
    return template


def test_the_page_of_a_badge(opened: Open, world: World, registrar: Any) -> None:
    window = opened(registrar)
    problems = []
    for name, path in (("badge", ""), ("change-badge", "change/"), ("deactivate", "deactivate/")):
        window.go(f"/badges/desk/badges/{world.statistics.pk}/{path}")
        problems += look_at(window, f"desk-{name}", dark=False)
    assert problems == []


def test_a_change_asks(opened: Open, world: World, registrar: Any) -> None:
    window = opened(registrar)
    page = window.page
    window.go(f"/badges/desk/badges/{world.statistics.pk}/change/")
    page.get_by_role("button", name="Choose another instead of").click()
    page.locator("#b1-1-text").fill("course-v1:Example+Proof+2027S")
    page.get_by_role("button", name="Save the change").click()
    page.get_by_role("heading", name="learner has done what you are changing").wait_for()
    assert page.get_by_role("radio", name="Keep it.").is_checked()
    assert look_at(window, "desk-change-rule", dark=False) == []


def test_from_right_to_left(opened: Open, world: World, registrar: Any) -> None:
    window = opened(registrar, language="ar")
    problems = []
    for name, path in (("new-badge", "new/"), ("badge", f"{world.statistics.pk}/")):
        window.go(f"/badges/desk/badges/{path}")
        assert window.page.evaluate("document.documentElement.dir") == "rtl"
        problems += look_at(window, f"desk-{name}-ar", dark=False)
    assert problems == []
