"""A badge that expires, at Credly."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation
from django.utils.dateparse import parse_datetime

from badges_plugin import api
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate
from badges_plugin.distribution.data import Action
from badges_plugin.distribution.models import Delivery, DeliveryAttempt
from badges_plugin.models import BadgeAward
from sandbox.credly import CredlySimulator
from tests.catalog import write_catalog
from tests.clock import Clock
from tests.distribution.worlds import deliver, expire_within
from tests.factories import at, send_passing


@pytest.fixture
def expiring(template: CredlyBadgeTemplate, clock: Clock) -> CredlyBadgeTemplate:
    expire_within(10, template, clock)
    return template


def minutes(clock: Clock) -> float:
    return (clock() - at(0)) / timedelta(minutes=1)


def test_credly_is_told_the_date_and_ends_the_badge_itself(
    credly: CredlySimulator, expiring: CredlyBadgeTemplate, ada: Any, clock: Clock
) -> None:
    send_passing(ada)
    deliver()
    [badge] = credly.badges()
    award = BadgeAward.objects.get()
    assert award.expires_at is not None
    assert parse_datetime(badge.expires_at or "") == award.expires_at.replace(microsecond=0)
    assert Delivery.objects.get().expires_at == award.expires_at.replace(microsecond=0)
    api.end_expired(clock.move_to(20))
    deliver()
    assert credly.requests("revoke") == []
    assert list(Delivery.objects.order_by("pk").values_list("action", "state")) == [("issue", "done")]


def test_a_badge_without_a_date_is_left_to_the_template_at_credly(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any
) -> None:
    send_passing(ada)
    deliver()
    [badge] = credly.badges()
    assert (badge.expires_at, Delivery.objects.get().expires_at) == (None, None)


def test_it_can_be_revoked_before_its_date(
    credly: CredlySimulator, expiring: CredlyBadgeTemplate, ada: Any, clock: Clock
) -> None:
    send_passing(ada)
    deliver()
    send_passing(ada, is_passing=False, minute=1)
    deliver()
    assert [badge.state for badge in credly.badges()] == ["revoked"]


def test_a_renewed_badge_is_another_one_with_its_own_date(
    credly: CredlySimulator, expiring: CredlyBadgeTemplate, ada: Any, clock: Clock
) -> None:
    """To Credly the learner has the badge still, and the template allows no duplicates."""
    send_passing(ada)
    deliver()
    api.end_expired(clock.move_to(20))
    clock.move_to(21)
    send_passing(ada, minute=minutes(clock))
    deliver()
    first, second = credly.badges()
    assert list(Delivery.objects.order_by("pk").values_list("external_id", "state")) == [
        (first.id, "done"),
        (second.id, "done"),
    ]
    assert parse_datetime(second.expires_at or "") > parse_datetime(first.expires_at or "")  # type: ignore[operator]


def test_a_badge_is_issued_again_that_was_renewed_and_lost(
    credly: CredlySimulator, expiring: CredlyBadgeTemplate, ada: Any, clock: Clock
) -> None:
    """To Credly the learner has the first one still, which has expired."""
    send_passing(ada)
    deliver()
    api.end_expired(clock.move_to(20))
    for day, is_passing in ((21, True), (22, False), (23, True)):
        clock.move_to(day)
        send_passing(ada, minute=minutes(clock), is_passing=is_passing)
        deliver()
    assert [badge.state for badge in credly.badges()] == ["pending", "revoked", "pending"]
    assert {delivery.state for delivery in Delivery.objects.all()} == {"done"}


@pytest.mark.parametrize("arrived", [True, False])
def test_the_issue_of_a_renewed_badge_is_never_taken_for_the_old_one(
    credly: CredlySimulator, expiring: CredlyBadgeTemplate, ada: Any, clock: Clock, arrived: bool
) -> None:
    """Not even when what is known of the old one was purged."""
    send_passing(ada)
    deliver()
    api.end_expired(clock.move_to(20))
    Delivery.objects.all().delete()
    clock.move_to(21)
    credly.fail(applied=arrived, manner="drop", operation="issue")
    send_passing(ada, minute=minutes(clock))
    deliver()
    first, second = credly.badges()
    assert Delivery.objects.get().external_id == second.id != first.id


def test_a_badge_that_somebody_issued_without_a_date_is_adopted_and_revoked_at_the_end(
    credly: CredlySimulator, expiring: CredlyBadgeTemplate, ada: Any, clock: Clock
) -> None:
    send_passing(ada)
    deliver()
    [badge] = credly.badges()
    badge.expires_at = badge.issuer_earner_id = None
    Delivery.objects.update(state="pending", in_doubt=True, expires_at=None)
    deliver()
    assert DeliveryAttempt.objects.latest("pk").outcome == "adopted"
    api.end_expired(clock.move_to(20))
    deliver()
    assert credly.badges()[0].revocation_reason == BadgeAward.objects.get().reason
    assert list(Delivery.objects.order_by("pk").values_list("action", "state")) == [
        ("issue", "done"),
        (Action.REVOKE, "done"),
    ]


@pytest.mark.parametrize(("locale", "expected"), [("", "Expired on"), ("de", "Abgelaufen am")])
def test_the_reason_is_in_the_language_of_the_badges_at_credly(
    credly: CredlySimulator, expiring: CredlyBadgeTemplate, ada: Any, clock: Clock, settings: Any, tmp_path: Any,
    locale: str, expected: str,
) -> None:  # fmt: skip
    write_catalog(tmp_path, "de", {"Expired on %(day)s.": "Abgelaufen am %(day)s."})
    settings.LOCALE_PATHS = [str(tmp_path)]
    settings.BADGES_CONFIG["credly"] |= {"LOCALE": locale}
    send_passing(ada)
    deliver()
    Delivery.objects.update(expires_at=None)
    api.end_expired(clock.move_to(20))
    with translation.override("fr"):  # whoever is at work
        deliver()
    assert (credly.badges()[0].revocation_reason or "").startswith(expected)
