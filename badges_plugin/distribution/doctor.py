"""What `badges_doctor` says about deliveries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from badges_plugin.distribution import registry
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.distribution.retry import State
from badges_plugin.doctor import Finding, Reach, register

OVERDUE = timedelta(minutes=10)
"""A worker looks every few seconds; what has been due for longer is not looked at."""


def connect() -> None:
    """Called once badges are switched on."""
    register("deliveries", deliveries, reach=Reach.DATABASE)
    register("channels", channels, reach=Reach.DATABASE)


def deliveries() -> Iterator[Finding]:
    """A worker is at work, and nothing needs a person."""
    waiting = Delivery.objects.filter(
        state=State.PENDING,
        next_attempt_at__lt=timezone.now() - OVERDUE,
        channel__paused_reason="",
        channel__failures=0,
        channel__rest_until=None,
    )
    oldest = waiting.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
    if oldest is not None:
        minutes = round((timezone.now() - oldest).total_seconds() / 60)
        yield Finding.error(
            f"{waiting.count()} deliveries are due and nobody delivers them, the oldest for {minutes} minutes.",
            "Start the worker: manage.py deliver_badges. If it runs: start more, or raise --concurrency.",
        )
    failed = Delivery.objects.filter(state=State.FAILED).count()
    if failed:
        yield Finding.warning(
            f"{failed} deliveries need attention.",
            "Look at them in the admin: each says why. Remove the cause, then choose “Retry now”.",
        )
    if oldest is None and not failed:
        yield Finding.ok("No delivery is late or needs attention.")


def channels() -> Iterator[Finding]:
    """Nothing is paused, and every backend that has deliveries is installed."""
    installed = registry.slugs()
    for channel in Channel.objects.exclude(backend__in=installed).filter(deliveries__state=State.PENDING).distinct():
        yield Finding.error(
            f"Deliveries of {channel} wait for a backend that is not installed.",
            f"Install the backend “{channel.backend}”, or choose “Give up” for its deliveries in the admin.",
        )
    paused = Channel.objects.filter(backend__in=installed).exclude(paused_reason="")
    for channel in paused:
        yield Finding.error(
            f"Deliveries of {channel} are paused: {channel.paused_reason}",
            "Correct the API key; deliveries go on by themselves then.",
        )
    if not paused:
        yield Finding.ok("No channel is paused.")
