"""Kafka consumer for the setting ``EVENT_BUS_CONSUMER = "badges_plugin.consumers.kafka.KafkaConsumer"``."""

from __future__ import annotations

from openedx_events.event_bus import EventBusConsumer

from badges_plugin.consumers.running import StopRequest, run_until_stopped


class KafkaConsumer(EventBusConsumer):  # type: ignore[misc]  # openedx-events has no types
    """Consumes one topic for one group, for ``consume_events -t TOPIC -g GROUP``.

    Neither this module nor the constructor does anything that can fail, such as importing the Kafka client:
    openedx-events swallows such errors, and the command then ends with exit code 0.
    """

    def __init__(self, topic: str, group_id: str, **extra: object) -> None:
        self.topic = topic
        self.group_id = group_id
        self.extra = extra
        self.stop = StopRequest()

    def consume_indefinitely(self) -> None:
        """Consume until stopped. Raises SystemExit, which consume_events lets through, when it cannot continue."""
        run_until_stopped(self._consume, self.stop, self.extra, accepted=frozenset())

    def _consume(self) -> None:
        from badges_plugin.consumers.kafka_loop import consume

        consume(self.topic, self.group_id, self.stop)
