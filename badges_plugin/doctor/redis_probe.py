"""Probe Redis: the server, the stream and the consumer group."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from django.utils import timezone
from edx_event_bus_redis.internal.config import get_full_topic, load_common_settings
from redis import Redis
from redis.exceptions import RedisError

from badges_plugin.conf import CONSUMER_GROUP
from badges_plugin.consumers import redis_lag
from badges_plugin.consumers.redis_stream import GroupStream
from badges_plugin.doctor.findings import Finding
from badges_plugin.doctor.lag_probe import lag

ANSWER_SECONDS = 5.0


def examine(topic: str, group: str = CONSUMER_GROUP) -> Iterator[Finding]:
    """Check the configured Redis for the stream of ``topic``, given without its prefix, and for the group."""
    connection = load_common_settings()
    if not connection or "url" not in connection:
        yield Finding.error(
            "EVENT_BUS_REDIS_CONNECTION_URL is not set.", "Set it to the URL of Redis, redis://host:6379/0."
        )
        return
    try:
        opened = Redis.from_url(connection["url"], socket_timeout=ANSWER_SECONDS)
    except ValueError:
        yield Finding.error(
            "EVENT_BUS_REDIS_CONNECTION_URL is not a Redis URL.",
            "Write it as redis://host:6379/0, with special characters of the password as %XX.",
        )
        return
    with closing(opened) as client:
        try:
            yield from _stream(client, topic, group)
        except RedisError as error:
            yield Finding.error(
                f"Redis does not answer: {type(error).__name__}.",
                "Start Redis, or correct EVENT_BUS_REDIS_CONNECTION_URL; check network and credentials.",
            )


def _stream(client: Redis, topic: str, group: str) -> Iterator[Finding]:
    """Yield findings about the stream. Raises RedisError."""
    stream = get_full_topic(topic)
    if not client.exists(stream):
        yield Finding.warning(
            f"Redis has no stream {stream} yet.",
            "The first event or consumer creates it. If there were any, correct EVENT_BUS_TOPIC_PREFIX, which must be "
            "the same in the LMS.",
        )
        return
    groups = [info["name"].decode("utf-8", "replace") for info in client.xinfo_groups(stream)]
    if group in groups:
        yield Finding.ok(f"Redis answers and has stream {stream} with {len(groups)} consumer groups.")
        yield from lag(group, [redis_lag.lag(GroupStream(client, stream, group, ""))], timezone.now())
    else:
        others = f"; it has {', '.join(sorted(groups))}" if groups else ""
        yield Finding.error(
            f"The stream {stream} has no consumer group {group}{others}.",
            f"Start manage.py consume_events -t {topic} -g {group} --extra '{{}}'. If the consumers' group has another "
            "name, give it with --group.",
        )
    if trimmed := GroupStream(client, stream, group, "").count_trimmed():
        yield Finding.error(
            f"{trimmed} events were trimmed from the stream before they were delivered to group {group}.",
            "They are lost: use badges_backfill. Increase the length of the stream, and start the consumers, or more "
            "of them.",
        )
