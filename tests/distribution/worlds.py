"""Settings for tests of deliveries: nothing waits, unless a test is about waiting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import OperationalError
from django.utils import timezone

from badges_plugin.distribution.conf import config
from badges_plugin.distribution.housekeeping import Housekeeping
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.distribution.worker import Worker
from badges_plugin.models import BadgeTemplate
from tests.clock import Clock
from tests.factories import at


def settings_of_deliveries(**changes: float) -> dict[str, float]:
    """BADGES_CONFIG["distribution"] for impatient tests."""
    return {
        "lease": 60.0,
        "request_timeout": 2.0,
        "retry_first": 0.0,
        "retry_settle": 0.0,
        "retry_jitter": 0.0,
        "retry_throttled": 60.0,
        "retry_breaker_first": 0.0,
        **changes,
    }


def deliver(*, concurrency: int = 2, chores: bool = False) -> dict[str, int]:
    """Run a worker until nothing is due; returns how often each result came.

    Without the ``chores`` that every worker does when it starts, which take a third of the time of a delivery.
    """
    housekeeping = Housekeeping() if chores else Housekeeping([])
    worker = Worker(config(), concurrency=concurrency, interval=0.01, name="test", housekeeping=housekeeping)
    return dict(worker.run(once=True))


def set_up_ace(settings: Any) -> None:
    """Let the host send mails by edx-ace. ``settings``: pytest-django's fixture."""
    settings.ACE_ENABLED_CHANNELS = ["django_email"]
    settings.ACE_ENABLED_POLICIES = []
    settings.ACE_CHANNEL_DEFAULT_EMAIL = "django_email"
    settings.ACE_CHANNEL_TRANSACTIONAL_EMAIL = "django_email"


def refuse_emojis(execute: Any, sql: str, params: Any, *args: Any) -> Any:
    """What MySQL and MariaDB say to an emoji where a table is in utf8mb3, as if it were their failure."""
    if any("\U0001f600" in str(param) for param in params or ()):
        raise OperationalError(1366, "Incorrect string value")
    return execute(sql, params, *args)


def let_time_pass() -> None:
    """As if a day had gone by: waiting deliveries are due, claims have expired, resting channels are open."""
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.filter(state="pending").update(next_attempt_at=past)
    Delivery.objects.filter(state="sending").update(claimed_until=past)
    Channel.objects.exclude(rest_until=None).update(rest_until=past)


def expire_within(days: int, template: BadgeTemplate, clock: Clock) -> None:
    """Let badges of a template that are earned at the tests' epoch expire within so many days from now."""
    template.valid_days = (clock.start - at(0)).days + days
    template.save()
