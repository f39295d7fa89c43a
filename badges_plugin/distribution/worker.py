"""The loop of ``deliver_badges``: claim deliveries for the free threads, carry them out, record the outcomes."""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from functools import partial

from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone
from edx_django_utils.monitoring import function_trace, set_custom_attribute

from badges_plugin import api
from badges_plugin.database import is_transient
from badges_plugin.distribution import channels, claims
from badges_plugin.distribution.bulk_requests import bundles, carry_out_all
from badges_plugin.distribution.conf import DistributionConfig
from badges_plugin.distribution.delivery import Attempt, not_begun, prepare
from badges_plugin.distribution.housekeeping import Housekeeping
from badges_plugin.distribution.recording import failed_to_record, note_channels, notify, record, record_all
from badges_plugin.distribution.requests import Job
from badges_plugin.distribution.retry import Decision
from badges_plugin.distribution.threads import Threads
from badges_plugin.distribution.withdrawal import withdraw_retired
from badges_plugin.heartbeat import beat
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe
from badges_plugin.vitals import Kind, Vitals

logger = get_logger(__name__)

BEAT_SECONDS = 30.0
_HOUSEKEEPING_SECONDS = 5.0
_DATABASE_AWAY_SECONDS = 5.0
_WITHDRAWAL_SECONDS = 1.0
_MAX_ERRORS_ONCE = 5
# Seconds until a stop is noticed at the latest.
_SLICE = 0.2
# An outcome waits this long at most to be recorded together with others. It is lost if the process is killed meanwhile.
_TOGETHER_SECONDS = 0.1
_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """Jobs of one request, in a thread. After ``overdue_at``, on ``time.monotonic()``, their claims have expired."""

    jobs: Sequence[Job]
    overdue_at: float


