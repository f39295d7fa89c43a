"""Circuit breaker per provider account: pause, rest, probe."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, When
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from badges_plugin.database import by_key
from badges_plugin.distribution import registry
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.distribution.reasons import localized
from badges_plugin.distribution.retry import Decision, RetryPolicy, State, Verdict, later, rest
from badges_plugin.logs import get_logger

logger = get_logger(__name__)


def _with_due(now: datetime) -> QuerySet[Channel]:
    """Return the channels that are neither paused nor resting and have due deliveries."""
    due = Delivery.objects.filter(channel=OuterRef("pk"), state=State.PENDING, next_attempt_at__lte=now)
    # Not Exists, nor a join: MariaDB would read all that is due, perhaps a million rows.
    return Channel.objects.alias(first_due=Subquery(due.values("pk")[:1])).filter(
        Channel.rested(now),
        first_due__isnull=False,
        backend__in=registry.slugs(),
        paused_reason="",
    )


def open_channels(now: datetime, policy: RetryPolicy) -> list[Channel]:
    """Return the channels that have due deliveries, which may be claimed without limit."""
    return list(_with_due(now).filter(failures__lt=policy.breaker_threshold))


def probe_channels(now: datetime, policy: RetryPolicy) -> Sequence[int]:
    """Return channels that were down and may be probed with one delivery. Each is given to one worker only."""
    # Without a rest where the threshold was lowered since the last failure.
    down = _with_due(now).filter(failures__gte=policy.breaker_threshold)
    won = []
    for channel in down:
        # The other workers wait until this probe's time is over, or its outcome sets another.
        until = later(now, rest(channel.failures, policy=policy) or policy.breaker_first)
        if Channel.objects.filter(pk=channel.pk, rest_until=channel.rest_until).update(rest_until=until):
            won.append(channel.pk)
    return won


def resume_changed_keys() -> int:
    """Resume channels whose key was changed, in the admin or in the settings. Return how many."""
    resumed = 0
    for channel in Channel.objects.filter(backend__in=registry.slugs()).exclude(paused_reason=""):
        if registry.get(channel.backend).fingerprint(channel.account) != channel.paused_fingerprint:
            resumed += resume(Channel.objects.filter(pk=channel.pk))
            logger.info("Channel %s resumes: its key has changed.", channel)
    return resumed


def resume(channels: QuerySet[Channel]) -> int:
    """Resume channels, whether paused or resting. Return how many were."""
    return (
        by_key(channels)
        .exclude(paused_reason="", failures=0, rest_until=None)
        .update(paused_reason="", paused_fingerprint="", failures=0, rest_until=None)
    )


def name(channel: Channel) -> str:
    """Return the name of a channel for staff: provider and account, if the backend is installed."""
    try:
        backend = registry.get(channel.backend)
    except KeyError:
        return str(channel)
    return f"{backend.name}: {backend.account_name(channel.account)}"


def on_hold_text(channel: Channel) -> str:
    """Return, for staff, that the deliveries of an account wait for its key, and why."""
    text = _("%(account)s is on hold. Its deliveries go on by themselves once its key works. Reason: %(reason)s")
    return text % {"account": name(channel), "reason": localized(channel.paused_reason)}


def status_text(backend: str, account: str) -> str:
    """Return, for staff, whether deliveries of the account are sent, and if not, why."""
    channel = Channel.objects.filter(backend=backend, account=account).first()
    if channel is not None and channel.paused_reason:
        text = _("Paused until the API key is corrected; badges wait. The provider's answer: %s")
        return text % localized(channel.paused_reason)
    if channel is not None and channel.rest_until is not None and channel.is_resting(timezone.now()):
        return _("Resting until %s") % date_format(timezone.localtime(channel.rest_until), "DATETIME_FORMAT")
    return _("working")


def key_accepted(backend: str, account: str) -> int:
    """End the pause of an account whose key the provider has accepted. Return how many channels were paused."""
    return resume(Channel.objects.filter(backend=backend, account=account).exclude(paused_reason=""))


def apply_verdict(
    channel: Channel, decision: Decision, *, fingerprint: str, now: datetime, policy: RetryPolicy
) -> None:
    """Update a channel after an attempt. ``fingerprint`` is that of the key that the attempt used.

    The key may have been changed during the attempt; then the new key must not be blamed.
    """
    mine = Channel.objects.filter(pk=channel.pk)
    match decision.verdict:
        case Verdict.WORKS:
            # No write in the normal case: all workers would contend for the one row. A rest that the provider asked for
            # meanwhile remains. In this order: MySQL sets one column after the other.
            was_down = When(failures__gte=policy.breaker_threshold, then=None)
            mine.filter(failures__gt=0).update(rest_until=Case(was_down, default=F("rest_until")), failures=0)
        case Verdict.STRIKE:
            mine.update(failures=F("failures") + 1)
            seconds = rest(mine.values_list("failures", flat=True).get(), policy=policy)
            if seconds is not None:
                _rest_at_least(mine, later(now, seconds))
        case Verdict.REST:
            _rest_at_least(mine, later(now, decision.channel_wait))
            logger.warning("Channel %s rests for %.0f s: %s", channel, decision.channel_wait, decision.reason)
        case Verdict.PAUSE:
            mine.update(paused_reason=decision.reason, paused_fingerprint=fingerprint)
            logger.error("Channel %s is paused: %s", channel, decision.reason)


def _rest_at_least(channel: QuerySet[Channel], until: datetime) -> None:
    """Extend a rest. Several attempts end at about the same time; the longest rest counts."""
    channel.filter(Q(rest_until=None) | Q(rest_until__lt=until)).update(rest_until=until)
