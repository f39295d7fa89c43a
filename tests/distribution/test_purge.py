"""What is forgotten, and what never is."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from badges_plugin.distribution.failures import PermanentFailure
from badges_plugin.distribution.models import Delivery, DeliveryAttempt
from badges_plugin.distribution.purge import Purged, purge
from badges_plugin.models import BadgeTemplate
from tests.distribution.fakes import Provider
from tests.distribution.worlds import deliver
from tests.factories import send_passing


@pytest.fixture
def history(ada: Any, template: BadgeTemplate, provider: Provider) -> None:
    """A badge that was earned, lost, and earned again: five deliveries' worth of rows, three deliveries."""
    for minute, is_passing in enumerate([True, False, True]):
        send_passing(ada, minute=minute, is_passing=is_passing)
        deliver()


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
        deliver()
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
