"""Examine deliveries: the Django check of their settings, and the probes of ``badges_doctor``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.apps import AppConfig
from django.core import checks
from django.utils import timezone

from badges_plugin import doctor
from badges_plugin.conf import CHECK_TAG
from badges_plugin.distribution import channels as circuit
from badges_plugin.distribution import keys, purge, registry
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.distribution.retry import State
from badges_plugin.doctor import Finding, Reach
from badges_plugin.sections import errors_in

OVERDUE = timedelta(minutes=10)
"""A worker looks every few seconds; a delivery that has been due for longer has no worker."""

FAILING = timedelta(days=1)
"""If a provider is down for so long, somebody should know."""

BEHIND = timedelta(days=2)
"""A running worker deletes within the hour; it may have been down for a weekend."""


def connect() -> None:
    """Register the check with Django and the probes with ``badges_doctor``."""
    checks.register(check_settings, CHECK_TAG)
    doctor.register("deliveries", deliveries, reach=Reach.DATABASE)
    doctor.register("channels", channels, reach=Reach.DATABASE)
    doctor.register("keys", stored_keys, reach=Reach.DATABASE)
    doctor.register("old deliveries", old_deliveries, reach=Reach.DATABASE)


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[checks.CheckMessage]:
    """E001: BADGES_CONFIG["distribution"] cannot be used."""
    return errors_in(config, check_id="badges_distribution.E001")


def deliveries() -> Iterator[Finding]:
    """Check that a worker runs, and that no delivery needs attention."""
    late = timezone.now() - OVERDUE
    waiting = Delivery.objects.filter(
        Channel.rested(late, "channel__"),
        state=State.PENDING,
        next_attempt_at__lt=late,
        channel__paused_reason="",
        channel__failures=0,
    )
    oldest = waiting.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
    if oldest is not None:
        minutes = round((timezone.now() - oldest).total_seconds() / 60)
        yield Finding.error(
            f"{waiting.count()} deliveries are due and not delivered, the oldest for {minutes} minutes.",
            "Start the worker: manage.py deliver_badges. If it is running, start more, or raise --concurrency.",
        )
    failed = Delivery.objects.filter(state=State.FAILED).count()
    if failed:
        yield Finding.warning(
            f"{failed} deliveries need attention.",
            "See the reasons in the admin. Remove the cause, then choose “Try again”.",
        )
    stuck = Delivery.objects.filter(
        state=State.PENDING, attempts__gt=0, created__lt=timezone.now() - FAILING, channel__paused_reason=""
    )
    example = stuck.order_by("created").first()
    if example is not None:
        yield Finding.warning(
            f"{stuck.count()} deliveries have failed for more than a day, the oldest since "
            f"{example.created:%Y-%m-%d}: {example.last_error}",
            "If the provider is down, they are delivered once it is back. Otherwise see the reasons in the admin.",
        )
    if oldest is None and not failed and example is None:
        yield Finding.ok("No delivery is late or needs attention.")


def channels() -> Iterator[Finding]:
    """Check that no channel is paused, and that every backend with deliveries is installed."""
    installed = registry.slugs()
    stranded = Channel.objects.exclude(backend__in=installed).filter(deliveries__state=State.PENDING)
    for channel in stranded.distinct().order_by("pk"):
        yield Finding.error(
            f"Deliveries of {channel} wait for a backend that is not installed.",
            f"Install the backend “{channel.backend}”, or choose “Give up” for its deliveries in the admin.",
        )
    paused = Channel.objects.filter(backend__in=installed).exclude(paused_reason="").order_by("pk")
    for channel in paused:
        yield Finding.error(
            f"Deliveries of {circuit.name(channel)} are paused: {channel.paused_reason}",
            "Correct the API key; the deliveries are then sent.",
        )
    if not paused:
        yield Finding.ok("No channel is paused.")


def stored_keys() -> Iterator[Finding]:
    """Check that every stored API key can be read, also once SECRET_KEY_FALLBACKS is emptied."""
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
            "Run manage.py badges_reencrypt_keys, or start a worker, before you empty SECRET_KEY_FALLBACKS.",
        )
    if not found.renewed and not found.unreadable:
        yield Finding.ok("All stored API keys can be read.")


def old_deliveries() -> Iterator[Finding]:
    """Check that old attempts and deliveries are deleted."""
    settings, before = config(), timezone.now() - BEHIND
    for name in ("keep_attempts_days", "keep_deliveries_days"):
        if getattr(settings, name) is None:
            yield Finding.warning(
                f'The tables of deliveries grow without limit: BADGES_CONFIG["distribution"]["{name}"] is 0.',
                "Set it to a number of days, or run manage.py purge_deliveries with options of your own.",
            )
    number = purge.old_attempts(before, settings.keep_attempts_days).count()
    number += purge.old_deliveries(before, settings.keep_deliveries_days).count()
    if number:
        yield Finding.warning(
            f"{number} old attempts and deliveries should have been deleted by now.",
            "Start a worker (manage.py deliver_badges): it deletes them. If one runs, its log says why it does not.",
        )
