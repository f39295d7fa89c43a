"""Decide what follows from the outcome of an attempt. Pure: time and chance are arguments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from badges_plugin.distribution.data import Cancelled, Receipt
from badges_plugin.distribution.exceptions import DeliveryFailure, NotSent, RejectedKey, TransientFailure


class State(TextChoices):
    """The state of a delivery. ``docs/reference/deliveries.rst`` has a diagram."""

    PENDING = "pending", _("waiting")
    SENDING = "sending", _("being sent")
    DONE = "done", _("delivered")
    CANCELLED = "cancelled", _("cancelled")
    GIVEN_UP = "given_up", _("given up")
    FAILED = "failed", _("needs attention")


SETTLED = (State.DONE, State.CANCELLED, State.GIVEN_UP)
NOT_DELIVERED = (State.CANCELLED, State.GIVEN_UP)
"""Settled without the provider having been told."""
UNSETTLED = (State.PENDING, State.SENDING, State.FAILED)
OPEN = (State.FAILED, State.PENDING)
"""Nobody is sending it: it can be tried again, and given up."""


class Verdict(StrEnum):
    """The meaning of an outcome for the provider's account, as opposed to the badge."""

    WORKS = "works"
    STRIKE = "strike"
    REST = "rest"
    PAUSE = "pause"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to retry. Delays in seconds; ``jitter`` is the share of a delay that chance may subtract or add.

    ``settle``: an ambiguous request is looked up only after this time, since it may still be in progress.
    ``breaker_threshold``: after so many failures in a row an account rests; one probe at a time finds out whether it is
    available again.
    """

    first: float = 10.0
    factor: float = 2.0
    cap: float = 900.0
    jitter: float = 0.25
    settle: float = 20.0
    throttled: float = 60.0
    longest_wish: float = 86_400.0
    breaker_threshold: int = 5
    breaker_first: float = 5.0
    breaker_cap: float = 300.0


@dataclass(frozen=True, slots=True)
class Bug:
    """An exception that no backend may raise. Whether anything was sent is unknown, so the delivery is in doubt."""

    reason: str


Outcome = Receipt | Cancelled | DeliveryFailure | Bug


@dataclass(frozen=True, slots=True)
class Decision:
    """The next state of a delivery and the verdict on its channel.

    ``wait`` and ``channel_wait`` in seconds: until the next attempt, and until the end of the channel's rest.
    """

    state: State
    verdict: Verdict
    in_doubt: bool = False
    wait: float = 0.0
    channel_wait: float = 0.0
    reason: str = ""


def backoff(attempt: int, *, first: float, factor: float, cap: float) -> float:
    """Return the delay in seconds after the attempt with this number (from 1): exponential, never above the cap."""
    # The exponent is bounded: a provider may be away for thousands of attempts, and a float would overflow.
    return min(cap, first * factor ** min(max(attempt, 1) - 1, 64))


def spread(delay: float, *, jitter: float, chance: float) -> float:
    """Return the delay, changed by up to ``jitter`` of itself either way; ``chance`` is in [0, 1)."""
    return delay * (1 + jitter * (2 * chance - 1))


def decide(outcome: Outcome, *, attempt: int, policy: RetryPolicy, chance: float) -> Decision:
    """Return the decision after attempt number ``attempt`` (from 1) of a delivery.

    A failure itself says whether the delivery is in doubt.
    """
    match outcome:
        case Receipt():
            return Decision(State.DONE, Verdict.WORKS)
        case Cancelled(reason=reason):
            return Decision(State.CANCELLED, Verdict.NOTHING, reason=reason)
        case Bug(reason=reason):
            return Decision(State.FAILED, Verdict.NOTHING, in_doubt=True, reason=reason)
        case RejectedKey():
            return Decision(State.PENDING, Verdict.PAUSE, in_doubt=outcome.ambiguous, reason=outcome.reason)
        case NotSent():
            # However often it happens: these attempts do not lengthen the delay.
            wait = spread(policy.first, jitter=policy.jitter, chance=chance)
            return Decision(
                State.PENDING, Verdict.NOTHING, in_doubt=outcome.ambiguous, wait=wait, reason=outcome.reason
            )
        case TransientFailure():
            return _retry(outcome, attempt=attempt, policy=policy, chance=chance)
        case _:
            verdict = Verdict.WORKS if outcome.status is not None else Verdict.NOTHING
            return Decision(State.FAILED, verdict, in_doubt=outcome.ambiguous, reason=outcome.reason)


def _retry(failure: TransientFailure, *, attempt: int, policy: RetryPolicy, chance: float) -> Decision:
    requested = min(failure.retry_after or 0.0, policy.longest_wish)
    wait = spread(
        backoff(attempt, first=policy.first, factor=policy.factor, cap=policy.cap),
        jitter=policy.jitter,
        chance=chance,
    )
    # Jitter may not make an attempt earlier than the provider asked for.
    wait = max(wait, requested * (1 + policy.jitter * chance))
    if failure.ambiguous:
        wait = max(wait, policy.settle)
    if failure.throttled:
        channel_wait = requested or policy.throttled
        return Decision(
            State.PENDING,
            Verdict.REST,
            in_doubt=failure.ambiguous,
            wait=max(wait, channel_wait),
            channel_wait=channel_wait,
            reason=failure.reason,
        )
    return Decision(State.PENDING, Verdict.STRIKE, in_doubt=failure.ambiguous, wait=wait, reason=failure.reason)


def rest(failures: int, *, policy: RetryPolicy) -> float | None:
    """Return the seconds that a channel rests after so many failures in a row; None below the threshold."""
    if failures < policy.breaker_threshold:
        return None
    return backoff(
        failures - policy.breaker_threshold + 1,
        first=policy.breaker_first,
        factor=policy.factor,
        cap=policy.breaker_cap,
    )


def later(now: datetime, seconds: float) -> datetime:
    """Return the instant so many seconds after ``now``."""
    return now + timedelta(seconds=seconds)
