"""The how-to guides, followed as a reader does, with a picture of each step for the documentation."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from badges_plugin.models import BadgeTemplate
from tests.browser.conftest import Open
from tests.browser.docs_world import INTRODUCTION, School, open_school
from tests.browser.serving import Service
from tests.browser.test_correcting import click
from tests.browser.world import Calendar, work

DESK = "/badges/desk"


@pytest.fixture
def school(served: Service, calendar: Calendar) -> School:
    return served.run(open_school, calendar)


def settle() -> None:
    """Let the front page count anew, with nothing that waits for the worker."""
    work()
    cache.clear()


def test_set_up_a_badge(opened: Open, served: Service, school: School) -> None:
    window = opened(school.staff)
    page = window.page
    served.run(settle)
    window.go("/admin/")
    add = page.locator(f"#content-main a[href='{DESK}/badges/new/']")
    window.picture_for_docs("front-page", "#content-main .desk", mark=add, most=1600)
    add.click()
    page.get_by_label("Name", exact=True).fill("First Steps in Public Health")
    page.get_by_text("1 thing is missing").wait_for()
    window.picture_for_docs("new-badge", most=1000)
    page.get_by_role("combobox", name="Course").fill("intro")
    option = page.get_by_role("option", name="Introduction to Public Health, 2026")
    option.wait_for()
    window.picture_for_docs("new-badge-course", "#b1", "[role=listbox]")
    option.click()
    page.get_by_text("Pass Introduction to Public Health, 2026.").first.wait_for()
    page.get_by_text("have done all of this").first.wait_for()
    window.picture_for_docs("new-badge-in-words", ".desk-aside")
    click(page, "button", "Activate…")
    page.get_by_text("They get the badge now").wait_for()
    window.picture_for_docs("activate-badge")
    page.get_by_label("Only what is done from now on counts").check()
    click(page, "button", "Activate")
    page.get_by_text("The badge is active.").wait_for()
    assert served.run(lambda: BadgeTemplate.objects.get(name="First Steps in Public Health").is_active)


def test_ask_for_two_of_three_courses(opened: Open, school: School) -> None:
    window = opened(school.staff)
    page = window.page
    window.go(f"{DESK}/badges/new/")
    click(page, "button", "Several courses, or any N of them")
    for number, key in enumerate(("PublicHealth", "Epidemiology", "HealthStatistics"), 1):
        page.locator(f"#b1-{number}-text").fill(f"course-v1:Northside+{key}+2026")
    page.get_by_label("Any", exact=True).check()
    page.get_by_label("How many of block 1 are enough").fill("2")
    page.get_by_role("button", name="Check again").first.click()
    page.get_by_text("Pass at least 2 of").first.wait_for()
    window.picture_for_docs("new-badge-any-of", "#b1")


def test_change_a_badge(opened: Open, school: School) -> None:
    window = opened(school.staff)
    page = window.page
    window.go(f"{DESK}/badges/{school.foundations.pk}/")
    window.picture_for_docs("badge", most=1300)
    click(page, "link", "Change…")
    page.get_by_role("button", name="Choose another instead of Epidemiology").click()
    page.locator("[data-desk-choose] input[type=text], [data-desk-choose] .desk-wide").first.fill(
        "course-v1:Northside+HealthStatistics+2026"
    )
    click(page, "button", "Save the change")
    page.get_by_role("heading", name="have done what you are changing").wait_for()
    window.picture_for_docs("change-badge-asks")


def test_give_a_badge_by_hand(opened: Open, school: School) -> None:
    window = opened(school.staff)
    page = window.page
    window.go(f"{DESK}/give/?badge={school.summer_school.pk}")
    page.get_by_label("Who gets it", exact=True).fill(
        "nadia@northside.example\noscar\nquentin@northsid.example\npriya@northside.example"
    )
    page.get_by_label("Why").fill("Summer school 2026")
    window.picture_for_docs("give-by-hand")
    page.get_by_role("button", name="Look at the list").last.click()
    page.get_by_text("2 learners will get").wait_for()
    window.picture_for_docs("give-by-hand-look", most=1200)
    click(page, "button", "Give the badge to 2 learners")
    page.get_by_text("2 learners have the badge.").wait_for()
    window.picture_for_docs("give-by-hand-report", most=620)
    click(page, "link", "Undo the whole list…")
    page.get_by_label("Why").fill("Wrong list")
    window.picture_for_docs("give-by-hand-undo")
    click(page, "button", "Undo the whole list")
    page.get_by_text("Undone: 2 badges were taken back.").wait_for()


def test_correct_a_wrong_award(opened: Open, served: Service, school: School) -> None:
    window = opened(school.staff)
    page = window.page
    award = served.run(school.award_of, "daniel")
    window.go(f"/admin/badges_plugin/badgeaward/{award.pk}/change/")
    click(page, "link", "Revoke…")
    page.get_by_label("Why").fill("The exam was somebody else’s")
    window.picture_for_docs("revoke")
    revoked = served.run(school.award_of, "ivan")
    window.go(f"/admin/badges_plugin/badgeaward/{revoked.pk}/change/")
    click(page, "link", "Give back…")
    window.picture_for_docs("give-back")
    window.go(f"/admin/badges_distribution/delivery/{school.failed.pk}/change/")
    window.picture_for_docs("delivery-needs-you", most=700)
    click(page, "link", "Give up…")
    window.picture_for_docs("give-up")


def test_find_out_why(opened: Open, school: School) -> None:
    window = opened(school.staff)
    page = window.page
    window.go(f"{DESK}/learners/")
    page.get_by_label("Name, user name or e-mail address").fill("julia")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Julia Nowak").wait_for()
    window.picture_for_docs("learner", most=1000)
    window.go(f"{DESK}/learners/{school.learners['elif'].pk}/")
    page.get_by_role("link", name="Its whole story").first.click()
    page.get_by_role("heading", name="Its story, oldest first").wait_for()
    window.picture_for_docs("award-story")


def test_try_a_badge(opened: Open, school: School) -> None:
    window = opened(school.staff)
    page = window.page
    window.go(f"{DESK}/try/?learner=maria")
    page.get_by_label("Learner", exact=True).fill("maria")
    page.get_by_label("Badge", exact=True).select_option(label=school.foundations.name)
    page.get_by_label("Course", exact=True).fill(INTRODUCTION)
    window.picture_for_docs("try-an-event")
    click(page, "button", "Try it")
    page.get_by_role("heading", name="What would happen").wait_for()
    window.picture_for_docs("try-an-event-answer", "section:has(#result)")


def test_see_how_badges_are_doing(opened: Open, school: School) -> None:
    window = opened(school.staff)
    page = window.page
    window.go(f"{DESK}/numbers/{school.foundations.pk}/?weeks=26")
    window.picture_for_docs("numbers-by-week", ".desk-lead", "section:has(#by-week) .desk-legend")
    window.picture_for_docs("numbers-funnel", "section:has(#funnel)", "section:has(#pace)")
    assert page.get_by_role("heading", name="By week").is_visible()


def test_give_staff_their_permissions(opened: Open, school: School) -> None:
    window = opened(school.staff)
    page = window.page
    window.go(f"/admin/core/user/{school.support.pk}/change/")
    permissions = page.locator("fieldset", has=page.get_by_role("heading", name="Permissions"))
    window.picture_for_docs("permissions", permissions, width=1000, most=560)
    theirs = opened(school.support)
    theirs.go("/admin/")
    theirs.picture_for_docs("permissions-of-support", "#content-main .desk")


def test_what_staff_see(opened: Open, school: School) -> None:
    window = opened(school.staff)
    window.go(f"{DESK}/find/?q=ma")
    window.picture_for_docs("find")
    window.go("/admin/badges_plugin/badgetemplate/?q=foundations")
    window.picture_for_docs("list-of-badges")
    window.go(f"{DESK}/learners/?q=ha")
    window.picture_for_docs("list-of-learners")
    window.go("/admin/badges_plugin/badgeprogress/?badge_name=foundations")
    window.picture_for_docs("list-of-progress")
    window.go("/admin/badges_plugin/badgeaward/?badge_name=foundations")
    window.picture_for_docs("list-of-awards")
    window.go("/admin/badges_distribution/delivery/?state__exact=failed")
    window.picture_for_docs("list-of-deliveries")
    window.go("/admin/badges_plugin/failedevent/")
    window.picture_for_docs("list-of-failed-events")
    window.go("/admin/badges_distribution/channel/")
    window.picture_for_docs("sending-by-account")
    window.go("/admin/open_badges/issuerprofile/")
    window.picture_for_docs("issuer-profiles")
