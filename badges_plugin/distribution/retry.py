"""What follows from the outcome of an attempt. Pure: time and chance are arguments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from badges_plugin.distribution.data import Cancelled, Receipt
from badges_plugin.distribution.exceptions import DeliveryFailure, NotSent, RejectedKey, TransientFailure


class State(StrEnum):
    """Where a delivery stands. ``docs`` has the picture."""

    PENDING = "pending"
    SENDING = "sending"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


SETTLED = (State.DONE, State.CANCELLED)
UNSETTLED = (State.PENDING, State.SENDING, State.FAILED)


class Verdict(StrEnum):
    """What an outcome says about the provider's account, as opposed to the one badge."""

    WORKS = "works"
    STRIKE = "strike"
    REST = "rest"
    PAUSE = "pause"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient we are. Delays in seconds; ``jitter`` is the share of a delay that chance may take away or add.

    ``settle``: an ambiguous request is not looked up before this time has passed, since it may still be under way.
    ``breaker_threshold``: so many failures in a row make an account rest; one probe at a time finds out whether it is
    back.
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
    """An exception that no backend may raise. ``sent`` is unknown then, so the delivery is in doubt."""

    reason: str


Outcome = Receipt | Cancelled | DeliveryFailure | Bug


@dataclass(frozen=True, slots=True)
class Decision:
    """The next state of a delivery and what becomes of its channel.

    ``wait`` in seconds, for pending and for a resting channel.
    """

    state: State
    verdict: Verdict
    in_doubt: bool = False
    wait: float = 0.0
    channel_wait: float = 0.0
    reason: str = ""


def backoff(attempt: int, *, first: float, factor: float, cap: float) -> float:
    """Seconds to wait after the attempt with this number (from 1): exponential, never above the cap."""
    # The exponent is bounded because a provider may be away for thousands of attempts, and floats are not.
    return min(cap, first * factor ** min(max(attempt, 1) - 1, 64))


def spread(delay: float, *, jitter: float, chance: float) -> float:
    """The delay moved by up to ``jitter`` of itself either way; ``chance`` is in [0, 1)."""
    return delay * (1 + jitter * (2 * chance - 1))


def decide(outcome: Outcome, *, attempt: int, policy: RetryPolicy, chance: float) -> Decision:
    """What to do after attempt number ``attempt`` (from 1) of a delivery.

    A failure itself says whether it leaves a doubt.
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
            # However often it happens: the attempts do not count against the badge.
            wait = spread(policy.first, jitter=policy.jitter, chance=chance)
            return Decision(
                State.PENDING, Verdict.NOTHING, in_doubt=outcome.ambiguous, wait=wait, reason=outcome.reason
            )
        case TransientFailure():
            return _try_again(outcome, attempt=attempt, policy=policy, chance=chance)
        case _:
            verdict = Verdict.WORKS if outcome.status is not None else Verdict.NOTHING
            return Decision(State.FAILED, verdict, in_doubt=outcome.ambiguous, reason=outcome.reason)


def _try_again(failure: TransientFailure, *, attempt: int, policy: RetryPolicy, chance: float) -> Decision:
    wish = min(failure.retry_after or 0.0, policy.longest_wish)
    wait = spread(
        backoff(attempt, first=policy.first, factor=policy.factor, cap=policy.cap),
        jitter=policy.jitter,
        chance=chance,
    )
    # Chance may not bring an attempt forward of what the provider asked for.
    wait = max(wait, wish * (1 + policy.jitter * chance))
    if failure.ambiguous:
        wait = max(wait, policy.settle)
    if failure.throttled:
        channel_wait = wish or policy.throttled
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
    """Seconds that a channel rests after so many failures in a row; None while it need not."""
    if failures < policy.breaker_threshold:
        return None
    return backoff(
        failures - policy.breaker_threshold + 1,
        first=policy.breaker_first,
        factor=policy.factor,
        cap=policy.breaker_cap,
    )


def later(now: datetime, seconds: float) -> datetime:
    """The instant so many seconds after ``now``."""
    return now + timedelta(seconds=seconds)
