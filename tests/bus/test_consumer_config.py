"""BADGES_CONFIG["consumer"]."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from badges_plugin.consumers import checks
from badges_plugin.consumers.config import consumer_config
from badges_plugin.consumers.exceptions import CannotGoOn
from badges_plugin.consumers.kafka_loop import client_properties


def test_what_is_left_out_has_its_default() -> None:
    with override_settings(BADGES_CONFIG={"consumer": {"patience": 5}}):
        config = consumer_config()
        assert checks.check_settings(None) == []
    assert (config.patience, config.offset_reset, config.kafka) == (5, "earliest", {})


@pytest.mark.parametrize("given", [{"batch_size": 1, "batch_milliseconds": 0}, {"batch_size": 1000}])
def test_a_batch_may_be_one_event_and_need_not_wait(given: dict[str, int]) -> None:
    with override_settings(BADGES_CONFIG={"consumer": given}):
        config = consumer_config()
    assert {name: getattr(config, name) for name in given} == given


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"patiense": 5}, "patiense"),
        ({"patience": "5"}, "patience"),
        ({"patience": True}, "patience"),  # a number to Python
        ({"poll_timeout": 0}, "poll_timeout"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 1001}, "batch_size"),
        ({"batch_size": 10.0}, "batch_size"),
        ({"batch_size": True}, "batch_size"),
        ({"batch_milliseconds": -1}, "batch_milliseconds"),
        ({"batch_milliseconds": "10"}, "batch_milliseconds"),
        ({"batch_milliseconds": 60_000}, "batch_milliseconds"),  # meant as a minute
        ({"offset_reset": "smallest"}, "offset_reset"),
        ({"kafka": "session.timeout.ms=1"}, "kafka"),
    ],
)
def test_a_mistake_is_named(given: dict[str, object], named: str) -> None:
    with override_settings(BADGES_CONFIG={"consumer": given}), pytest.raises(ImproperlyConfigured, match=named):
        consumer_config()
    with override_settings(BADGES_CONFIG={"consumer": given}):
        (message,) = checks.check_settings(None)
    assert (message.id, named in message.msg, bool(message.hint)) == ("badges_plugin.E005", True, True)


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({}, "auto.offset.reset", "earliest"),
        ({}, "enable.auto.offset.store", False),  # or else what was only received would be committed
        ({"session_timeout": 6}, "session.timeout.ms", 6000),
        ({"patience": 300}, "max.poll.interval.ms", 480_000),  # waiting for the database must not lose partitions
        ({}, "reconnect.backoff.ms", 2000),  # or else the log has 20 lines a second while the broker is away
        ({"kafka": {"reconnect.backoff.max.ms": 1000}}, "reconnect.backoff.ms", 1000),  # not above its maximum
        ({"kafka": {"session.timeout.ms": 9000}}, "session.timeout.ms", 9000),  # the operator's word is the last
    ],
)
def test_kafka_properties(given: dict[str, object], name: str, value: object) -> None:
    with override_settings(
        BADGES_CONFIG={"consumer": given}, EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS="broker:9092", EVENTS_SERVICE_NAME=None
    ):
        properties = client_properties(consumer_config(), "credentials")
    assert properties["bootstrap.servers"] == "broker:9092"
    assert properties[name] == value


@override_settings(EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS=None)
def test_kafka_without_a_broker_says_which_setting_is_missing() -> None:
    with (
        pytest.warns(UserWarning, match="EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS"),
        pytest.raises(CannotGoOn, match="EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS"),
    ):
        client_properties(consumer_config(), "credentials")
