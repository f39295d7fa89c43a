"""Read and check the consumers' settings when a consumer starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from django.core.exceptions import ImproperlyConfigured

from badges_plugin import conf
from badges_plugin.setting_values import whole_number

MAX_BATCH_SIZE = 1000
"""Larger batches are no faster, and hold the locks of their learners for longer."""
MAX_BATCH_MILLISECONDS = 1000


@dataclass(frozen=True, kw_only=True)
class ConsumerConfig:
    """``BADGES_CONFIG["consumer"]``; times are seconds.

    .. setting_name: BADGES_CONFIG["consumer"]
    .. setting_default: {}
    .. setting_description: ``batch_size``: maximum number of events that are applied together; ``batch_milliseconds``:
        how long to wait for more of them once one has come; ``poll_timeout``: maximum wait for a message, and so for
        noticing a stop signal;
        ``patience``: how long to wait for an unreachable database, schema registry or Redis before the process ends,
        with a non-zero exit code and the message not acknowledged; ``max_backoff``: maximum pause between two
        attempts; ``session_timeout`` (Kafka): the broker gives a consumer's partitions to others after this silence;
        ``offset_reset`` (Kafka): where a group without an offset starts, "earliest" or "latest"; ``commit_interval``
        (Kafka): how often the offsets of applied events are committed; ``claim_idle`` (Redis): an entry that another
        consumer has not acknowledged for this long is taken over; ``forget_idle`` (Redis): a consumer that has no
        pending entries and was inactive for this long is removed from its group; ``lag_interval``: how often the lag
        is reported; ``kafka``: further properties of librdkafka, which override all others.
    """

    batch_size: int = 150
    batch_milliseconds: int = 10
    poll_timeout: float = 1.0
    patience: float = 120.0
    max_backoff: float = 15.0
    session_timeout: float = 30.0
    offset_reset: str = "earliest"
    commit_interval: float = 1.0
    claim_idle: float = 60.0
    forget_idle: float = 3600.0
    lag_interval: float = 30.0
    kafka: Mapping[str, object]


def consumer_config() -> ConsumerConfig:
    """Return the settings merged over their defaults. Raises ImproperlyConfigured, which names the key."""
    defaults = {each.name: each.default for each in fields(ConsumerConfig)} | {"kafka": {}}
    given = conf.known_section("consumer", defaults)
    for name, default in defaults.items():
        value = given[name]
        if isinstance(default, float) and (isinstance(value, bool) or not isinstance(value, int | float) or value <= 0):
            raise ImproperlyConfigured(f'BADGES_CONFIG["consumer"]["{name}"] must be a number of seconds above 0.')
    for name, least, most in (("batch_size", 1, MAX_BATCH_SIZE), ("batch_milliseconds", 0, MAX_BATCH_MILLISECONDS)):
        whole_number("consumer", name, given[name], least=least, most=most)
    if given["offset_reset"] not in {"earliest", "latest"}:
        raise ImproperlyConfigured('BADGES_CONFIG["consumer"]["offset_reset"] must be "earliest" or "latest".')
    if not isinstance(given["kafka"], Mapping):
        raise ImproperlyConfigured('BADGES_CONFIG["consumer"]["kafka"] must be a dictionary of librdkafka properties.')
    return ConsumerConfig(**given)  # type: ignore[arg-type]
