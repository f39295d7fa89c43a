"""A Redis stream, read once more. Groups and what is pending in them are left alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from edx_event_bus_redis.internal.config import get_full_topic, load_common_settings
from redis import Redis
from redis.exceptions import RedisError

from badges_plugin.backfill.exceptions import CannotRead
from badges_plugin.consumers.message import Message
from badges_plugin.consumers.redis_messages import message_from
from badges_plugin.consumers.redis_stream import Entry

AT_ONCE = 500
ANSWER_SECONDS = 20.0


class RedisStreamReader:
    """What is in the stream now, up to its last entry at this moment."""

    def __init__(self, topic: str, *, since: datetime | None) -> None:
        settings = load_common_settings()
        if not settings or "url" not in settings:
            raise CannotRead("EVENT_BUS_REDIS_CONNECTION_URL is not set.")
        self._stream = get_full_topic(topic)
        try:
            self._client = Redis.from_url(settings["url"], socket_timeout=ANSWER_SECONDS)
        except ValueError as error:
            # Without what the error says: it may quote the address, which may hold a password.
            raise CannotRead("EVENT_BUS_REDIS_CONNECTION_URL is no address of Redis, redis://host:6379/0.") from error
        # Ids start with milliseconds: an event is sent when it happens, or later.
        self._start = "-" if since is None else f"{max(round(since.timestamp() * 1000), 0)}-0"
        try:
            if not self._client.exists(self._stream):
                raise CannotRead(f"Redis has no stream {self._stream}: look at --topic and EVENT_BUS_TOPIC_PREFIX.")
            info: Any = self._client.xinfo_stream(self._stream)
        except RedisError as error:
            self.close()
            raise CannotRead(f"Redis: {type(error).__name__}") from error
        self._length, self._last = info["length"], info["last-generated-id"]

    def close(self) -> None:
        self._client.close()

    def __len__(self) -> int:
        """Return how many entries there are to read, at most."""
        return int(self._length)

    def messages(self) -> Iterator[Message]:
        """Yield them in order."""
        start = self._start
        while True:
            try:
                page: Any = self._client.xrange(self._stream, min=start, max=self._last, count=AT_ONCE)
            except RedisError as error:
                raise CannotRead(f"Redis: {type(error).__name__}") from error
            for entry_id, fields in page:
                yield message_from(Entry(entry_id, fields or {}), self._stream, "")
            if len(page) < AT_ONCE:
                return
            start = f"({page[-1][0].decode()}"
