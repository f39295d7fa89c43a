"""Redis Streams consumer for the setting ``EVENT_BUS_CONSUMER = "badges_plugin.consumers.redis.RedisConsumer"``."""

from __future__ import annotations

from openedx_events.event_bus import EventBusConsumer

from badges_plugin.consumers.redis_options import OPTIONS, read_options
from badges_plugin.consumers.running import StopRequest, run_until_stopped


class RedisConsumer(EventBusConsumer):  # type: ignore[misc]  # openedx-events has no types
    """Consumes one stream for one group, for ``consume_events -t TOPIC -g GROUP --extra '{…}'``.

    ``--extra`` accepts the options of the library's consumer. ``consumer_name``: made from host and process unless
    given; a given one should stay the same over a restart. ``claim_msgs_older_than``: milliseconds, instead of the
    setting ``claim_idle``. ``last_read_msg_id``: continue after this entry, for a replay. ``check_backlog`` has no
    effect: entries that arrived while no consumer ran are always consumed, and a new group starts at the beginning.

    Neither this module nor the constructor does anything that can fail, such as importing the Redis client:
    openedx-events swallows such errors, and the command then ends with exit code 0.
    """

    def __init__(self, topic: str, group_id: str, **extra: object) -> None:
        self.topic = topic
        self.group_id = group_id
        self.extra = extra
        self.stop = StopRequest()

    def consume_indefinitely(self) -> None:
        """Consume until stopped. Raises SystemExit, which consume_events lets through, when it cannot continue."""
        run_until_stopped(self._consume, self.stop, self.extra, accepted=OPTIONS)

    def _consume(self) -> None:
        options = read_options(self.extra)
        from badges_plugin.consumers.redis_loop import consume

        consume(self.topic, self.group_id, options, self.stop)
