"""How far a consumer group is behind at Redis, and since when."""

from __future__ import annotations

from contextlib import closing

from edx_event_bus_redis.internal.config import load_common_settings
from redis import Redis
from redis.exceptions import RedisError

from badges_plugin.consumers.exceptions import Unmeasured
from badges_plugin.consumers.lag import Lag
from badges_plugin.consumers.redis_messages import broker_time
from badges_plugin.consumers.redis_stream import GroupStream

ANSWER_SECONDS = 5.0
STREAM = 0
"""The number of the only partition."""


def measure(stream: str, group: str) -> list[Lag]:
    """Return how far a group is behind. Raises Unmeasured."""
    connection = load_common_settings()
    if not connection or "url" not in connection:
        raise Unmeasured("EVENT_BUS_REDIS_CONNECTION_URL is not set")
    try:
        opened = Redis.from_url(connection["url"], socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS)
    except ValueError as error:
        raise Unmeasured("EVENT_BUS_REDIS_CONNECTION_URL is not a Redis URL") from error
    with closing(opened) as client:
        try:
            return [lag(GroupStream(client, stream, group, ""))]
        except RedisError as error:
            raise Unmeasured(f"Redis says {error}") from error


def lag(stream: GroupStream) -> Lag:
    """Return how far the group is behind: what was not delivered yet, and what was and is not acknowledged."""
    state, oldest = stream.state(), stream.oldest_waiting()
    messages = None if state.lag is None else state.lag + state.pending
    if oldest is None and state.lag is None:
        messages = 0
    return Lag(STREAM, messages, broker_time(oldest) if oldest else None)
