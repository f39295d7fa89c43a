"""Consume a Redis stream: read a batch of entries, apply or store each of them, and acknowledge them together.

An entry is acknowledged only after it was applied or stored. Until then it is pending: after a restart a consumer of
the same name gets it first, and any running consumer takes it over once it has been idle for too long.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from edx_django_utils.monitoring import set_custom_attribute
from edx_event_bus_redis.internal.config import get_full_topic, load_common_settings
from edx_event_bus_redis.internal.consumer import REDIS_CONSUMERS_ENABLED
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from badges_plugin import heartbeat
from badges_plugin.consumers.applying import Applier
from badges_plugin.consumers.config import ConsumerConfig, consumer_config
from badges_plugin.consumers.deferred import Retries
from badges_plugin.consumers.exceptions import CannotGoOn
from badges_plugin.consumers.message import Message
from badges_plugin.consumers.redis_messages import BUS, message_from
from badges_plugin.consumers.redis_options import RedisOptions
from badges_plugin.consumers.redis_stream import BEGINNING, Entry, GroupStream
from badges_plugin.consumers.retrying import Retrying
from badges_plugin.consumers.running import StopRequest
from badges_plugin.consumers.starting import get_ready
from badges_plugin.logs import get_logger
from badges_plugin.vitals import GroupName, Kind, Vitals

logger = get_logger(__name__)

Result = TypeVar("Result")

# On top of the longest wait that a command asks for, so that only a silent server times out.
SOCKET_TIMEOUT_OVER_POLL_SECONDS = 10.0

# While a batch is not full, Redis is asked for more this often: it may be full before the time is over.
LONGEST_PAUSE_SECONDS = 0.05

# A consumer must miss this many turns before it counts as gone, however short "forget_idle" is.
MIN_MISSED_TURNS = 10

# Errors of a Redis that is restarting, failing over, full, or lost its data (then the group is created again).
TRANSIENT_ERRORS = ("NOGROUP", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MISCONF", "OOM", "UNBLOCKED")


def consume(topic: str, group: str, options: RedisOptions, stop: StopRequest) -> None:
    """Consume ``topic`` (without prefix) for ``group`` until ``stop``; ``options`` are RedisConsumer's.

    Raises CannotGoOn or Stopped.
    """
    if not REDIS_CONSUMERS_ENABLED.is_enabled():
        logger.error("EVENT_BUS_REDIS_CONSUMERS_ENABLED is off: not consuming.")
        return
    config = consumer_config()
    name = options.consumer_name or f"{socket.gethostname()}-{os.getpid()}"
    stream = GroupStream(_connect(config), get_full_topic(topic), group, name)
    idle = config.claim_idle if options.claim_idle is None else options.claim_idle
    logger.info("Consuming %s for group %s as %s.", stream.stream, stream.group, name)
    get_ready(stop)
    try:
        Reader(stream, config, stop, claim_idle=idle).run(go_on_after=options.last_read_msg_id)
        if options.consumer_name is None:
            stream.leave()
    finally:
        stream.close()
        logger.info("Closed.")


class Reader:
    """Reads entries and applies them.

    This consumer's own pending entries come first, then new ones, and at intervals those that another consumer left.
    """

    def __init__(self, stream: GroupStream, config: ConsumerConfig, stop: StopRequest, *, claim_idle: float) -> None:
        self._stream = stream
        self._config = config
        self._stop = stop
        self._claim_idle = claim_idle
        self._claim_due = 0.0
        self._lag_due = time.monotonic() + config.lag_interval
        # The id up to which this consumer's own pending entries were read; None once all of them were.
        self._own_after: bytes | str | None = BEGINNING
        self._group_checked = False
        self._may_remove = True
        self._applier = Applier(config, stop)
        group = GroupName(BUS, stream.stream, stream.group)
        self._signs = Vitals(Kind.CONSUMER, group, self._applier.counts)
        self._retries = Retries()
        self._retrying = Retrying(
            limit=config.patience,
            max_pause=config.max_backoff,
            is_transient=_is_transient,
            refresh=self._start_over,
            stop=stop,
        )

    def run(self, *, go_on_after: str | None = None) -> None:
        """Process entries until the process is asked to stop."""
        if go_on_after is not None:
            self._with_redis(self._stream.ensure_group, "Finding the group")
            self._with_redis(lambda: self._stream.move_group_to(go_on_after), "Moving the group")
        while not self._stop():
            heartbeat.beat()
            self._handle(self._with_redis(self._next, "Reading"))
            for left_behind in self._claimed_when_due():
                self._handle(left_behind)
            self._report_lag_when_due()
            self._signs.report_when_due()
            self._retries.when_due()
        self._signs.end()

    def _next(self) -> list[Entry]:
        if not self._group_checked:
            self._check_group()
        size = self._applier.batch_size
        if self._own_after is None:
            return self._next_new(size)
        entries = self._stream.next_own(self._own_after, count=size)
        self._own_after = entries[-1].id if entries else None
        return entries

    def _next_new(self, size: int) -> list[Entry]:
        """Return new entries: after the first, those that come within ``batch_milliseconds``.

        Redis ends a wait in which nothing comes only at its next tick, ten times a second, so the short wait is ours.
        """
        entries = self._stream.next_new(wait=self._config.poll_timeout, count=size)
        until = time.monotonic() + self._config.batch_milliseconds / 1000
        while entries and len(entries) < size and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, LONGEST_PAUSE_SECONDS))
            entries += self._stream.next_new(count=size - len(entries))
        return entries

    def _check_group(self) -> None:
        self._stream.ensure_group()
        self._group_checked = True
        if lost := self._stream.skip_trimmed():
            set_custom_attribute("badges_events_lost", lost)
            logger.error(
                "%d events were trimmed from the stream before they were delivered to group %s; they are lost. "
                "Use badges_backfill, and increase the length of the stream.",
                lost,
                self._stream.group,
            )

    def _handle(self, entries: Sequence[Entry]) -> None:
        """Apply or store entries and acknowledge them; report those that are gone."""
        handled = [entry for entry in entries if not entry.fields]
        for entry in handled:
            logger.error("%s was removed from the stream before it was processed; it is lost.", self._message(entry))
        left = [entry for entry in entries if entry.fields]
        while handled or left:
            done = len(self._applier.apply_or_store(list(map(self._message, left)), while_waiting=self._keeping(left)))
            handled += left[:done]
            self._with_redis(partial(self._stream.acknowledge, handled), f"Acknowledging {len(handled)} entries")
            handled, left = [], left[done:]

    def _message(self, entry: Entry) -> Message:
        return message_from(entry, self._stream.stream, self._stream.group)

    def _claimed_when_due(self) -> Iterator[list[Entry]]:
        if time.monotonic() < self._claim_due:
            return
        self._claim_due = time.monotonic() + self._claim_idle / 2
        claimed = self._stream.claim_idle(self._claim_idle, count=lambda: self._applier.batch_size)
        while not self._stop():
            entries = self._with_redis(lambda: next(claimed, None), "Claiming")
            if entries is None:
                # Only now: the pending entries of consumers that are gone belong to others.
                self._remove_idle_consumers()
                return
            ids = ", ".join(entry.id.decode() for entry in entries)
            logger.info("Took over %s, which another consumer left.", ids)
            yield entries

    def _remove_idle_consumers(self) -> None:
        """Remove consumers that are gone from the group: each new container may add another name."""
        if not self._may_remove:
            return
        # A running consumer is active each time it gets here, and with each event.
        turn = self._claim_idle / 2 + self._config.poll_timeout
        idle = max(self._config.forget_idle, MIN_MISSED_TURNS * turn)
        try:
            self._with_redis(self._stream.show_activity, "Showing activity")
            names = self._retrying.run(
                lambda: self._stream.remove_idle(idle), "Removing idle consumers", while_waiting=lambda: None
            )
        except ResponseError as error:
            # For example, scripts are not permitted. The only consequence is that the list grows.
            self._may_remove = False
            logger.warning("Idle consumers are not removed from the group: Redis says %s", error)
            return
        if names:
            logger.info("Removed %d idle consumers from the group: %s.", len(names), ", ".join(names))

    def _keeping(self, entries: Sequence[Entry]) -> Callable[[], None]:
        """Return a function that keeps these entries from being taken over."""

        def keep() -> None:
            try:
                self._stream.keep(entries)
            except RedisError as error:
                # At worst another consumer processes them as well, which is harmless.
                logger.warning("Could not keep the claim on %d entries: %s", len(entries), type(error).__name__)

        return keep

    def _report_lag_when_due(self) -> None:
        if time.monotonic() < self._lag_due:
            return
        self._lag_due = time.monotonic() + self._config.lag_interval
        state = self._with_redis(self._stream.state, "Asking for the lag")
        set_custom_attribute("badges_consumer_lag", state.lag)
        set_custom_attribute("badges_consumer_pending", state.pending)
        logger.info("Lag %s, pending %d.", state.lag, state.pending)

    def _with_redis(self, operation: Callable[[], Result], what: str) -> Result:
        try:
            return self._retrying.run(operation, what, while_waiting=lambda: None)
        except ResponseError as error:
            # A key of another type, a missing permission, an invalid id: Redis's message is clear and names no learner.
            raise CannotGoOn(f"{what}: Redis says {error}") from error

    def _start_over(self) -> None:
        """Read this consumer's pending entries again: after an error, an answer with an entry may not have arrived."""
        self._group_checked = False
        self._own_after = BEGINNING


def _connect(config: ConsumerConfig) -> Redis:
    connection = load_common_settings()
    if connection is None:
        raise CannotGoOn("EVENT_BUS_REDIS_CONNECTION_URL is not set.")
    try:
        return Redis.from_url(connection["url"], socket_timeout=config.poll_timeout + SOCKET_TIMEOUT_OVER_POLL_SECONDS)
    except ValueError as error:
        raise CannotGoOn("EVENT_BUS_REDIS_CONNECTION_URL is not a Redis URL, redis://host:6379/0.") from error


def _is_transient(error: BaseException) -> bool:
    if isinstance(error, ResponseError) and not isinstance(error, ReadOnlyError):
        return str(error).startswith(TRANSIENT_ERRORS)
    return isinstance(error, RedisConnectionError | RedisTimeoutError | ReadOnlyError)
