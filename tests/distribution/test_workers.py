"""Several workers at once on one database server."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badges_plugin import api
from badges_plugin.distribution.claims import claim
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.delivery import Attempt, carry_out, prepare
from badges_plugin.distribution.exceptions import PermanentFailure, TransientFailure
from badges_plugin.distribution.models import Channel, Delivery, DeliveryAttempt
from badges_plugin.distribution.purge import Purged, purge
from badges_plugin.distribution.recording import record
from badges_plugin.distribution.worker import Worker
from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.processing import learners
from badges_plugin.signals import badges_revoked
from tests.distribution.fakes import Provider
from tests.factories import TemplateFactory, UserFactory, penalizes_failing, requires_course, send_passing
from tests.meanwhile import in_a_thread, meanwhile

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]

WORKERS = 4
LEARNERS = 60


@pytest.fixture
def awarded(transactional_db: None, template: BadgeTemplate) -> list[Any]:
    learners = UserFactory.create_batch(LEARNERS)
    for learner in learners:
        send_passing(learner, minute=1)
    return learners


@in_a_thread
def work(number: int) -> Counter[str]:
    return Worker(config(), concurrency=4, interval=0.01, name=f"worker {number}").run(once=True)


def test_every_delivery_is_sent_by_one_of_them(awarded: list[Any], provider: Provider) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        counts = sum(pool.map(work, range(WORKERS)), Counter())

    assert counts == {"done": LEARNERS}
    assert Counter(provider.asked) == {"issue": LEARNERS}
    assert DeliveryAttempt.objects.count() == LEARNERS


def test_revocations_in_between_stay_in_order(awarded: list[Any], provider: Provider) -> None:
    @in_a_thread
    def lose(learner: Any) -> None:
        send_passing(learner, minute=2, is_passing=False)

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

    @in_a_thread
    def finish() -> None:
        record(attempt, policy=config().retry)

    with ThreadPoolExecutor(1) as pool:

        def meanwhile(sender: object, **kwargs: object) -> None:
            # The revocation is written and not committed. Who records the failure now either waits for that or not.
            with suppress(TimeoutError):
                pool.submit(finish).result(timeout=1)

        badges_revoked.connect(meanwhile)
        try:
            send_passing(learner, minute=2, is_passing=False)
        finally:
            badges_revoked.disconnect(meanwhile)
    send_passing(learner, minute=3)
    work(0)

    assert list(Delivery.objects.order_by("pk").values_list("award__number", "action", "state")) == [
        (1, "issue", "cancelled"),
        (1, "revoke", "cancelled"),
        (2, "issue", "done"),
    ]


def test_failures_recorded_while_a_revocation_is_written_do_not_deadlock(
    transactional_db: None, template: BadgeTemplate, provider: Provider
) -> None:
    first, second = UserFactory.create_batch(2)
    for learner in (first, second):
        send_passing(learner, minute=1)
    attempts = fail(provider, 2)

    # The revocation holds the issue of the second learner, and what it inserts refers to the channel. The worker has
    # recorded the first failure and waits for that issue.
    counts = recorded_within_revocation(attempts, second)

    assert counts == {"pending": 2}
    assert Channel.objects.get().failures == 2
    assert Counter(Delivery.objects.values_list("action", flat=True)) == {"issue": 2, "revoke": 1}


def test_an_event_that_revokes_two_badges_and_a_worker_do_not_deadlock(
    transactional_db: None, template: BadgeTemplate, provider: Provider
) -> None:
    another = TemplateFactory.create(origin="fake")
    penalizes_failing(another, requires_course(another))
    ada = UserFactory.create()
    send_passing(ada, minute=1)
    attempts = fail(provider, 2)

    # The revocation holds the issue of the first badge and will want that of the second. The results came in the
    # other order.
    counts = recorded_within_revocation(attempts[::-1], ada)

    assert counts == {"pending": 2}
    assert Counter(Delivery.objects.values_list("action", flat=True)) == {"issue": 2, "revoke": 2}


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_failure_that_is_recorded_while_its_revocation_is_under_way_does_not_deadlock(
    transactional_db: None, template: BadgeTemplate, provider: Provider, by_hand: bool
) -> None:
    ada = UserFactory.create()
    send_passing(ada, minute=1)
    attempts = fail(provider, 1, PermanentFailure("refused", status=422))

    def wants_the_delivery(sql: str) -> bool:
        return "FOR UPDATE" in sql and Delivery._meta.db_table in sql

    # The revocation holds the award. The worker holds the delivery while it looks at the award, and waits for nobody.
    with meanwhile(partial(recorded, attempts), before=wants_the_delivery, at_most=30) as finished:
        if by_hand:
            api.revoke_award(BadgeAward.objects.get(), reason="mistaken")
        else:
            send_passing(ada, minute=2, is_passing=False)

    assert finished() == {"failed": 1}
    assert list(Delivery.objects.values_list("action", "state")) == [("issue", "cancelled")]


@pytest.mark.parametrize("action", ["try_again", "give_up"])
def test_staff_who_search_for_a_learner_do_not_wait_for_an_event_that_holds_it(
    transactional_db: None, template: BadgeTemplate, provider: Provider, admin_client: Client, action: str
) -> None:
    ada = UserFactory.create(username="ada")
    send_passing(ada, minute=1)
    key = Delivery.objects.get().pk
    Delivery.objects.update(state="failed")

    @in_a_thread
    def act() -> int:
        address = reverse("admin:badges_distribution_delivery_changelist")
        chosen = {"action": action, "_selected_action": [key]}
        page = admin_client.post(f"{address}?q=ada", chosen)
        if action == "give_up":
            page = admin_client.post(page["Location"].partition("?")[0], {"id": key, "because": "Left"})
        return page.status_code

    # The event goes on to the deliveries, some of which the page would hold.
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        learners.lock(ada.pk)
        assert pool.submit(act).result(timeout=30) == 302
    assert Delivery.objects.get().state == {"try_again": "pending", "give_up": "given_up"}[action]


def test_a_purge_does_not_wait_for_deliveries_that_an_event_holds(awarded: list[Any]) -> None:
    work(0)
    DeliveryAttempt.objects.update(started_at=timezone.now() - timedelta(days=10))

    @in_a_thread
    def forget() -> Purged:
        return purge(timezone.now(), attempts_days=1, deliveries_days=1)

    # Whoever holds one of them may be waiting for another, which the purge would hold.
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        assert len(Delivery.objects.select_for_update()) == LEARNERS
        assert pool.submit(forget).result(timeout=30) == Purged(LEARNERS, 0)


def fail(provider: Provider, count: int, failure: Exception | None = None) -> list[Attempt]:
    """Claim so many deliveries and have them fail. The results are not recorded yet."""
    provider.before = [failure or TransientFailure("down")] * count
    claimed = claim(count, worker="w", lease=60, now=timezone.now(), policy=config().retry)
    return [carry_out(job) for job in prepare(claimed, config())]


def recorded(attempts: list[Attempt]) -> Counter[str]:
    """Have a worker record them in one transaction; gives how often each result came."""
    worker = Worker(config())
    worker._record(attempts)
    return worker.counts


def recorded_within_revocation(attempts: list[Attempt], learner: Any) -> Counter[str]:
    """Have the learner lose all badges. When the first revocation is about to be written, a worker records these."""

    def writes_a_delivery(sql: str) -> bool:
        return sql.startswith("INSERT") and Delivery._meta.db_table in sql

    with meanwhile(partial(recorded, attempts), before=writes_a_delivery) as finished:
        send_passing(learner, minute=2, is_passing=False)
    return finished()


def test_claims_do_not_wait_for_each_other(awarded: list[Any]) -> None:
    @in_a_thread
    def grab(number: int) -> set[int]:
        rows = claim(10, worker=f"w{number}", lease=60, now=timezone.now(), policy=config().retry)
        return {row.pk for row in rows}

    with ThreadPoolExecutor(WORKERS) as pool:
        grabbed = list(pool.map(grab, range(WORKERS)))

    taken = [pk for claimed in grabbed for pk in claimed]
    assert len(taken) == len(set(taken)) == Delivery.objects.filter(state="sending").count()
