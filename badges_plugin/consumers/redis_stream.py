"""Send the commands of one consumer of a Redis stream's group, and interpret the answers.

For each group Redis records which entries were delivered to which consumer and not acknowledged ("pending"). An entry
that leaves the stream while it is pending, for example by trimming, stays pending without content.
https://redis.io/docs/latest/develop/data-types/streams/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

BEGINNING = "0-0"
END = f"{2**64 - 2}-0"  # one below the highest, which Redis does not accept as an entry id
NEVER_DELIVERED = ">"

Fields = Mapping[bytes, bytes]

# XINFO answers with a list of names and values for each consumer.
_REMOVE_IDLE = """
local removed = {}
for _, facts in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    local consumer = {}
    for index = 1, #facts, 2 do consumer[facts[index]] = facts[index + 1] end
    if consumer.pending == 0 and consumer.idle >= tonumber(ARGV[3]) and consumer.name ~= ARGV[2] then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
        table.insert(removed, consumer.name)
    end
end
return removed
"""


@dataclass(frozen=True)
class Entry:
    """A stream entry; ``fields`` is empty when its content is gone."""

    id: bytes
    fields: Fields


@dataclass(frozen=True)
class GroupState:
    """Counts of a group's entries: not delivered yet (None: unknown to Redis), and delivered but not acknowledged."""

    lag: int | None
    pending: int


class GroupStream:
    """A stream as consumer ``consumer`` of ``group`` sees it."""

    def __init__(self, client: Redis, stream: str, group: str, consumer: str) -> None:
        self._client = client
        self.stream = stream
        self.group = group
        self.consumer = consumer

    def ensure_group(self) -> None:
        """Create the group, at the beginning of the stream, unless it exists."""
        try:
            self._client.xgroup_create(self.stream, self.group, id=BEGINNING, mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def move_group_to(self, entry_id: str) -> None:
        """Make the group continue after ``entry_id``."""
        self._client.xgroup_setid(self.stream, self.group, entry_id)

    def next_new(self, *, wait: float = 0, count: int) -> list[Entry]:
        """Return the next entries that no consumer of the group has received.

        As many as there are, but no more than ``count``; waits up to ``wait`` seconds for the first one.
        """
        # To Redis, 0 milliseconds mean forever.
        return self._read(NEVER_DELIVERED, count=count, block=max(round(wait * 1000), 1) if wait else None)

    def next_own(self, after: bytes | str, *, count: int) -> list[Entry]:
        """Return up to ``count`` of this consumer's unacknowledged entries, the first ones after the id ``after``."""
        return self._read(after, count=count, block=None)

    def claim_idle(self, idle: float, *, count: Callable[[], int]) -> Iterator[list[Entry]]:
        """Take over the entries that have been pending for more than ``idle`` seconds, up to ``count()`` at a time."""
        cursor: bytes | str = BEGINNING
        while True:
            answer = self._client.xautoclaim(
                self.stream, self.group, self.consumer, round(idle * 1000), start_id=cursor, count=count()
            )
            cursor = answer[0]
            claimed = [Entry(entry_id, fields or {}) for entry_id, fields in answer[1] if entry_id is not None]
            # From Redis 7 on these are no longer pending; no later answer contains them.
            gone = [Entry(entry_id, {}) for entry_id in answer[2:] and answer[2]]
            if claimed or gone:
                yield claimed + gone
            if cursor in {BEGINNING, BEGINNING.encode()}:
                return

    def keep(self, entries: Sequence[Entry]) -> None:
        """Reset the idle time of entries, so that no other consumer takes them over while they wait."""
        ids: list[Any] = [entry.id for entry in entries]
        self._client.xclaim(self.stream, self.group, self.consumer, 0, ids, justid=True)

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        """Acknowledge entries, at least one, together."""
        self._client.xack(self.stream, self.group, *(entry.id for entry in entries))

    def state(self) -> GroupState:
        for info in self._client.xinfo_groups(self.stream):
            if self._is_mine(info):
                return GroupState(lag=info.get("lag"), pending=info["pending"])
        return GroupState(lag=None, pending=0)

    def oldest_waiting(self) -> bytes | None:
        """Return the id of the first entry that the group has not acknowledged or not received; None if there is none.

        Pending entries are older than those that nobody has received.
        """
        pending: Any = self._client.xpending(self.stream, self.group)
        if pending["pending"]:
            return bytes(pending["min"])
        [last] = [info["last-delivered-id"] for info in self._client.xinfo_groups(self.stream) if self._is_mine(info)]
        following: Any = self._client.xrange(self.stream, min=f"({last.decode()}", count=1)
        return bytes(following[0][0]) if following else None

    def skip_trimmed(self) -> int:
        """Return what ``count_trimmed`` does, and count the trimmed entries as read by the group.

        Otherwise Redis would count them as lag forever.
        """
        trimmed, group, gone = self._trimmed()
        if trimmed:
            # Entries delivered to another consumer in the meantime are delivered twice, which is harmless.
            self._client.xgroup_setid(self.stream, self.group, group["last-delivered-id"], entries_read=gone)
        return trimmed

    def count_trimmed(self) -> int:
        """Return how many entries left the stream before they were delivered to the group; 0 before Redis 7."""
        return self._trimmed()[0]

    def _trimmed(self) -> tuple[int, Mapping[str, Any], int]:
        """Return that number, Redis's information about the group, and how many entries left the stream in all."""
        stream = self._client.xinfo_stream(self.stream)
        group = next((info for info in self._client.xinfo_groups(self.stream) if self._is_mine(info)), {})
        added, read = stream.get("entries-added"), group.get("entries-read")
        if added is None or read is None:
            return 0, group, 0
        gone = added - stream["length"]
        return int(max(gone - read, 0)), group, gone

    def show_activity(self) -> None:
        """Reset the idle time of this consumer.

        Before version 7.2 a read of new entries does not do so if there are none; a read of own entries does.
        """
        self._client.xreadgroup(self.group, self.consumer, {self.stream: END}, count=1)

    def remove_idle(self, idle: float) -> list[str]:
        """Remove consumers that have been inactive for ``idle`` seconds from the group; return their names.

        Only consumers without pending entries, and never this one. Checked and removed in one step: an entry delivered
        in between would be lost with the consumer.
        """
        names: Any = self._client.eval(_REMOVE_IDLE, 1, self.stream, self.group, self.consumer, round(idle * 1000))
        return [name.decode("utf-8", "backslashreplace") for name in names]

    def leave(self) -> None:
        """Remove this consumer from the group unless it has pending entries, which would be lost."""
        pending = self._client.xpending_range(self.stream, self.group, "-", "+", 1, consumername=self.consumer)
        if not pending:
            self._client.xgroup_delconsumer(self.stream, self.group, self.consumer)

    def close(self) -> None:
        self._client.close()

    def _is_mine(self, info: Mapping[str, Any]) -> bool:
        return bool(info["name"] == self.group.encode())

    def _read(self, after: bytes | str, *, count: int, block: int | None) -> list[Entry]:
        # redis-py's stubs describe both protocol versions at once; with the default one this is a list of streams.
        answer: Any = self._client.xreadgroup(self.group, self.consumer, {self.stream: after}, count=count, block=block)
        return [Entry(entry_id, fields or {}) for _, entries in answer or [] for entry_id, fields in entries]
