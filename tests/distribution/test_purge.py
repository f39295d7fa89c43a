"""What is forgotten, and what never is."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from badges_plugin.distribution import checks
from badges_plugin.distribution import purge as purge_module
from badges_plugin.distribution.exceptions import PermanentFailure, TransientFailure
from badges_plugin.distribution.models import Delivery, DeliveryAttempt
from badges_plugin.distribution.purge import Purged, purge, purge_a_batch
from badges_plugin.doctor import Level
from badges_plugin.models import BadgeTemplate
from tests.distribution.fakes import Provider
from tests.distribution.worlds import deliver
from tests.factories import send_passing
from tests.limits import Lower


@pytest.fixture
def history(ada: Any, template: BadgeTemplate, provider: Provider) -> None:
    """A badge that was earned, lost, and earned again: five deliveries' worth of rows, three deliveries."""
    for minute, is_passing in enumerate([True, False, True]):
        send_passing(ada, minute=minute, is_passing=is_passing)
        deliver(chores=True)


def age(days: int) -> None:
    past = timezone.now() - timedelta(days=days)
    Delivery.objects.exclude(settled_at=None).update(settled_at=past)
    DeliveryAttempt.objects.update(started_at=past)


@pytest.mark.usefixtures("history")
def test_young_rows_stay() -> None:
    age(10)

    assert purge(timezone.now(), attempts_days=11, deliveries_days=11) == Purged(0, 0)


@pytest.mark.usefixtures("history")
def test_old_attempts_go_and_the_issue_of_a_badge_that_stands_stays() -> None:
    age(10)

    assert purge(timezone.now(), attempts_days=9, deliveries_days=9) == Purged(3, 2)
    assert list(Delivery.objects.values_list("award__number", "action", "external_id")) == [(2, "issue", "badge-2")]


def test_what_is_not_settled_stays(ada: Any, template: BadgeTemplate, provider: Provider) -> None:
    provider.before = [None, PermanentFailure("replaced", status=422)]
    for minute, is_passing in enumerate([True, False]):
        send_passing(ada, minute=minute, is_passing=is_passing)
        deliver(chores=True)
    age(10)

    assert purge(timezone.now(), attempts_days=9, deliveries_days=9) == Purged(1, 0)


@pytest.mark.usefixtures("history")
def test_the_command_counts_first() -> None:
    age(10)
    out = StringIO()
    call_command("purge_deliveries", "--attempts-days=9", "--deliveries-days=9", "--dry-run", stdout=out)
    assert out.getvalue() == "3 attempts and 2 deliveries would be deleted.\n"

    for days in ("-1", "9999999999", "x"):
        with pytest.raises(CommandError, match="a number of days"):
            call_command("purge_deliveries", f"--attempts-days={days}")
    assert DeliveryAttempt.objects.count() == 3

    call_command("purge_deliveries", stdout=out)
    assert Delivery.objects.count() == 3


@pytest.mark.parametrize("days", [5, 0, None])
@pytest.mark.usefixtures("history")
def test_f10_the_worker_deletes_what_is_old_unless_it_is_to_stay(settings: Any, days: int | None) -> None:
    age(10)
    settings.BADGES_CONFIG["distribution"] |= {"keep_attempts_days": days, "keep_deliveries_days": days}
    findings = [finding.level for finding in checks.old_deliveries()]
    deliver(chores=True)

    left = (DeliveryAttempt.objects.count(), Delivery.objects.count())
    assert (left, findings) == (((0, 1), [Level.WARNING]) if days else ((3, 3), [Level.WARNING] * 2))
    if days:
        assert list(checks.old_deliveries()) == []


@pytest.mark.usefixtures("history")
def test_f10_much_is_deleted_in_small_steps(lower: Lower) -> None:
    lower(purge_module, _BATCH=2)
    age(1000)

    now = timezone.now()
    left = [(purge_a_batch(now), DeliveryAttempt.objects.count()) for _ in range(3)]
    # The deliveries take their attempts with them.
    assert left == [(True, 1), (False, 0), (False, 0)]


def test_f10_a_delivery_that_is_tried_in_vain_keeps_its_last_attempt(
    ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    provider.before = [TransientFailure("down")] * 6
    send_passing(ada)
    deliver(chores=True)
    delivery = Delivery.objects.get()
    Delivery.objects.update(state="pending", next_attempt_at=timezone.now() + timedelta(days=1))
    age(1000)

    purge_a_batch(timezone.now())
    assert [attempt.number for attempt in DeliveryAttempt.objects.all()] == [delivery.attempts]
