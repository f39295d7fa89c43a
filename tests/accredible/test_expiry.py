"""A badge that expires, at Accredible, where revoking is letting expire."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from badges_plugin import api
from badges_plugin.distribution.accredible.models import AccredibleGroup
from badges_plugin.distribution.models import Delivery
from badges_plugin.models import BadgeAward
from badges_plugin.times import site_day, site_midnight
from sandbox.accredible import AccredibleSimulator
from tests.clock import Clock
from tests.distribution.worlds import deliver, expire_within
from tests.factories import at, send_passing


@pytest.fixture
def expiring(group: AccredibleGroup, clock: Clock) -> AccredibleGroup:
    expire_within(10, group, clock)
    return group


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland"])
def test_accredible_is_told_the_day_where_the_site_is_and_ends_the_badge_itself(
    accredible: AccredibleSimulator, expiring: AccredibleGroup, ada: Any, clock: Clock, settings: Any, zone: str
) -> None:
    settings.TIME_ZONE = zone
    send_passing(ada)
    deliver()
    [credential] = accredible.credentials()
    award = BadgeAward.objects.get()
    assert award.expires_at is not None
    day = site_day(award.expires_at)
    assert credential.expired_on == day
    assert Delivery.objects.get().expires_at == site_midnight(day)
    api.end_expired(clock.move_to(20))
    deliver()
    assert "expire" not in accredible.asked
    assert list(Delivery.objects.order_by("pk").values_list("action", "state")) == [("issue", "done")]


def test_a_badge_without_a_date_does_not_expire(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any
) -> None:
    send_passing(ada)
    deliver()
    assert accredible.credentials()[0].expired_on is None


def test_a_badge_that_is_revoked_before_its_date_ends_at_once(
    accredible: AccredibleSimulator, expiring: AccredibleGroup, ada: Any
) -> None:
    send_passing(ada)
    deliver()
    assert accredible.credentials()[0].is_alive
    send_passing(ada, is_passing=False, minute=1)
    deliver()
    assert list(Delivery.objects.order_by("pk").values_list("action", "state")) == [
        ("issue", "done"),
        ("revoke", "done"),
    ]
    ended_on = accredible.credentials()[0].expired_on
    assert ended_on is not None
    assert ended_on < site_day(BadgeAward.objects.get().expires_at or at(0))


def test_a_renewed_badge_is_another_one_with_its_own_date(
    accredible: AccredibleSimulator, expiring: AccredibleGroup, ada: Any, clock: Clock
) -> None:
    send_passing(ada)
    deliver()
    api.end_expired(clock.move_to(20))
    clock.move_to(21)
    accredible.credentials()[0].expired_on = site_day(clock.day(-5))  # over by the simulator's own clock, too
    send_passing(ada, minute=(clock() - at(0)) / timedelta(minutes=1))
    deliver()
    first, second = accredible.credentials()
    assert list(Delivery.objects.order_by("pk").values_list("external_id", "state")) == [
        (str(first.id), "done"),
        (str(second.id), "done"),
    ]
    assert second.expired_on == site_day(BadgeAward.objects.latest("number").expires_at or at(0))
