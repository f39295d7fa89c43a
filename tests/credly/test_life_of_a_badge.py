"""From the award to Credly and back: what the learner has here is what Credly has."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badges_plugin import api
from badges_plugin.distribution import registry
from badges_plugin.distribution.credly.models import CredlyBadge, CredlyBadgeTemplate
from badges_plugin.models import BadgeAward
from sandbox.credly import CredlySimulator
from tests.distribution.worlds import deliver
from tests.factories import UserFactory, send_passing


def test_a_passed_course_becomes_a_badge_at_credly(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any
) -> None:
    send_passing(ada)

    assert deliver() == {"done": 1}

    [issued] = credly.badges()
    award = BadgeAward.objects.get()
    badge = CredlyBadge.objects.get()
    assert (issued.recipient_email, issued.badge_template_id) == ("ada@example.org", str(template.uuid))
    assert (issued.issued_to_first_name, issued.issued_to_last_name) == ("Ada", "Lovelace")
    assert issued.issued_at == award.awarded_at.replace(microsecond=0).isoformat(timespec="milliseconds").replace(
        "+00:00", "Z"
    )
    assert (str(badge.external_id), badge.state, badge.issued_at) == (issued.id, "pending", award.awarded_at)
    assert badge.url.endswith(issued.accept_token)
    assert (badge.pk, badge.username, badge.status) == (award.credential_id, "ada", "awarded")


def test_lost_and_earned_again(credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any) -> None:
    send_passing(ada, minute=1)
    deliver()
    first = credly.badges()[0]
    send_passing(ada, is_passing=False, minute=2)
    deliver()

    badge = CredlyBadge.objects.get()
    assert credly.world.badges[first.id].state == "revoked"
    assert (badge.status, badge.state, str(badge.external_id)) == ("revoked", "revoked", first.id)

    send_passing(ada, minute=3)
    deliver()

    badge = CredlyBadge.objects.get()
    [second] = credly.badges(state="pending")
    assert (badge.status, badge.state, str(badge.external_id)) == ("awarded", "pending", second.id)
    assert second.id != first.id
    assert credly.summary()["duplicate_issues"] == 0


def test_given_back_it_is_a_new_badge(credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any) -> None:
    """Credly cannot undo a revocation."""
    send_passing(ada)
    deliver()
    award = BadgeAward.objects.get()
    api.revoke_award(award, reason="Wrong list")
    deliver()
    api.give_back(award)
    deliver()

    badge = CredlyBadge.objects.get()
    [second] = credly.badges(state="pending")
    assert (badge.status, badge.state, str(badge.external_id)) == ("awarded", "pending", second.id)
    assert len(credly.badges()) == 2


def test_given_back_before_credly_heard_of_it_is_the_same_badge(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any
) -> None:
    send_passing(ada)
    deliver()
    award = BadgeAward.objects.get()
    api.revoke_award(award, reason="Wrong list")
    api.give_back(award)
    deliver()

    [issued] = credly.badges()
    badge = CredlyBadge.objects.get()
    assert (badge.status, badge.state, str(badge.external_id)) == ("awarded", "pending", issued.id)
    assert badge.url.endswith(issued.accept_token)


def test_a_revocation_in_doubt_is_found_although_the_address_has_changed(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any
) -> None:
    send_passing(ada, minute=1)
    deliver()
    ada.email = "ada@elsewhere.example"
    ada.save()
    credly.fail(applied=True, manner="drop", operation="revoke")
    send_passing(ada, minute=2, is_passing=False)

    assert deliver() == {"pending": 1, "done": 1}
    assert len(credly.requests("revoke")) == 1
    assert CredlyBadge.objects.get().state == "revoked"


@pytest.mark.parametrize(
    ("state", "has_url"), [("pending", False), ("accepted", True), ("rejected", False), ("revoked", False)]
)
def test_an_accepted_badge_has_a_public_url(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any, state: str, has_url: bool
) -> None:
    send_passing(ada)
    deliver()
    CredlyBadge.objects.update(state=state)
    [issued], award = credly.badges(), BadgeAward.objects.get()
    url = f"https://credly.com/badges/{issued.id}/public_url" if has_url else ""
    assert registry.get("credly").badge_url(award) == url


def test_many_urls_cost_as_many_queries_as_one_and_only_the_latest_award_has_one(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any
) -> None:
    for minute, is_passing in enumerate((True, False, True), start=1):
        send_passing(ada, is_passing=is_passing, minute=minute)
        deliver()
    for _ in range(3):
        send_passing(UserFactory.create(), minute=4)
    deliver()
    CredlyBadge.objects.update(state="accepted")
    awards = list(BadgeAward.objects.order_by("pk"))
    with CaptureQueriesContext(connection) as queries:
        urls = registry.get("credly").badge_urls(awards)
    assert (len(awards), set(urls)) == (5, {award.pk for award in awards[1:]})
    assert len(queries) == 2
    CredlyBadge.objects.update(url="")  # as for a retired learner
    assert registry.get("credly").badge_urls(awards) == {}
