"""Detect and report events that were deleted before the group read them; the broker and the client do not.

Retention deletes events whether or not a group has read them, compaction keeps one event for each key, and a recreated
topic starts at offset 0 again. In all these cases the client silently continues where it can.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaException, TopicPartition
from edx_django_utils.monitoring import set_custom_attribute

from badges_plugin.logs import get_logger

logger = get_logger(__name__)

ANSWER_SECONDS = 5.0


@dataclass(frozen=True)
class Standing:
    """The position of a group in a partition that holds the offsets from ``low`` up to, but not including, ``high``.

    ``committed`` is the offset that the group reads next; None if it has never read anything.
    """

    partition: int
    committed: int | None
    low: int
    high: int

    @property
    def deleted(self) -> int:
        """The number of events that were deleted before the group read them."""
        return 0 if self.committed is None else max(self.low - self.committed, 0)

    @property
    def was_recreated(self) -> bool:
        """Whether the group has read beyond the end of the partition: the topic was deleted and created again."""
        return self.committed is not None and self.committed > self.high

    def following(self, offset_reset: str) -> int:
        """Return the offset of the event that the group reads next. Where that is gone, it starts over.

        ``offset_reset``: where the client then begins, "earliest" or "latest".
        """
        if self.committed is None or self.was_recreated or self.deleted:
            return self.high if offset_reset == "latest" else self.low
        return self.committed


@dataclass
class Losses:
    """Follows the offsets of a consumer's partitions and reports each gap once. ``group`` appears in the log."""

    group: str
    offset_reset: str
    lost: int = 0
    """The number of events lost since this process started."""
    _next: dict[int, int] = field(default_factory=dict)
    _with_holes: set[int] = field(default_factory=set)

    def assigned(self, standings: list[Standing]) -> None:
        """Compare the group's offsets with the partitions that were just assigned to this consumer."""
        for each in standings:
            if each.was_recreated:
                self._report_recreated(each.partition, f"ends at {each.high}", each.committed)
                self._next.pop(each.partition, None)
                continue
            if each.deleted and self.offset_reset == "latest":
                # The client then skips to the end, past the events that are still there.
                self._report(each.partition, each.committed or 0, each.high)
            elif each.deleted:
                self._report(each.partition, each.committed or 0, each.low)
            self._expect(each)

    def _expect(self, standing: Standing) -> None:
        if standing.committed is None:
            self._next.pop(standing.partition, None)
        else:
            self._next[standing.partition] = standing.following(self.offset_reset)

    def released(self, partitions: list[int]) -> None:
        """Forget partitions that another consumer now has."""
        for partition in partitions:
            self._next.pop(partition, None)

    def received(self, partition: int, offset: int, *, lowest: Callable[[], int | None]) -> None:
        """Compare an event's offset with that of the previous one in its partition.

        ``lowest`` returns the partition's first offset, None if the broker does not answer. Called only for a gap.
        """
        expected = self._next.get(partition, offset)
        if offset > expected:
            low = lowest()
            if low is None or low > expected:
                self._report(partition, expected, offset)
            else:
                self._report_holes(partition, expected, offset)
        elif offset < expected:
            self._report_recreated(partition, f"continues at {offset}", expected)
        self._next[partition] = offset + 1

    def _report(self, partition: int, first: int, after: int) -> None:
        self._count(after - first)
        logger.error(
            "%d events of partition %d were deleted from the topic before group %s read them (offsets %d to %d); they "
            "are lost. Use badges_backfill, and increase the topic's retention.",
            after - first,
            partition,
            self.group,
            first,
            after - 1,
        )

    def _report_holes(self, partition: int, first: int, after: int) -> None:
        # Compaction leaves many gaps: one line is enough.
        if partition in self._with_holes:
            return
        self._with_holes.add(partition)
        logger.error(
            "Partition %d has nothing at offsets %d to %d: the topic is compacted, or written in transactions. A "
            "compacted topic loses events: set its cleanup.policy to delete.",
            partition,
            first,
            after - 1,
        )

    def _report_recreated(self, partition: int, where: str, read: int | None) -> None:
        # The number of unread events in the old topic cannot be determined.
        set_custom_attribute("badges_topic_recreated", True)
        logger.error(
            "Partition %d %s, although group %s had read up to %s: the topic was recreated, or the group's offset was "
            "set. Unread events of the old topic are lost; the events that are there now will be read.",
            partition,
            where,
            self.group,
            read,
        )

    def _count(self, number: int) -> None:
        self.lost += number
        set_custom_attribute("badges_events_lost", self.lost)


def standings(client: Consumer, partitions: list[TopicPartition]) -> list[Standing]:
    """Return the positions of the client's group in partitions. Raises KafkaException if the broker does not answer."""
    found = []
    for each in client.committed(partitions, timeout=ANSWER_SECONDS):
        low, high = client.get_watermark_offsets(TopicPartition(each.topic, each.partition), timeout=ANSWER_SECONDS)
        found.append(Standing(each.partition, each.offset if each.offset >= 0 else None, low, high))
    return found


def lowest_offset(client: Consumer, topic: str, partition: int) -> int | None:
    """Return a partition's first offset, None if the broker does not answer."""
    try:
        low, _ = client.get_watermark_offsets(TopicPartition(topic, partition), timeout=ANSWER_SECONDS)
    except KafkaException:
        return None
    return int(low)


def check_assigned(losses: Losses, client: Consumer, partitions: list[TopicPartition]) -> None:
    """Check newly assigned partitions for losses; if the broker does not answer, the next event is checked instead."""
    losses.released([each.partition for each in partitions])
    try:
        losses.assigned(standings(client, partitions))
    except KafkaException as error:
        logger.warning("Could not check whether events were deleted unread: Kafka says %s", error.args[0].str())
