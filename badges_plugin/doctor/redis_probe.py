"""Redis: server and stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from edx_event_bus_redis.internal.config import get_full_topic, load_common_settings
from redis import Redis
from redis.exceptions import RedisError

from badges_plugin.consumers.redis_stream import GroupStream
from badges_plugin.doctor.bus_probes import GROUP
from badges_plugin.doctor.findings import Finding

ANSWER_SECONDS = 5.0


def examine(topic: str, group: str = GROUP) -> Iterator[Finding]:
    """Look at the Redis that the settings name."""
    connection = load_common_settings()
    if not connection or "url" not in connection:
        yield Finding.error(
            "EVENT_BUS_REDIS_CONNECTION_URL is not set.", "Set it to the address of Redis, redis://host:6379/0."
        )
        return
    stream = get_full_topic(topic)
    try:
        opened = Redis.from_url(connection["url"], socket_timeout=ANSWER_SECONDS)
    except ValueError:
        yield Finding.error(
            "EVENT_BUS_REDIS_CONNECTION_URL is no address of Redis.",
            "Write it as redis://host:6379/0; special characters of a password as %XX.",
        )
        return
    with closing(opened) as client:
        try:
            exists = client.exists(stream)
            groups = client.xinfo_groups(stream) if exists else []
            trimmed = GroupStream(client, stream, group, "").count_trimmed() if groups else 0
        except RedisError as error:
            yield Finding.error(
                f"Redis does not answer: {type(error).__name__}.",
                "Start Redis, or correct EVENT_BUS_REDIS_CONNECTION_URL; check network and credentials.",
            )
            return
    if not exists:
        yield Finding.warning(
            f"Redis has no stream {stream} yet.",
            "It comes with the first event or consumer. If there were any, correct EVENT_BUS_TOPIC_PREFIX, which must "
            "be the same in the LMS.",
        )
    elif not groups:
        yield Finding.error(
            f"Nobody consumes the stream {stream}.",
            f"Start manage.py consume_events -t {topic} -g credentials-badges --extra '{{}}'.",
        )
    else:
        yield Finding.ok(f"Redis answers and has stream {stream} with {len(groups)} consumer groups.")
    if trimmed:
        yield Finding.error(
            f"{trimmed} events were trimmed from the stream before group {group} was given them.",
            "They are lost: use badges_backfill. Have the stream keep more, and start the consumers, or more of them.",
        )
