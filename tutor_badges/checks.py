"""What can be wrong with a configuration, found before anything is rendered from it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tutor_badges.config import KAFKA, OWN_KAFKA, OWN_REGISTRY, REDIS, SETTINGS, Setting

REQUIRED_PLUGIN = "credentials"
POSITIVE = ("KAFKA_PARTITIONS", "KAFKA_RETENTION_DAYS", "CONSUMER_REPLICAS", "WORKER_REPLICAS", "REDIS_STREAM_MAX_LEN")
TYPE_NAMES = {bool: "true or false", int: "a whole number", str: "a string", dict: "a mapping", list: "a list"}
EVICTING_REDIS = (
    "Badges: the event bus is Tutor's Redis, which may evict the event streams when it is full (allkeys-lru). "
    "Events that were not consumed by then are lost. To evict only keys that expire: "
    "tutor config save --set BADGES_REDIS_EVICTION_POLICY=volatile-lru"
)


def errors(config: Mapping[str, Any], plugins: Collection[str]) -> Iterator[str]:
    """Yield what makes deployment impossible, each with its remedy; ``plugins`` are the enabled ones."""
    if REQUIRED_PLUGIN not in plugins:
        yield (
            "The badges plugin needs the credentials plugin, which is not enabled. Either `tutor plugins enable mfe "
            "discovery credentials` or `tutor plugins disable badges`."
        )
        return
    wrong_types = [error for setting in SETTINGS if (error := _type_error(setting, config[setting.key]))]
    yield from wrong_types
    if not wrong_types:
        yield from _value_errors(config)


def warnings(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what works but should be known."""
    evicts = not config["BADGES_REDIS_EVICTION_POLICY"] and config["RUN_REDIS"]
    if config["BADGES_EVENT_BUS"] == REDIS and evicts:
        yield EVICTING_REDIS
    if config["BADGES_EVENT_BUS"] == REDIS and config["BADGES_CONSUMER_REPLICAS"] > 1:
        yield "Badges: with Redis there is one consumer; BADGES_CONSUMER_REPLICAS has no effect."


def _type_error(setting: Setting, value: object) -> str | None:
    expected = type(setting.default)
    if type(value) is expected:
        return None
    return (
        f"{setting.key} must be {TYPE_NAMES[expected]}, not {value!r}. See the settings page of the operator's guide."
    )


def _value_errors(config: Mapping[str, Any]) -> Iterator[str]:
    bus = config["BADGES_EVENT_BUS"]
    if bus not in (KAFKA, REDIS):
        yield f'BADGES_EVENT_BUS must be "{KAFKA}" or "{REDIS}", not {bus!r}.'
    for name in POSITIVE:
        if config["BADGES_" + name] < 1:
            yield f"BADGES_{name} must be 1 or more."
    if bus == KAFKA and not config["BADGES_RUN_KAFKA"]:
        for key, own in (("BADGES_KAFKA_BOOTSTRAP_SERVERS", OWN_KAFKA), ("BADGES_SCHEMA_REGISTRY_URL", OWN_REGISTRY)):
            if config[key] == own:
                yield f"BADGES_RUN_KAFKA is false: set {key} to that of your cluster, or use BADGES_EVENT_BUS=redis."
    if bus == KAFKA and config["BADGES_CONSUMER_REPLICAS"] > config["BADGES_KAFKA_PARTITIONS"]:
        yield (
            "BADGES_CONSUMER_REPLICAS is larger than BADGES_KAFKA_PARTITIONS: the consumers above that number "
            "would get nothing to do."
        )
    for key in ("KAFKA", "SCHEMA_REGISTRY"):
        if bool(config[f"BADGES_{key}_API_KEY"]) != bool(config[f"BADGES_{key}_API_SECRET"]):
            yield f"Set both BADGES_{key}_API_KEY and BADGES_{key}_API_SECRET, or neither."
