"""What follows from an outcome: one row for each kind of outcome and each rule of waiting."""

from __future__ import annotations

import pytest

from badges_plugin.distribution.data import Cancelled, Receipt
from badges_plugin.distribution.exceptions import (
    AlreadyIssued,
    NotSent,
    PermanentFailure,
    RejectedKey,
    TransientFailure,
)
from badges_plugin.distribution.retry import (
    Bug,
    Decision,
    Outcome,
    RetryPolicy,
    State,
    Verdict,
    backoff,
    decide,
    rest,
    spread,
)

POLICY = RetryPolicy(
    first=10, factor=2, cap=900, jitter=0, settle=20, throttled=60, breaker_threshold=3, breaker_cap=40
)


@pytest.mark.parametrize(
    ("outcome", "attempt", "expected"),
    [
        # Done is done.
        (Receipt("b1"), 1, Decision(State.DONE, Verdict.WORKS)),
        (Receipt("b1", adopted=True), 9, Decision(State.DONE, Verdict.WORKS)),
        (Cancelled("late"), 1, Decision(State.CANCELLED, Verdict.NOTHING, reason="late")),
        # A person has to act. An answer, even a refusal, says that the provider works.
        (PermanentFailure("no", status=422), 1, Decision(State.FAILED, Verdict.WORKS, reason="no")),
        (PermanentFailure("no e-mail"), 1, Decision(State.FAILED, Verdict.NOTHING, reason="no e-mail")),
        (AlreadyIssued("dup", status=422), 1, Decision(State.FAILED, Verdict.WORKS, reason="dup")),
        # A look-up that is refused settles nothing.
        (
            PermanentFailure("no", status=403, ambiguous=True),
            2,
            Decision(State.FAILED, Verdict.WORKS, in_doubt=True, reason="no"),
        ),
        # A bug may have happened after sending.
        (Bug("KeyError"), 1, Decision(State.FAILED, Verdict.NOTHING, in_doubt=True, reason="KeyError")),
        # Not the provider's fault, however often it happens.
        (NotSent("no turn"), 9, Decision(State.PENDING, Verdict.NOTHING, wait=10, reason="no turn")),
        (
            NotSent("no turn", ambiguous=True),
            9,
            Decision(State.PENDING, Verdict.NOTHING, in_doubt=True, wait=10, reason="no turn"),
        ),
        # The badge waits for the key, without losing time.
        (RejectedKey("401"), 7, Decision(State.PENDING, Verdict.PAUSE, reason="401")),
        (RejectedKey("401", ambiguous=True), 7, Decision(State.PENDING, Verdict.PAUSE, in_doubt=True, reason="401")),
        # Growing delays, up to the cap.
        (TransientFailure("down"), 1, Decision(State.PENDING, Verdict.STRIKE, wait=10, reason="down")),
        (TransientFailure("down"), 3, Decision(State.PENDING, Verdict.STRIKE, wait=40, reason="down")),
        (TransientFailure("down"), 5000, Decision(State.PENDING, Verdict.STRIKE, wait=900, reason="down")),
        # What may be under way is given time to arrive before it is looked up.
        (
            TransientFailure("time-out", ambiguous=True),
            1,
            Decision(State.PENDING, Verdict.STRIKE, in_doubt=True, wait=20, reason="time-out"),
        ),
        # The provider's wish is honored, for the badge or, when it is about all, for the account.
        (
            TransientFailure("busy", retry_after=300),
            1,
            Decision(State.PENDING, Verdict.STRIKE, wait=300, reason="busy"),
        ),
        (TransientFailure("busy", retry_after=3), 3, Decision(State.PENDING, Verdict.STRIKE, wait=40, reason="busy")),
        (
            TransientFailure("429", retry_after=300, throttled=True),
            1,
            Decision(State.PENDING, Verdict.REST, wait=300, channel_wait=300, reason="429"),
        ),
        # Without a wish there is a minute: Credly counts by minutes.
        (
            TransientFailure("429", throttled=True),
            1,
            Decision(State.PENDING, Verdict.REST, wait=60, channel_wait=60, reason="429"),
        ),
        # Nobody is kept waiting for a year by a header.
        (TransientFailure("?", retry_after=1e9), 1, Decision(State.PENDING, Verdict.STRIKE, wait=86_400, reason="?")),
    ],
)
def test_decide(outcome: Outcome, attempt: int, expected: Decision) -> None:
    assert decide(outcome, attempt=attempt, policy=POLICY, chance=0.5) == expected


@pytest.mark.parametrize(
    ("attempt", "seconds"),
    [(0, 5.0), (1, 5.0), (2, 15.0), (3, 45.0), (4, 50.0), (10**9, 50.0)],
)
def test_backoff_grows_to_its_cap(attempt: int, seconds: float) -> None:
    assert backoff(attempt, first=5, factor=3, cap=50) == seconds


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 75.0), (0.5, 100.0), (0.999, 124.95)])
def test_chance_spreads_a_delay_both_ways(chance: float, seconds: float) -> None:
    assert spread(100, jitter=0.25, chance=chance) == pytest.approx(seconds)


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_chance_never_brings_an_attempt_before_the_providers_wish(chance: float) -> None:
    policy = RetryPolicy(jitter=0.5)

    decision = decide(TransientFailure("busy", retry_after=100), attempt=1, policy=policy, chance=chance)

    assert decision.wait >= 100


@pytest.mark.parametrize(("failures", "seconds"), [(0, None), (2, None), (3, 5.0), (4, 10.0), (5, 20.0), (99, 40.0)])
def test_an_account_rests_after_failures_in_a_row(failures: int, seconds: float | None) -> None:
    assert rest(failures, policy=POLICY) == seconds
