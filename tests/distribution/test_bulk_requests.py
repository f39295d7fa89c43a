"""Many badges in one request: none is lost, none is issued twice, and what is wrong with one harms no other."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from badges_plugin.distribution.bulk_requests import bundles, carry_out_all
from badges_plugin.distribution.claims import claim
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.delivery import prepare
from badges_plugin.distribution.exceptions import PermanentFailure, RejectedKey, TransientFailure
from badges_plugin.distribution.models import Channel, Delivery, DeliveryAttempt
from badges_plugin.distribution.recording import record_all
from badges_plugin.distribution.requests import Job
from badges_plugin.distribution.retry import Bug
from badges_plugin.host import User
from badges_plugin.models import BadgeTemplate
from tests.distribution.fakes import FakeBackend, Provider
from tests.distribution.worlds import deliver, let_time_pass, settings_of_deliveries
from tests.factories import UserFactory, send_passing

BULK = 4


@pytest.fixture
def learners(template: BadgeTemplate, backend: FakeBackend) -> list[Any]:
    """Learners who have earned the badge, one more than a request takes."""
    backend.largest_bulk = BULK
    learners = [UserFactory.create(full_name=f"Learner Number {number}") for number in range(BULK + 1)]
    for learner in learners:
        send_passing(learner)
    return learners


@pytest.fixture
def patience(settings: Any) -> None:
    """Whatever fails is not tried again before time has passed."""
    settings.BADGES_CONFIG = {"distribution": settings_of_deliveries(retry_first=60.0, retry_settle=60.0)}


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def group() -> list[Job]:
    """The jobs of the first request, claimed by a worker with room for one."""
    taken = claim(1, worker="test", lease=60, now=timezone.now(), policy=config().retry)
    [jobs] = bundles(prepare(taken, config()), requests=1)
    return jobs


def test_a_single_award_is_sent_by_itself(template: BadgeTemplate, backend: FakeBackend, ada: Any) -> None:
    backend.largest_bulk = BULK
    send_passing(ada)
    deliver()

    assert backend.provider.asked == ["issue"]


def test_as_many_as_there_are_free_threads_are_sent_one_by_one(learners: list[Any], provider: Provider) -> None:
    deliver(concurrency=BULK)

    assert Counter(provider.asked) == {"issue": BULK + 1}


def test_a_backlog_is_sent_in_full_requests(learners: list[Any], provider: Provider) -> None:
    deliver(concurrency=1)

    assert provider.asked == ["issue_many", "issue"]
    assert states() == ["done"] * (BULK + 1)
    assert sorted(provider.owners.values()) == sorted(learner.email for learner in learners)
    assert DeliveryAttempt.objects.filter(outcome="delivered").count() == BULK + 1


def test_a_backend_that_cannot_is_not_asked_to(learners: list[Any], backend: FakeBackend) -> None:
    backend.largest_bulk = 1
    deliver(concurrency=1)

    assert Counter(backend.provider.asked) == {"issue": BULK + 1}


# Refused with its own answer, with the whole request because of its content, and with it for another reason.
@pytest.mark.parametrize("status", [0, 422, 404])
def test_one_that_is_refused_harms_no_other(learners: list[Any], provider: Provider, status: int) -> None:
    provider.refused, provider.all_or_nothing = {learners[1].email}, status
    deliver(concurrency=1)

    assert states() == ["done", "failed", "done", "done", "done"]
    assert sorted(provider.owners.values()) == sorted(each.email for each in learners if each != learners[1])
    assert not Delivery.objects.filter(in_doubt=True).exists()


@pytest.mark.parametrize("arrived", [True, False])
def test_each_badge_of_an_ambiguous_request_is_looked_up(
    learners: list[Any], provider: Provider, arrived: bool, patience: None
) -> None:
    lost = TransientFailure("no answer", ambiguous=True)
    (provider.after if arrived else provider.before).append(lost)
    deliver(concurrency=1)
    assert Delivery.objects.filter(in_doubt=True).count() == BULK
    # One request failed, so one failure in a row; then another succeeded.
    assert Channel.objects.get().failures == 0
    let_time_pass()
    deliver(concurrency=1)

    assert states() == ["done"] * (BULK + 1)
    assert len(provider.live()) == len(learners)
    assert provider.asked.count("issue_many") == 1
    assert provider.asked.count("find") >= BULK


def test_a_request_for_many_that_fails_is_one_failure_of_the_account(
    learners: list[Any], provider: Provider, patience: None
) -> None:
    provider.before = [TransientFailure("down")] * 2
    deliver(concurrency=1)

    assert Channel.objects.get().failures == 2
    assert states() == ["pending"] * (BULK + 1)


def test_the_wish_to_wait_concerns_all_of_them(learners: list[Any], provider: Provider, patience: None) -> None:
    provider.before = [TransientFailure("slow", throttled=True, retry_after=5)]
    deliver(concurrency=1)
    assert Channel.objects.get().rest_until is not None

    let_time_pass()
    deliver(concurrency=1)
    assert (states(), len(provider.live())) == (["done"] * (BULK + 1), BULK + 1)


def test_a_rejected_key_pauses_the_account(learners: list[Any], provider: Provider) -> None:
    provider.before = [RejectedKey("HTTP 401")] * 2
    deliver(concurrency=1)
    assert Channel.objects.get().paused_reason

    provider.key, provider.before = "another", []
    deliver(concurrency=1)
    assert (states(), len(provider.live())) == (["done"] * (BULK + 1), BULK + 1)


@pytest.mark.parametrize("answers", [1, 5])
def test_a_backend_that_answers_for_more_or_fewer_is_a_bug(
    learners: list[Any], backend: FakeBackend, answers: int
) -> None:
    backend.issue_many = lambda requests: [PermanentFailure("x")] * answers  # type: ignore[method-assign]

    assert all(isinstance(attempt.outcome, Bug) for attempt in carry_out_all(group()))


def test_a_learner_who_is_retired_meanwhile_is_left_out(learners: list[Any], provider: Provider) -> None:
    jobs = group()
    jobs[1].sendable.withdrawn.reason = "retired"  # type: ignore[union-attr]
    outcomes = {attempt.job: type(attempt.outcome).__name__ for attempt in carry_out_all(jobs)}

    assert [outcomes[job] for job in jobs] == ["Receipt", "Cancelled", "Receipt", "Receipt"]
    assert learners[1].email not in provider.owners.values()


def test_a_retired_learner_is_not_in_the_request(learners: list[Any], provider: Provider) -> None:
    User.objects.filter(pk=learners[2].pk).update(username="retired__user_1")
    deliver(concurrency=1)

    assert states() == ["done", "done", "cancelled", "done", "done"]
    assert learners[2].email not in provider.owners.values()


def test_nothing_is_sent_by_a_worker_that_stops(learners: list[Any], provider: Provider) -> None:
    attempts = carry_out_all(group(), is_stopping=lambda: True)

    assert [type(attempt.outcome).__name__ for attempt in attempts] == ["NotSent"] * BULK
    assert provider.asked == []


def test_nothing_is_sent_when_a_claim_is_about_to_expire(learners: list[Any], provider: Provider) -> None:
    jobs = group()
    late = [replace(job, request=replace(job.request, send_before=time.monotonic() - 1)) for job in jobs]  # type: ignore[type-var]

    assert {type(attempt.outcome).__name__ for attempt in carry_out_all(late)} == {"NotSent"}
    assert provider.asked == []


def test_reasons_do_not_name_the_learners(learners: list[Any], provider: Provider) -> None:
    provider.before = [TransientFailure(f"no room for {', '.join(learner.full_name for learner in learners)}")]
    reasons = {attempt.outcome.reason for attempt in carry_out_all(group())}  # type: ignore[union-attr]

    assert reasons == {f"no room for {'<name>, ' * BULK}{learners[-1].full_name}"}


def test_recording_many_takes_as_many_statements_as_recording_one(learners: list[Any]) -> None:
    first, *rest = carry_out_all(group())
    with CaptureQueriesContext(connection) as of_one:
        record_all([first], policy=config().retry)
    with CaptureQueriesContext(connection) as of_many:
        record_all(rest, policy=config().retry)

    assert (len(rest), len(of_many)) == (BULK - 1, len(of_one))
    assert states() == ["done"] * BULK + ["pending"]


def test_who_was_retired_is_erased_though_the_database_was_away(learners: list[Any], provider: Provider) -> None:
    provider.refused = {learners[0].email}
    attempts = carry_out_all(group())
    User.objects.filter(pk=learners[0].pk).update(username="retired__user_1")
    asked: list[str] = []

    def go_away(execute: Any, sql: str, *arguments: Any) -> Any:
        """Be away once, after the commit."""
        if "said" in sql and not asked:
            asked.append(sql)
            raise OperationalError("gone away")
        return execute(sql, *arguments)

    with connection.execute_wrapper(go_away), pytest.raises(OperationalError):
        record_all(attempts, policy=config().retry)
    assert states()[:2] == ["failed", "done"]
    assert record_all(attempts, policy=config().retry) == [None] * BULK

    assert states()[:2] == ["cancelled", "done"]
