"""The loop of `deliver_badges`: claim deliveries for the free threads, carry them out, record the results."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from django.db import InterfaceError, OperationalError, connections, transaction
from django.utils import timezone

from badges_plugin import api
from badges_plugin.database import is_passing
from badges_plugin.distribution import channels, claims
from badges_plugin.distribution.conf import DistributionConfig
from badges_plugin.distribution.delivery import (
    Attempt,
    announce,
    carry_out,
    failed_to_record,
    note_channel,
    prepare,
    record,
)
from badges_plugin.distribution.retry import Decision
from badges_plugin.heartbeat import beat
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe

logger = get_logger(__name__)

BEAT_SECONDS = 30.0
_HOUSEKEEPING_SECONDS = 5.0
_DATABASE_AWAY_SECONDS = 5.0
_TROUBLES_ONCE = 5


class Worker:
    """One worker process. Any number of them may run; `concurrency` is how many requests this one makes at a time."""

    def __init__(
        self,
        config: DistributionConfig,
        *,
        concurrency: int = 4,
        interval: float = 2.0,
        name: str | None = None,
        on_result: Callable[[str], None] = lambda word: None,
    ) -> None:
        self.config = config
        self.concurrency = concurrency
        self.interval = interval
        self.name = name or f"{socket.gethostname()}:{os.getpid()}"
        self.counts: Counter[str] = Counter()
        self._on_result = on_result
        self._running: set[Future[Attempt]] = set()
        self._unrecorded: list[Attempt] = []
        self._stopping = threading.Event()
        self._next_housekeeping = 0.0

    def stop(self) -> None:
        """Take no more deliveries; `run` returns when those at hand are done.

        Safe in a signal handler and from other threads.
        """
        self._stopping.set()

    def run(self, *, once: bool = False) -> Counter[str]:
        """Deliver until stopped or, with `once`, until nothing is due. Returns how often each result came."""
        troubles = 0
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="deliver") as pool:
            while True:
                beat()
                try:
                    busy = self._step(pool)
                    troubles = 0
                except Exception as error:
                    is_from_database = isinstance(error, OperationalError | InterfaceError)
                    if not is_from_database and not is_passing(error):
                        raise
                    # What cannot be recorded in the end stays claimed, expires and is looked up at the provider.
                    troubles += 1
                    if self._stopping.is_set() or (once and troubles > _TROUBLES_ONCE):
                        raise
                    # What a backend raises instead may name a learner.
                    words = error if is_from_database else describe(error)
                    logger.warning("The database cannot be used (%d): %s", troubles, words)
                    self._stopping.wait(min(_DATABASE_AWAY_SECONDS, 0.1 * 2**troubles))
                    _renew_connections()
                    continue
                if busy:
                    continue
                if once or self._stopping.is_set():
                    return self.counts
                self._rest()

    def _rest(self) -> None:
        ends = time.monotonic() + self.interval
        while not self._stopping.is_set() and (left := ends - time.monotonic()) > 0:
            beat()  # an interval may be longer than what a probe takes for a sign of life
            self._stopping.wait(min(left, BEAT_SECONDS))

    def _step(self, pool: ThreadPoolExecutor) -> bool:
        """Record what has finished and start what there is room for; False when there is nothing under way."""
        if self._running:
            finished, _ = wait(self._running, timeout=min(self.interval, BEAT_SECONDS), return_when=FIRST_COMPLETED)
            self._running -= finished
            self._unrecorded.extend(future.result() for future in finished)
        if self._unrecorded:
            self._record(self._unrecorded)
            self._unrecorded.clear()
        if not self._stopping.is_set():
            self._start(pool)
        return bool(self._running)

    def _start(self, pool: ThreadPoolExecutor) -> None:
        # Some are claimed ahead, so that there is one claim for several deliveries and no thread waits for it. They are
        # few: what is claimed cannot be taken back when the provider asks to slow down.
        ahead = self.concurrency // 2
        free = self.concurrency + ahead - len(self._running)
        if free < max(1, ahead):
            return
        _renew_connections()
        self._keep_house()
        claimed = claims.claim(
            free, worker=self.name, lease=self.config.lease, now=timezone.now(), policy=self.config.retry
        )
        for job in prepare(claimed, self.config):
            self._running.add(pool.submit(carry_out, job))

    def _keep_house(self) -> None:
        if time.monotonic() < self._next_housekeeping:
            return
        self._next_housekeeping = time.monotonic() + _HOUSEKEEPING_SECONDS
        claims.recover_expired(timezone.now())
        channels.resume_changed_keys()
        api.announce_pending()

    def _record(self, attempts: Sequence[Attempt]) -> None:
        """Record what has come in, in one transaction: the commit is the dearest part of a delivery."""
        # In the order in which an event that revokes several badges locks them, or the two may wait in a circle.
        attempts = sorted(attempts, key=lambda attempt: attempt.job.delivery.pk)
        try:
            with transaction.atomic():
                decisions = [record(attempt, policy=self.config.retry) for attempt in attempts]
        except Exception as error:
            if is_passing(error):
                raise
            # Which of them it is about is found, and logged, when they are recorded one by one.
            decisions = [self._record_one(attempt) for attempt in attempts]
        for attempt, decision in zip(attempts, decisions, strict=True):
            note_channel(attempt, decision, policy=self.config.retry)
        for attempt, decision in zip(attempts, decisions, strict=True):
            announce(attempt, decision)
            word = "lost claim" if decision is None else decision.state.value
            self.counts[word] += 1
            self._on_result(word)

    def _record_one(self, attempt: Attempt) -> Decision | None:
        try:
            return record(attempt, policy=self.config.retry)
        except Exception as error:
            # One badge that cannot be recorded must not stop the others.
            if is_passing(error):
                raise
            return record(failed_to_record(attempt, error), policy=self.config.retry)


def _renew_connections() -> None:
    """Drop connections that are broken or too old, as a web request does.

    Those inside a transaction belong to the caller.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
