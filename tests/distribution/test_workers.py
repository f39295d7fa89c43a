"""Several workers at once on one database server."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from badges_plugin.distribution.claims import claim
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.delivery import carry_out, prepare, record
from badges_plugin.distribution.failures import PermanentFailure
from badges_plugin.distribution.models import Delivery, DeliveryAttempt
from badges_plugin.distribution.worker import Worker
from badges_plugin.models import BadgeTemplate
from badges_plugin.signals import badge_revoked
from tests.distribution.fakes import Provider
from tests.factories import UserFactory, send_passing

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]

WORKERS = 4
LEARNERS = 60


@pytest.fixture
def awarded(transactional_db: None, template: BadgeTemplate) -> list[Any]:
    learners = UserFactory.create_batch(LEARNERS)
    for learner in learners:
        send_passing(learner, minute=1)
    return learners


def work(number: int) -> Counter[str]:
    try:
        worker = Worker(config(), concurrency=4, interval=0.01, name=f"worker {number}")
        return worker.run(once=True)
    finally:
        connections.close_all()


def test_every_delivery_is_sent_by_one_of_them(awarded: list[Any], provider: Provider) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        counts = sum(pool.map(work, range(WORKERS)), Counter())

    assert counts == {"done": LEARNERS}
    assert Counter(provider.asked) == {"issue": LEARNERS}
    assert DeliveryAttempt.objects.count() == LEARNERS


def test_revocations_in_between_stay_in_order(awarded: list[Any], provider: Provider) -> None:
    def lose(learner: Any) -> None:
        try:
            send_passing(learner, minute=2, is_passing=False)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS + 1) as pool:
        workers = [pool.submit(work, number) for number in range(WORKERS)]
        for learner in awarded[::2]:
            pool.submit(lose, learner).result()
        for future in workers:
            future.result()
    work(0)

    assert len(provider.live()) == LEARNERS // 2
    assert set(Delivery.objects.values_list("state", flat=True)) <= {"done", "cancelled"}
    asked = Counter(provider.asked)
    assert asked["find"] == 0
    assert asked["issue"] - asked["revoke"] == LEARNERS // 2


def test_a_failure_recorded_while_the_revocation_commits_holds_nothing_up(
    transactional_db: None, template: BadgeTemplate, provider: Provider
) -> None:
    learner = UserFactory.create()
    provider.before = [PermanentFailure("no")]
    send_passing(learner, minute=1)
    claimed = claim(1, worker="w", lease=60, now=timezone.now(), policy=config().retry)
    [attempt] = map(carry_out, prepare(claimed, config()))

    def finish() -> None:
        try:
            record(attempt, policy=config().retry)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:

        def meanwhile(sender: object, **kwargs: object) -> None:
            # The revocation is written and not committed. Who records the failure now either waits for that or not.
            with suppress(TimeoutError):
                pool.submit(finish).result(timeout=1)

        badge_revoked.connect(meanwhile)
        try:
            send_passing(learner, minute=2, is_passing=False)
        finally:
            badge_revoked.disconnect(meanwhile)
    send_passing(learner, minute=3)
    work(0)

    assert list(Delivery.objects.order_by("pk").values_list("award__number", "action", "state")) == [
        (1, "issue", "cancelled"),
        (1, "revoke", "cancelled"),
        (2, "issue", "done"),
    ]


def test_claims_do_not_wait_for_each_other(awarded: list[Any]) -> None:
    def grab(number: int) -> set[int]:
        try:
            rows = claim(10, worker=f"w{number}", lease=60, now=timezone.now(), policy=config().retry)
            return {row.pk for row in rows}
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        grabbed = list(pool.map(grab, range(WORKERS)))

    taken = [pk for claimed in grabbed for pk in claimed]
    assert len(taken) == len(set(taken)) == Delivery.objects.filter(state="sending").count()
