"""Events that a topic no longer holds, or holds twice: what the broker passes over in silence is counted and said.

Retention deletes events whether or not a group has read them, compaction leaves one for each key, and a topic that
was made anew begins at 0 again. In all of these the client goes on where it can.
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
    """Where a group stands in a partition, and what the partition holds: offsets from ``low`` up to, without, ``high``.

    ``committed`` is the offset that the group reads next; None where it never read anything.
    """

    partition: int
    committed: int | None
    low: int
    high: int

    @property
    def deleted(self) -> int:
        """How many events were deleted before the group read them."""
        return 0 if self.committed is None else max(self.low - self.committed, 0)

    @property
    def was_made_anew(self) -> bool:
        """Whether the group has read further than the partition ever was: it is another topic by the same name."""
        return self.committed is not None and self.committed > self.high


@dataclass
class Losses:
    """Follows the offsets of a consumer's partitions and reports each gap once. ``group`` names it in the log."""

    group: str
    offset_reset: str
    lost: int = 0
    """How many events were lost in the life of this process."""
    _next: dict[int, int] = field(default_factory=dict)
    _with_holes: set[int] = field(default_factory=set)

    def assigned(self, standings: list[Standing]) -> None:
        """Compare where the group stands with what there is, when partitions come to this consumer."""
        for each in standings:
            if each.was_made_anew:
                self._report_another_topic(each.partition, f"ends at {each.high}", each.committed)
                self._next.pop(each.partition, None)
                continue
            if each.deleted and self.offset_reset == "latest":
                # The client then goes to the end, over what is still there.
                self._report(each.partition, each.committed or 0, each.high)
            elif each.deleted:
                self._report(each.partition, each.committed or 0, each.low)
            self._expect(each)

    def _expect(self, standing: Standing) -> None:
        if standing.committed is None:
            self._next.pop(standing.partition, None)
        elif standing.deleted:
            self._next[standing.partition] = standing.high if self.offset_reset == "latest" else standing.low
        else:
            self._next[standing.partition] = standing.committed

    def released(self, partitions: list[int]) -> None:
        """Forget partitions that went to another consumer."""
        for partition in partitions:
            self._next.pop(partition, None)

    def received(self, partition: int, offset: int, *, lowest: Callable[[], int | None]) -> None:
        """Compare an event with the one before it in its partition.

        ``lowest`` asks for the partition's first offset; None where nobody answers. Called only where there is a gap.
        """
        expected = self._next.get(partition, offset)
        if offset > expected:
            low = lowest()
            if low is None or low > expected:
                self._report(partition, expected, offset)
            else:
                self._report_holes(partition, expected, offset)
        elif offset < expected:
            self._report_another_topic(partition, f"goes on at {offset}", expected)
        self._next[partition] = offset + 1

    def _report(self, partition: int, first: int, after: int) -> None:
        self._count(after - first)
        logger.error(
            "%d events of partition %d were deleted from the topic before group %s read them (offsets %d to %d); they "
            "are lost. Use badges_backfill, and have the topic keep more.",
            after - first,
            partition,
            self.group,
            first,
            after - 1,
        )

    def _report_holes(self, partition: int, first: int, after: int) -> None:
        # Compaction leaves many: one line is enough.
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

    def _report_another_topic(self, partition: int, where: str, read: int | None) -> None:
        # How many events came after the last one that was read, nobody can tell any more.
        set_custom_attribute("badges_topic_made_anew", True)
        logger.error(
            "Partition %d %s, though group %s had read up to %s: the topic was made anew, or the group's offset was "
            "set. What the old topic held after that is lost; what is there is read.",
            partition,
            where,
            self.group,
            read,
        )

    def _count(self, number: int) -> None:
        self.lost += number
        set_custom_attribute("badges_events_lost", self.lost)


def standings(client: Consumer, partitions: list[TopicPartition]) -> list[Standing]:
    """Ask the broker where the client's group stands in partitions. Raises KafkaException when it does not answer."""
    found = []
    for each in client.committed(partitions, timeout=ANSWER_SECONDS):
        low, high = client.get_watermark_offsets(TopicPartition(each.topic, each.partition), timeout=ANSWER_SECONDS)
        found.append(Standing(each.partition, each.offset if each.offset >= 0 else None, low, high))
    return found


def lowest_offset(client: Consumer, topic: str, partition: int) -> int | None:
    """Return the first offset that a partition has, None when the broker does not answer."""
    try:
        low, _ = client.get_watermark_offsets(TopicPartition(topic, partition), timeout=ANSWER_SECONDS)
    except KafkaException:
        return None
    return int(low)


def look_at_assigned(losses: Losses, client: Consumer, partitions: list[TopicPartition]) -> None:
    """Do what ``Losses.assigned`` does; a broker that does not answer leaves it to the next event of a partition."""
    losses.released([each.partition for each in partitions])
    try:
        losses.assigned(standings(client, partitions))
    except KafkaException as error:
        logger.warning("Whether events were deleted unread is not known yet: Kafka says %s", error.args[0].str())
