"""Have the workers measure how far the consumer groups are behind, and keep it for staff and the monitoring.

Not the consumers: one that is dead measures nothing, and then the number matters most. The bus is asked in a thread, so
that no delivery waits for a broker that does not answer; the database is used by the worker's own thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

from edx_django_utils.monitoring import set_custom_attribute

from badges_plugin import vitals
from badges_plugin.consumers import lag
from badges_plugin.consumers.lag import Lag
from badges_plugin.logs import get_logger
from badges_plugin.models import ConsumerGroup, PartitionLag
from badges_plugin.redaction import describe

logger = get_logger(__name__)

EVERY = timedelta(seconds=60)
STEP_SECONDS = 5.0


class LagWatch:
    """Measures one group after the other, each of them once a minute, whatever the number of workers."""

    def __init__(self, measure: Callable[[str, str, str], Sequence[Lag]] = lag.measure) -> None:
        self._measure = measure
        self._threads: ThreadPoolExecutor | None = None
        self._asked: tuple[ConsumerGroup, Future[Sequence[Lag]]] | None = None

    def step(self, now: datetime) -> bool:
        """Keep what was measured meanwhile, and begin what is due. A chore; it never has more to do at once."""
        if self._asked is not None:
            asked, future = self._asked
            if not future.done():
                return False
            self._asked = None
            self._keep(asked, future, now)
        row = self._claim(now)
        if row is not None:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(1, thread_name_prefix="lag")
            self._asked = row, self._threads.submit(self._measure, row.bus, row.topic, row.group)
        return False

    def _claim(self, now: datetime) -> ConsumerGroup | None:
        """Return a group that is due, of a bus that is configured; only this process then measures it."""
        due = ConsumerGroup.objects.filter(bus__in=lag.configured_buses(), due_at__lte=now)
        for row in due.order_by("due_at", "pk"):
            if ConsumerGroup.objects.filter(pk=row.pk, due_at=row.due_at).update(due_at=now + EVERY):
                return row
        return None

    def _keep(self, row: ConsumerGroup, future: Future[Sequence[Lag]], now: datetime) -> None:
        try:
            lags = future.result()
        except Exception as error:  # noqa: BLE001 - whatever the client raises; the worker goes on
            logger.warning("The lag of %s could not be measured: %s", row, describe(error))
            ConsumerGroup.objects.filter(pk=row.pk).update(problem=describe(error)[:255])
            return
        rows = [
            PartitionLag(consumer_group=row, partition=one.partition, messages=one.messages, seconds=one.seconds(now))
            for one in lags
        ]
        vitals.keep_lag(row, rows, now)
        _monitor(rows)


def _monitor(rows: Sequence[PartitionLag]) -> None:
    """Set the attributes of a group.

    .. custom_attribute_name: badges_lag_messages
    .. custom_attribute_description: Events that wait for a consumer group, as a worker measured it.
    .. custom_attribute_name: badges_lag_seconds
    .. custom_attribute_description: How long the oldest of them has been waiting.
    """
    set_custom_attribute("badges_lag_messages", sum(each.messages or 0 for each in rows))
    set_custom_attribute("badges_lag_seconds", max((each.seconds or 0 for each in rows), default=0))
