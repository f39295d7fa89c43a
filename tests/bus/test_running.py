"""How a consumer starts and ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from openedx_events.event_bus import EventBusConsumer, NoEventBusConsumer, make_single_consumer

from badges_plugin.conf import CONSUMER_GROUP, TOPIC
from badges_plugin.consumers.exceptions import CannotGoOn, Stopped, UnusableOption
from badges_plugin.consumers.kafka import KafkaConsumer
from badges_plugin.consumers.redis import RedisConsumer
from badges_plugin.consumers.redis_options import read_options
from badges_plugin.consumers.running import StopRequest, run_until_stopped

KAFKA = "badges_plugin.consumers.kafka.KafkaConsumer"
REDIS = "badges_plugin.consumers.redis.RedisConsumer"


@pytest.mark.parametrize(
    ("path", "expected", "extra"),
    [
        (KAFKA, KafkaConsumer, {}),
        (KAFKA, KafkaConsumer, {"unknown": 1}),  # reported when it runs: here it would be swallowed
        (REDIS, RedisConsumer, {"consumer_name": "c1", "check_backlog": True}),
    ],
)
def test_is_what_consume_events_makes(
    settings: Any, path: str, expected: type[EventBusConsumer], extra: dict[str, object]
) -> None:
    settings.EVENT_BUS_CONSUMER = path
    consumer = make_single_consumer(topic=TOPIC, group_id=CONSUMER_GROUP, **extra)
    assert isinstance(consumer, expected)
    assert not isinstance(consumer, NoEventBusConsumer)


@pytest.mark.parametrize(
    ("consumer", "config", "said"),
    [
        (
            KafkaConsumer("t", "g", check_backlog=True),
            {},
            "Unknown options in --extra: check_backlog",
        ),  # the other bus's
        (RedisConsumer("t", "g", offset_time="now"), {}, "Unknown options in --extra: offset_time"),
        (KafkaConsumer("t", "g"), {"patience": "long"}, "patience"),
        (KafkaConsumer("t", "g"), {}, "EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS is not set"),
        (RedisConsumer("t", "g"), {}, "EVENT_BUS_REDIS_CONNECTION_URL is not set"),
    ],
)
@pytest.mark.filterwarnings("ignore:Cannot configure event-bus")
def test_a_mistake_ends_with_an_exit_code_and_is_named(
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    consumer: EventBusConsumer,
    config: dict[str, object],
    said: str,
) -> None:
    settings.BADGES_CONFIG = {"consumer": config}
    settings.EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS = settings.EVENT_BUS_REDIS_CONNECTION_URL = None
    with pytest.raises(SystemExit) as raised:
        consumer.consume_indefinitely()
    assert raised.value.code == 1
    assert said in caplog.text


@pytest.mark.parametrize(
    ("option", "value", "accepted"),
    [
        ("claim_msgs_older_than", 60_000, True),
        ("claim_msgs_older_than", 0.5, True),
        ("claim_msgs_older_than", None, True),
        ("claim_msgs_older_than", "abc", False),
        ("claim_msgs_older_than", "60000", False),
        ("claim_msgs_older_than", 0, False),
        ("claim_msgs_older_than", -1, False),
        ("claim_msgs_older_than", True, False),
        ("claim_msgs_older_than", float("nan"), False),
        ("claim_msgs_older_than", float("inf"), False),
        ("claim_msgs_older_than", 10**400, False),
        ("claim_msgs_older_than", [1], False),
        ("consumer_name", "c1", True),
        ("consumer_name", "", False),
        ("consumer_name", 7, False),
        ("consumer_name", ["c1"], False),
        ("consumer_name", "c1\nc2", False),
        ("consumer_name", "c" * 10_000, False),
        ("last_read_msg_id", "1679676448892-0", True),
        ("last_read_msg_id", "0", True),
        ("last_read_msg_id", "$", True),
        ("last_read_msg_id", "yesterday", False),
        ("last_read_msg_id", "-1", False),
        ("last_read_msg_id", "9" * 20, False),
        ("last_read_msg_id", 0, False),
        ("check_backlog", True, True),
        ("check_backlog", "yes", False),
    ],
)
def test_f9_an_option_of_the_redis_consumer_is_read_or_named(option: str, value: object, accepted: bool) -> None:
    if accepted:
        read_options({option: value})
    else:
        with pytest.raises(UnusableOption, match=f'"{option}" must be'):
            read_options({option: value})


def test_f9_an_option_that_cannot_be_used_is_one_line_and_an_exit_code(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SystemExit) as raised:
        RedisConsumer("t", "g", claim_msgs_older_than="a minute").consume_indefinitely()
    assert raised.value.code == 1
    [record] = caplog.records
    assert "claim_msgs_older_than" in record.getMessage()
    assert (record.exc_info, len(record.getMessage().splitlines())) == (None, 1)


@pytest.mark.parametrize(
    ("setting", "consumer"),
    [
        ("EVENT_BUS_KAFKA_CONSUMERS_ENABLED", KafkaConsumer("t", "g")),
        ("EVENT_BUS_REDIS_CONSUMERS_ENABLED", RedisConsumer("t", "g")),
    ],
)
def test_the_libraries_kill_switch_holds(
    settings: Any, caplog: pytest.LogCaptureFixture, setting: str, consumer: EventBusConsumer
) -> None:
    setattr(settings, setting, False)
    consumer.consume_indefinitely()
    assert f"{setting} is off" in caplog.text


def raising(error: BaseException) -> Callable[[], None]:
    def consume() -> None:
        raise error

    return consume


@pytest.mark.parametrize("error", [CannotGoOn("the database is away"), ValueError("a bug"), ImportError("no client")])
def test_what_it_cannot_get_over_is_an_exit_code(error: Exception) -> None:
    with pytest.raises(SystemExit) as raised:
        run_until_stopped(raising(error), StopRequest(), {}, accepted=())
    assert raised.value.code == 1


def test_a_stop_while_waiting_is_a_clean_end(caplog: pytest.LogCaptureFixture) -> None:
    run_until_stopped(raising(Stopped("Applying event 1")), StopRequest(), {}, accepted=())
    assert "Applying event 1; events that are not acknowledged" in caplog.text


def test_an_unexpected_error_is_logged_by_class_and_place_alone(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SystemExit):
        run_until_stopped(raising(ValueError("anna@example.com")), StopRequest(), {}, accepted=())
    assert "ValueError" in caplog.text
    assert "in consume" in caplog.text
    assert "anna@example.com" not in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_request_and_the_handlers_before_it_come_back(number: signal.Signals) -> None:
    stop = StopRequest()
    before = signal.getsignal(number)
    seen: list[bool] = []

    def consume() -> None:
        seen.append(stop())
        os.kill(os.getpid(), number)
        seen.append(stop())

    run_until_stopped(consume, stop, {}, accepted=())
    assert seen == [False, True]
    assert signal.getsignal(number) is before
