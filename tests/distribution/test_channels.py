"""What attempts that end at about the same time make of their channel's rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Exists, OuterRef

from badges_plugin.distribution.channels import apply_verdict, resume
from badges_plugin.distribution.models import Channel
from badges_plugin.distribution.retry import Decision, RetryPolicy, State, Verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = RetryPolicy(breaker_threshold=3, breaker_first=5, breaker_cap=300)
WORKS = Decision(State.DONE, Verdict.WORKS)
STRIKE = Decision(State.PENDING, Verdict.STRIKE)
REST = Decision(State.PENDING, Verdict.REST, channel_wait=60)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("failures", "rests_for", "decision", "expected"),
    [
        # A late success does not end the rest that the provider asked another attempt for.
        (1, 60, WORKS, 60),
        (0, 60, WORKS, 60),
        # The probe of a channel that was down has found it working.
        (3, 60, WORKS, None),
        # A failure never shortens a rest.
        (2, 60, STRIKE, 60),
        (2, None, STRIKE, 5),
        (2, 1, STRIKE, 5),
        (0, None, STRIKE, None),
        # Nor does a shorter wish.
        (0, 90, REST, 90),
        (0, None, REST, 60),
        (0, 30, REST, 60),
    ],
)
def test_the_longest_rest_holds(failures: int, rests_for: int | None, decision: Decision, expected: int | None) -> None:
    rest_until = None if rests_for is None else NOW + timedelta(seconds=rests_for)
    channel = Channel.objects.create(backend="fake", account="one", failures=failures, rest_until=rest_until)
    apply_verdict(channel, decision, fingerprint="", now=NOW, policy=POLICY)
    channel.refresh_from_db()
    assert channel.rest_until == (None if expected is None else NOW + timedelta(seconds=expected))


@pytest.mark.django_db
def test_a1_a_paused_channel_resumes_whatever_list_it_was_chosen_from() -> None:
    paused = Channel.objects.create(backend="fake", account="1", paused_reason="Wrong key.", failures=2)
    working = Channel.objects.create(backend="fake", account="2")
    # As a search in the admin leaves it: with a condition on the channels themselves.
    chosen = Channel.objects.filter(Exists(Channel.objects.filter(pk=OuterRef("pk"), backend="fake")))
    assert resume(chosen) == 1
    paused.refresh_from_db()
    assert (paused.paused_reason, paused.failures) == ("", 0)
    assert resume(Channel.objects.filter(pk=working.pk)) == 0
    assert resume(Channel.objects.none()) == 0