class Worker:
    """One worker process. Any number may run; ``concurrency`` is the number of requests that this one makes at once."""

    def __init__(
        self,
        config: DistributionConfig,
        *,
        concurrency: int = 4,
        interval: float = 2.0,
        name: str | None = None,
        on_outcome: Callable[[str], None] = lambda outcome: None,
        housekeeping: Housekeeping | None = None,
    ) -> None:
        self.config = config
        self.concurrency = concurrency
        self.interval = interval
        self.name = name or f"{socket.gethostname()}:{os.getpid()}"
        # Deliveries that are claimed beyond the free threads: a thread that has finished goes on with the next one
        # while outcomes are recorded and more is claimed. No more than that: a claimed delivery is sent even if the
        # provider asks to slow down.
        self._ahead = concurrency if concurrency > 1 else 0
        self.counts: Counter[str] = Counter()
        self._on_outcome = on_outcome
        self._running: dict[Future[list[Attempt]], _UnderWay] = {}
        self._known_stuck: set[Future[list[Attempt]]] = set()
        self._unrecorded: list[Attempt] = []
        self._stopping = self._once = False
        self._leave_at = _NEVER
        self._next_housekeeping = self._next_withdrawal = 0.0
        self._housekeeping = housekeeping or Housekeeping()
        self._signs = Vitals(Kind.WORKER)

    def stop(self) -> None:
        """Claim no more deliveries and begin no more requests; ``run`` returns when those in progress have ended.

        It waits no longer than a request may last. Safe in a signal handler and from other threads.
        """
        # No threading.Event: the interrupted thread may hold its lock.
        self._stopping = True

    def run(self, *, once: bool = False) -> Counter[str]:
        """Deliver until stopped or, with ``once``, until nothing is due. Return the number of each outcome."""
        errors, self._once = 0, once
        threads = Threads[list[Attempt]](self.concurrency, name="deliver")
        try:
            while True:
                self._beat()
                try:
                    busy = self._step(threads)
                    errors = 0
                except Exception as error:
                    is_from_database = isinstance(error, OperationalError | InterfaceError)
                    if not is_from_database and not is_transient(error):
                        raise
                    # An outcome that is never recorded leaves its claim to expire; the badge is then looked up.
                    errors += 1
                    if self._stopping or (once and errors > _MAX_ERRORS_ONCE):
                        raise
                    # An exception of a backend may name a learner.
                    described = error if is_from_database else describe(error)
                    logger.warning("The database cannot be used (%d): %s", errors, described)
                    self._sleep(min(_DATABASE_AWAY_SECONDS, 0.1 * 2**errors))
                    _renew_connections()
                    continue
                if busy:
                    continue
                if once or self._stopping:
                    self._finish()
                    if not once:
                        self._signs.end()
                    return self.counts
                self._rest()
        finally:
            threads.close()

    def _beat(self) -> None:
        """Write the heartbeat, unless a thread is stuck: only a new process gets rid of it.

        A worker that runs ``once`` is soon gone, so it does not report that it runs.
        """
        stuck = {future for future in self._running if self._is_overdue(future)}
        if not stuck:
            beat()
            if not self._once:
                self._signs.report_when_due()
        elif stuck - self._known_stuck:
            logger.error(
                "%d requests last longer than their claims. The heartbeat stops until they end, so that a probe of "
                "BADGES_HEARTBEAT_FILE restarts the worker.",
                len(stuck),
            )
        self._known_stuck = stuck

    def _rest(self) -> None:
        ends = time.monotonic() + self.interval
        while not self._stopping and (left := ends - time.monotonic()) > 0:
            self._beat()  # an interval may be longer than a probe waits for a heartbeat
            self._sleep(min(left, BEAT_SECONDS))

    def _sleep(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while not self._stopping and (left := ends - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE))

    def _step(self, threads: Threads[list[Attempt]]) -> bool:
        """Record finished jobs and start new ones in free threads; False when there is nothing to wait for."""
        self._collect()
        if self._stopping:
            self._take_back_unbegun()
        if self._unrecorded:
            with function_trace("badges.record_deliveries"):
                self._record(self._unrecorded)
            self._unrecorded.clear()
        if not self._stopping:
            # Even while no thread is free: these must not wait for a provider.
            _renew_connections()
            self._do_chores()
            self._withdraw()
            self._start(threads)
        return any(not self._is_overdue(future) for future in self._running) and time.monotonic() < self._leave_at

    def _collect(self) -> None:
        """Wait up to ``interval`` seconds for a job to finish."""
        ends = time.monotonic() + min(self.interval, BEAT_SECONDS)
        finished: set[Future[list[Attempt]]] = set()
        # In slices, to notice a stop.
        while self._running and not finished and not self._must_stop_now() and (left := ends - time.monotonic()) > 0:
            finished, _ = wait(self._running, timeout=min(left, _SLICE), return_when=FIRST_COMPLETED)
        self._wait_for_more()
        finished = {future for future in self._running if future.done()}
        self._unrecorded.extend(attempt for future in finished for attempt in future.result())
        for future in finished:
            del self._running[future]

    def _wait_for_more(self) -> None:
        """Wait a moment for more jobs to finish, as long as no thread runs out of work.

        The database then takes the outcomes of several, and gives as many new deliveries, in as few statements.
        """
        ends = time.monotonic() + _TOGETHER_SECONDS
        while not self._must_stop_now() and (left := ends - time.monotonic()) > 0:
            others = [future for future in self._running if not future.done()]
            if len(others) <= self.concurrency + self._ahead // 2:
                return
            wait(others, timeout=left, return_when=FIRST_COMPLETED)

    def _must_stop_now(self) -> bool:
        """Whether ``stop`` was called and has not been acted upon yet."""
        return self._stopping and self._leave_at == _NEVER

    def _take_back_unbegun(self) -> None:
        if self._leave_at == _NEVER:
            self._leave_at = time.monotonic() + self.config.time_to_end
        for future in [future for future in self._running if future.cancel()]:
            self._unrecorded.extend(not_begun(job) for job in self._running.pop(future).jobs)

    def _finish(self) -> None:
        """Do the chores that deliveries left behind, unless the worker is to stop, and log what has not ended."""
        if not self._stopping:
            self._housekeeping.do_due_chores(timezone.now(), once=self._once)
        if self._running:
            logger.error(
                "%d requests have not ended. Their claims will expire, and the badges be looked up at the provider.",
                len(self._running),
            )

    def _is_overdue(self, future: Future[list[Attempt]]) -> bool:
        return time.monotonic() > self._running[future].overdue_at

    def _start(self, threads: Threads[list[Attempt]]) -> None:
        free = self.concurrency + self._ahead - len(self._running)
        if free < max(1, self._ahead // 2):
            return
        overdue_at = time.monotonic() + self.config.lease
        claimed = claims.claim(
            free, worker=self.name, lease=self.config.lease, now=timezone.now(), policy=self.config.retry
        )
        try:
            prepared = prepare(claimed, self.config)
        except Exception:
            for token in {delivery.claimed_by for delivery in claimed}:
                claims.give_back(token)
            raise
        for jobs in bundles(prepared, requests=free):
            future = threads.submit(partial(carry_out_all, jobs, is_stopping=lambda: self._stopping))
            self._running[future] = _UnderWay(jobs, overdue_at)

    def _do_chores(self) -> None:
        if time.monotonic() < self._next_housekeeping:
            return
        self._next_housekeeping = time.monotonic() + _HOUSEKEEPING_SECONDS
        claims.recover_expired(timezone.now())
        channels.resume_changed_keys()
        api.publish_pending()
        self._housekeeping.do_due_chores(timezone.now(), once=self._once)

    def _withdraw(self) -> None:
        """Withdraw what waits for a thread, or for its turn, and whose learner was retired meanwhile."""
        # Not in each step: who was retired is asked when a delivery is claimed, too.
        if time.monotonic() >= self._next_withdrawal:
            self._next_withdrawal = time.monotonic() + _WITHDRAWAL_SECONDS
            withdraw_retired()

    def _record(self, attempts: Sequence[Attempt]) -> None:
        """Record outcomes in one transaction: the commit is the most expensive part of a delivery."""
        # In the order in which an event that revokes several badges locks them, or the two may deadlock.
        attempts = sorted(attempts, key=lambda attempt: attempt.job.delivery.pk)
        try:
            decisions = record_all(attempts, policy=self.config.retry)
        except Exception as error:
            if is_transient(error):
                raise
            # Recording them one by one finds, and logs, the one that fails.
            decisions = [self._record_one(attempt) for attempt in attempts]
        note_channels(attempts, decisions, policy=self.config.retry)
        outcomes = ["lost claim" if decision is None else decision.state.value for decision in decisions]
        _monitor(outcomes)
        for attempt, decision, outcome in zip(attempts, decisions, outcomes, strict=True):
            notify(attempt, decision)
            self.counts[outcome] += 1
            self._on_outcome(outcome)

    def _record_one(self, attempt: Attempt) -> Decision | None:
        try:
            return record(attempt, policy=self.config.retry)
        except Exception as error:
            # One badge that cannot be recorded does not stop the others.
            if is_transient(error):
                raise
            return record(failed_to_record(attempt, error), policy=self.config.retry)


def _monitor(outcomes: Sequence[str]) -> None:
    """Set the attribute of deliveries.

    .. custom_attribute_name: badges_delivery_outcomes
    .. custom_attribute_description: What became of the deliveries that a worker recorded together, such as "3 done, 1
        pending": the latter are tried again.
    """
    counted = Counter(outcomes).most_common()
    set_custom_attribute("badges_delivery_outcomes", ", ".join(f"{number} {outcome}" for outcome, number in counted))


def _renew_connections() -> None:
    """Drop connections that are broken or too old, as a web request does.

    Those inside a transaction belong to the caller.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
