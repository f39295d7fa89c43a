"""Staff correct a wrong rule, award or delivery, by clicks that are counted; and the pages that ask, in each width."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.sites.models import Site
from django.core.cache import cache

from badges_plugin import api
from badges_plugin.distribution.models import Delivery
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate
from badges_plugin.web.desk.front import figures
from tests.browser.conftest import Open
from tests.browser.hand import Hand
from tests.browser.serving import Service
from tests.browser.test_pages import look_at
from tests.browser.world import TODAY, Calendar, work
from tests.factories import EPOCH, make_template, make_user, requires_course, send_passing

if TYPE_CHECKING:  # not installed for the other tests
    from playwright.sync_api import Page

WRONG, RIGHT = "course-v1:Example+Rhetoric+2026", "course-v1:Example+Debate+2026"


@dataclass(frozen=True)
class Desk:
    """Staff, a learner with a badge that a wrong rule awarded, which a provider refuses, and one who deserves it."""

    staff: Any
    learner: Any
    deserving: Any
    award: BadgeAward
    delivery: Delivery

    @property
    def addresses(self) -> dict[str, str]:
        """The pages that ask, by the names of their pictures."""
        awards, progress = "/admin/badges_plugin/badgeaward/", "/admin/badges_plugin/badgeprogress/"
        return {
            "revoke": f"{awards}revoke/?id={self.award.pk}",
            "give-up": f"/admin/badges_distribution/delivery/give_up/?id={self.delivery.pk}",
            "give-back": f"{awards}give_back/?id={self.award.pk}",
            "start-again": f"{progress}start_again/?id={self.award.progress_id}",
        }


@pytest.fixture
def desk(served: Service) -> Iterator[Desk]:
    made = served.run(_make)
    yield made
    served.run(_clear, made)


def _make() -> Desk:
    staff = make_user(full_name="J. Okafor", is_staff=True, is_superuser=True)
    learner = make_user(full_name="Bob Marsh")
    template = make_template(site=Site.objects.order_by("pk")[0], name="Public speaking", icon="")
    requires_course(template, WRONG)
    send_passing(learner, WRONG, minute=1)
    award = BadgeAward.objects.select_related("progress").get(progress__user=learner)
    delivery = Delivery.objects.get(award=award)
    reason = "The provider refused the e-mail address."
    Delivery.objects.filter(pk=delivery.pk).update(state="failed", last_error=reason)
    cache.delete(figures.KEY)  # the front page tells it after a minute
    return Desk(staff, learner, make_user(full_name="Dora Weiss"), award, delivery)


def _clear(desk: Desk) -> None:
    """Leave nothing behind that another page would show."""
    template = desk.award.progress.template
    Delivery.objects.filter(award__progress__template=template).delete()
    BadgeProgress.objects.filter(template=template).delete()
    BadgeTemplate.objects.get(pk=template.pk).delete()


def _numbers(desk: Desk, user: Any) -> list[tuple[int, bool]]:
    rows = BadgeAward.objects.filter(progress__template=desk.award.progress.template_id, progress__user=user)
    return [(row.number, row.revoked_at is None) for row in rows.order_by("number")]


def _pass(desk: Desk, calendar: Calendar) -> None:
    """Pass the right course, an hour later than all that was forgotten; and the wrong one once more."""
    calendar.today = TODAY + timedelta(hours=1)
    minute = (calendar.today - EPOCH) / timedelta(minutes=1)
    send_passing(desk.deserving, WRONG, minute=minute - 1)
    for user in (desk.deserving, desk.learner):
        send_passing(user, RIGHT, minute=minute)
    calendar.today = TODAY


def test_a_wrong_rule_is_corrected_the_badge_revoked_and_the_right_learner_awarded(
    opened: Open, served: Service, desk: Desk, calendar: Calendar
) -> None:
    window = opened(desk.staff)
    page, hand = window.page, Hand(window.page)
    window.go("/admin/")
    hand.enter(page.get_by_label("Find a learner or a badge"), "public speaking")
    hand.press(page.get_by_role("link", name="Change…", exact=True))
    hand.press(page.get_by_role("button", name="Choose another instead of"))
    page.get_by_role("combobox", name="Course").fill(RIGHT)
    hand.press(page.get_by_role("button", name="Save the change"))
    page.get_by_text("1 learner has fulfilled a line that changes. Has the badge: 1.").wait_for()
    hand.press(page.get_by_role("radio", name="Forget it."))
    hand.press(page.get_by_role("button", name="Save the change"))
    page.get_by_text(f"Pass {RIGHT}.").first.wait_for()
    assert hand.interactions == 6

    hand.press(page.get_by_role("row", name="Bob Marsh").get_by_role("link", name="Has it"))
    hand.press(page.get_by_role("link", name="Revoke…", exact=True))
    page.get_by_label("Why").fill("The wrong course was chosen")
    hand.press(page.get_by_label("Forget it."))
    hand.press(page.get_by_role("button", name="Revoke the badge", exact=True))
    page.get_by_text("1 badge was revoked.").wait_for()
    assert hand.interactions == 10

    served.run(_pass, desk, calendar)
    assert served.run(_numbers, desk, desk.deserving) == [(1, True)]
    assert served.run(_numbers, desk, desk.learner) == [(1, False), (2, True)]


def test_a_badge_that_stays_revoked_says_why_and_is_given_back(opened: Open, served: Service, desk: Desk) -> None:
    served.run(lambda: api.revoke_award(desk.award, reason="Copied", by=desk.staff))
    window = opened(desk.staff)
    window.go(f"/admin/badges_plugin/badgeprogress/{desk.award.progress_id}/change/")
    page = window.page
    page.get_by_text("Revoked by J. Okafor").first.wait_for()
    click(page, "link", "Give back…")
    page.get_by_label("Why").fill("It was somebody else")
    click(page, "button", "Give the badge back")
    page.get_by_text("1 badge was given back.").wait_for()
    assert served.run(_numbers, desk, desk.learner) == [(1, False), (2, True)]


def test_a_failed_delivery_is_found_and_tried_again_with_two_clicks(opened: Open, served: Service, desk: Desk) -> None:
    window = opened(desk.staff)
    page, hand = window.page, Hand(window.page)
    window.go("/admin/")
    hand.press(page.get_by_role("row", name="Deliveries").get_by_role("link", name="1 needs you"))
    page.get_by_text("The provider refused the e-mail address.").wait_for()
    hand.press(page.get_by_role("button", name="Try again: ", exact=False))
    page.get_by_text("1 delivery is due now.").wait_for()
    assert hand.interactions == 2
    served.run(work)
    assert served.run(lambda: Delivery.objects.get(pk=desk.delivery.pk).state) == "done"


def test_a_failed_delivery_is_given_up_taken_up_and_tried_again(opened: Open, served: Service, desk: Desk) -> None:
    window = opened(desk.staff)
    window.go(f"/admin/badges_distribution/delivery/{desk.delivery.pk}/change/")
    page = window.page
    page.get_by_text("The provider refused the e-mail address.").first.wait_for()
    click(page, "link", "Give up…")
    page.get_by_label("Why").fill("Left the university")
    click(page, "button", "Give up")
    page.get_by_text("“Left the university”").first.wait_for()
    click(page, "button", "Take it up again")
    page.get_by_text("1 delivery is due now.").wait_for()
    click(page, "button", "Try again now")
    page.get_by_text("Waiting. Next attempt:").wait_for()


def click(page: Page, role: Any, name: str) -> None:
    page.get_by_role(role, name=name, exact=True).click()
    page.wait_for_load_state()


@pytest.mark.parametrize("name", ["revoke", "give-up", "give-back", "start-again"])
def test_a_page_that_asks(opened: Open, served: Service, desk: Desk, name: str) -> None:
    if name in ("give-back", "start-again"):
        served.run(lambda: api.revoke_award(desk.award, reason="Copied", by=desk.staff))
    window = opened(desk.staff)
    window.go(desk.addresses[name])
    assert window.page.get_by_label("Why").count() == 1
    # Dark colors of the admin around it are Django's.
    assert look_at(window, f"desk-{name}", dark=False) == []
