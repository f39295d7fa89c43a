"""What ``badges_doctor`` says about deliveries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from badges_plugin.distribution import channels as traffic
from badges_plugin.distribution import keys, purge, registry
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.distribution.retry import State
from badges_plugin.doctor import Finding, Reach, register

OVERDUE = timedelta(minutes=10)
"""A worker looks every few seconds; what has been due for longer is not looked at."""

IN_VAIN = timedelta(days=1)
"""A provider is not away for so long without somebody having to know."""

BEHIND = timedelta(days=2)
"""A worker that runs deletes within the hour; one may have been away for a weekend."""


def connect() -> None:
    """Called once badges are switched on."""
    register("deliveries", deliveries, reach=Reach.DATABASE)
    register("channels", channels, reach=Reach.DATABASE)
    register("keys", stored_keys, reach=Reach.DATABASE)
    register("old deliveries", old_deliveries, reach=Reach.DATABASE)


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
    stuck = Delivery.objects.filter(
        state=State.PENDING, attempts__gt=0, created__lt=timezone.now() - IN_VAIN, channel__paused_reason=""
    )
    example = stuck.order_by("created").first()
    if example is not None:
        yield Finding.warning(
            f"{stuck.count()} deliveries have been tried in vain for more than a day, the oldest since "
            f"{example.created:%Y-%m-%d}: {example.last_error}",
            "The provider may be down: then they go on by themselves. Otherwise look at them in the admin.",
        )
    if oldest is None and not failed and example is None:
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
            f"Deliveries of {traffic.name(channel)} are paused: {channel.paused_reason}",
            "Correct the API key; deliveries go on by themselves then.",
        )
    if not paused:
        yield Finding.ok("No channel is paused.")


def stored_keys() -> Iterator[Finding]:
    """Every stored API key can be read, and will be when SECRET_KEY_FALLBACKS are emptied."""
    found = keys.reencrypt(dry_run=True)
    for account in found.unreadable:
        yield Finding.error(
            f"The stored API key of {account} cannot be read since SECRET_KEY changed.",
            "Add the old SECRET_KEY to SECRET_KEY_FALLBACKS and run manage.py badges_reencrypt_keys, or enter the API "
            "key again in the admin.",
        )
    if found.renewed:
        yield Finding.warning(
            f"{found.renewed} stored API keys are encrypted under an old SECRET_KEY.",
            "Run manage.py badges_reencrypt_keys, or start a worker, before the old one leaves SECRET_KEY_FALLBACKS.",
        )
    if not found.renewed and not found.unreadable:
        yield Finding.ok("All stored API keys can be read.")


def old_deliveries() -> Iterator[Finding]:
    """Attempts and deliveries do not stay for ever."""
    settings, before = config(), timezone.now() - BEHIND
    for name in ("keep_attempts_days", "keep_deliveries_days"):
        if getattr(settings, name) is None:
            yield Finding.warning(
                f'The tables of deliveries grow without an end: BADGES_CONFIG["distribution"]["{name}"] is 0.',
                "Set it to a number of days, or run manage.py purge_deliveries with options of your own.",
            )
    number = purge.old_attempts(before, settings.keep_attempts_days).count()
    number += purge.old_deliveries(before, settings.keep_deliveries_days).count()
    if number:
        yield Finding.warning(
            f"{number} old attempts and deliveries should have been deleted by now.",
            "Start a worker (manage.py deliver_badges): it deletes them. One that runs logs why it does not.",
        )
