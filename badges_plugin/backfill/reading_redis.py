"""Read a Redis stream again, without touching its groups and their pending entries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from edx_event_bus_redis.internal.config import get_full_topic, load_common_settings
from redis import Redis
from redis.exceptions import RedisError

from badges_plugin.consumers.message import Message
from badges_plugin.consumers.redis_messages import message_from
from badges_plugin.consumers.redis_stream import Entry
from badges_plugin.exceptions import CannotRead

BATCH = 500
ANSWER_SECONDS = 20.0


class RedisStreamReader:
    """The entries that are in the stream now, up to its current last entry."""

    def __init__(self, topic: str, *, since: datetime | None) -> None:
        settings = load_common_settings()
        if not settings or "url" not in settings:
            raise CannotRead("EVENT_BUS_REDIS_CONNECTION_URL is not set.")
        self._stream = get_full_topic(topic)
        try:
            self._client = Redis.from_url(settings["url"], socket_timeout=ANSWER_SECONDS)
        except ValueError as error:
            # The error's message may quote the URL, which may contain a password.
            raise CannotRead("EVENT_BUS_REDIS_CONNECTION_URL is not a Redis URL, redis://host:6379/0.") from error
        # Ids begin with a time in milliseconds; an event is never sent before it happens.
        self._start = "-" if since is None else f"{max(round(since.timestamp() * 1000), 0)}-0"
        try:
            if not self._client.exists(self._stream):
                raise CannotRead(f"Redis has no stream {self._stream}. Check --topic and EVENT_BUS_TOPIC_PREFIX.")
            info: Any = self._client.xinfo_stream(self._stream)
        except RedisError as error:
            self.close()
            raise CannotRead(f"Redis: {type(error).__name__}") from error
        self._length, self._last = info["length"], info["last-generated-id"]

    def close(self) -> None:
        self._client.close()

    def __len__(self) -> int:
        """Return the maximum number of entries to read."""
        return int(self._length)

    def messages(self) -> Iterator[Message]:
        """Yield the entries in order."""
        start = self._start
        while True:
            try:
                page: Any = self._client.xrange(self._stream, min=start, max=self._last, count=BATCH)
            except RedisError as error:
                raise CannotRead(f"Redis: {type(error).__name__}") from error
            for entry_id, fields in page:
                yield message_from(Entry(entry_id, fields or {}), self._stream, "")
            if len(page) < BATCH:
                return
            start = f"({page[-1][0].decode()}"
