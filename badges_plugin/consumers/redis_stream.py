"""One consumer's view of a Redis stream and its group: the commands, and what their answers mean.

Redis keeps for each group the entries that were delivered and not acknowledged ("pending"), by consumer. An
entry that is taken out of the stream while pending, by trimming for instance, is pending without content.
https://redis.io/docs/latest/develop/data-types/streams/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

BEGINNING = "0-0"
END = f"{2**64 - 2}-0"  # one below the last, which Redis treats as no id of an entry
NEVER_DELIVERED = ">"

Fields = Mapping[bytes, bytes]

# The answer to XINFO is a list of names and values for each consumer.
_FORGET_IDLE = """
local forgotten = {}
for _, facts in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    local consumer = {}
    for index = 1, #facts, 2 do consumer[facts[index]] = facts[index + 1] end
    if consumer.pending == 0 and consumer.idle >= tonumber(ARGV[3]) and consumer.name ~= ARGV[2] then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
        table.insert(forgotten, consumer.name)
    end
end
return forgotten
"""


@dataclass(frozen=True)
class Entry:
    """A stream entry; ``fields`` is empty when its content is gone."""

    id: bytes
    fields: Fields


@dataclass(frozen=True)
class GroupState:
    """Entries the group has yet to be given (None: Redis cannot tell), and those given but not acknowledged."""

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
        """Create the group, at the beginning of the stream, unless it is there."""
        try:
            self._client.xgroup_create(self.stream, self.group, id=BEGINNING, mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def move_group_to(self, entry_id: str) -> None:
        """Make the group go on after ``entry_id``."""
        self._client.xgroup_setid(self.stream, self.group, entry_id)

    def next_new(self, *, wait: float) -> Entry | None:
        """Return the next entry that nobody of the group was given, waiting up to ``wait`` seconds for one."""
        return self._read(NEVER_DELIVERED, block=max(round(wait * 1000), 1))

    def next_own(self, after: bytes | str) -> Entry | None:
        """Return this consumer's first unacknowledged entry after the id ``after``."""
        return self._read(after, block=None)

    def claim_idle(self, idle: float) -> Iterator[Entry]:
        """Take over, one by one, the entries that a consumer was given more than ``idle`` seconds ago."""
        cursor: bytes | str = BEGINNING
        while True:
            answer = self._client.xautoclaim(
                self.stream, self.group, self.consumer, round(idle * 1000), start_id=cursor, count=1
            )
            cursor = answer[0]
            yield from (Entry(entry_id, fields or {}) for entry_id, fields in answer[1] if entry_id is not None)
            # From Redis 7 on these are no longer pending, and this answer is the last that is heard of them.
            yield from (Entry(entry_id, {}) for entry_id in answer[2:] and answer[2])
            if cursor in {BEGINNING, BEGINNING.encode()}:
                return

    def keep(self, entry: Entry) -> None:
        """Count ``entry`` as delivered just now, so that nobody takes it over while it waits."""
        self._client.xclaim(self.stream, self.group, self.consumer, 0, [entry.id], justid=True)

    def acknowledge(self, entry: Entry) -> None:
        self._client.xack(self.stream, self.group, entry.id)

    def state(self) -> GroupState:
        for info in self._client.xinfo_groups(self.stream):
            if self._is_mine(info):
                return GroupState(lag=info.get("lag"), pending=info["pending"])
        return GroupState(lag=None, pending=0)

    def skip_trimmed(self) -> int:
        """Return what ``count_trimmed`` does, and have the group's count of entries go on behind them.

        Redis would leave them in the lag for ever.
        """
        trimmed, group, gone = self._trimmed()
        if trimmed:
            # Another consumer may be given entries meanwhile: then they come twice, which is harmless.
            self._client.xgroup_setid(self.stream, self.group, group["last-delivered-id"], entries_read=gone)
        return trimmed

    def count_trimmed(self) -> int:
        """Return how many entries left the stream before the group was given them, as far as Redis can tell.

        It can from version 7 on.
        """
        return self._trimmed()[0]

    def _trimmed(self) -> tuple[int, Mapping[str, Any], int]:
        """Return that number, what Redis knows of the group, and how many entries left the stream in all."""
        stream = self._client.xinfo_stream(self.stream)
        group = next((info for info in self._client.xinfo_groups(self.stream) if self._is_mine(info)), {})
        added, read = stream.get("entries-added"), group.get("entries-read")
        if added is None or read is None:
            return 0, group, 0
        gone = added - stream["length"]
        return int(max(gone - read, 0)), group, gone

    def be_heard(self) -> None:
        """Let Redis note that this consumer lives.

        Before version 7.2 it does not when it has nothing to give, except for a question about one's own entries.
        """
        self._client.xreadgroup(self.group, self.consumer, {self.stream: END}, count=1)

    def forget_idle(self, idle: float) -> list[str]:
        """Remove from the group's list consumers that nobody heard of for ``idle`` seconds; returns their names.

        Only those to whom nothing is pending, and never this one. Looked at and removed in one step: an entry that is
        given to one of them in between would be forgotten with it.
        """
        names: Any = self._client.eval(_FORGET_IDLE, 1, self.stream, self.group, self.consumer, round(idle * 1000))
        return [name.decode("utf-8", "backslashreplace") for name in names]

    def leave(self) -> None:
        """Remove this consumer from the group's list, unless entries are pending: they would be forgotten with it."""
        pending = self._client.xpending_range(self.stream, self.group, "-", "+", 1, consumername=self.consumer)
        if not pending:
            self._client.xgroup_delconsumer(self.stream, self.group, self.consumer)

    def close(self) -> None:
        self._client.close()

    def _is_mine(self, info: Mapping[str, Any]) -> bool:
        return bool(info["name"] == self.group.encode())

    def _read(self, after: bytes | str, *, block: int | None) -> Entry | None:
        # Stubs of redis-py describe both protocol versions at once; with the default one this is a list of streams.
        answer: Any = self._client.xreadgroup(self.group, self.consumer, {self.stream: after}, count=1, block=block)
        for _, entries in answer or []:
            for entry_id, fields in entries:
                return Entry(entry_id, fields or {})
        return None
