"""Staff give a badge to thirty learners from a pasted list, and undo it: by clicks, which are counted."""

from __future__ import annotations

import re
from typing import Any

from badges_plugin.models import BadgeAward
from tests.browser.conftest import Open
from tests.browser.hand import Hand
from tests.browser.serving import Service
from tests.browser.test_pages import look_at
from tests.browser.window import Window
from tests.browser.world import World
from tests.factories import make_user, staff_who_may

NUMBER = 30


def people() -> tuple[Any, list[str]]:
    """Make a member of staff and thirty learners; return how the latter are written on a list."""
    staff = staff_who_may("award_by_hand", "view_badgeaward")
    learners = [
        make_user(
            username=f"spring{number}", full_name=f"Spring Learner {number}", email=f"spring{number}@northside.example"
        )
        for number in range(1, NUMBER + 1)
    ]
    written = [user.email if number % 2 else user.username for number, user in enumerate(learners)]
    return staff, written


def seen(window: Window, name: str) -> list[str]:
    """Look at a page of the admin, whose colors change slowly: half way they can be too pale."""
    window.page.add_style_tag(content="* { transition: none !important; }")
    return look_at(window, name)


def held(badge: str) -> int:
    awards = BadgeAward.objects.filter(progress__template__name=badge, revoked_at=None)
    return awards.filter(progress__user__username__startswith="spring").count()


def test_thirty_learners_are_given_a_badge_and_it_is_undone(opened: Open, world: World, served: Service) -> None:
    staff, written = served.run(people)
    window = opened(staff)
    page, hand = window.page, Hand(window.page)
    window.go("/admin/")
    hand.press(page.locator("#content").get_by_role("link", name="By hand", exact=True))
    problems = seen(window, "give")
    hand.choose(page.get_by_label("Badge", exact=True), "Statistics")
    lines = [*written, "spring1@northsid.example", "nobody", world.ada.username]
    page.get_by_label("Who gets it", exact=True).fill("\n".join(lines))
    page.get_by_label(re.compile("^Why")).fill("Spring school 2027")
    hand.press(page.get_by_role("button", name="Look at the list"))
    page.get_by_text("30 learners will get Statistics. 3 lines will be skipped.").wait_for()
    page.get_by_text("Nobody here has this address").wait_for()
    assert page.get_by_role("button", name="spring1@northside.example").count() == 1
    problems += seen(window, "give-look")
    assert served.run(held, "Statistics") == 0
    hand.press(page.get_by_role("button", name="Give the badge to 30 learners"))
    page.get_by_text("30 learners have the badge.").wait_for()
    assert served.run(held, "Statistics") == NUMBER
    problems += seen(window, "give-report")
    assert hand.interactions == 4

    hand.press(page.get_by_role("link", name="Undo the whole list…"))
    problems += seen(window, "give-undo")
    hand.press(page.get_by_role("button", name="Undo the whole list"))
    page.get_by_text("Undone: 30 badges were taken back.").wait_for()
    assert served.run(held, "Statistics") == 0
    assert hand.interactions == 6
    problems += seen(window, "give-undone")
    hand.press(page.get_by_role("link", name="Lists of awards by hand"))
    problems += seen(window, "give-lists")
    assert problems == []


def test_what_is_wrong_is_marked(opened: Open, world: World, served: Service) -> None:
    window = opened(served.run(staff_who_may, "award_by_hand"))
    window.go("/badges/desk/give/")
    window.page.get_by_role("button", name="Look at the list").click()
    window.page.get_by_text("Name at least one learner.").wait_for()
    assert seen(window, "give-wrong") == []


def test_from_right_to_left(opened: Open, world: World, served: Service) -> None:
    window = opened(served.run(staff_who_may, "award_by_hand"), language="ar")
    window.go("/badges/desk/give/")
    assert window.page.locator("html").get_attribute("dir") == "rtl"
    assert seen(window, "give-ar") == []
