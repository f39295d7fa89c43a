"""Find mistakes in a configuration before anything is rendered from it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import UUID

from tutor_badges.bus import COURSE, LEARNER
from tutor_badges.config import KAFKA, OWN_KAFKA, OWN_REGISTRY, REDIS, SETTINGS, Setting
from tutor_badges.kubernetes import RESOURCES

# Teak, Ulmo, Verawood
TUTOR_RELEASES = range(20, 23)
REQUIRED_PLUGIN = "credentials"
POSITIVE = (
    "KAFKA_PARTITIONS",
    "KAFKA_RETENTION_DAYS",
    "CONSUMER_REPLICAS",
    "WORKER_REPLICAS",
    "REDIS_STREAM_MAX_LEN",
    "REDIS_CLAIM_AFTER_SECONDS",
    "STOP_GRACE_SECONDS",
)
# They become words of a command line. The names are those that Kafka allows.
NAME = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._-]*")
WORDS = {
    "EVENT_BUS_TOPIC": NAME,
    "EVENT_BUS_TOPIC_PREFIX": re.compile(f"({NAME.pattern})?"),
    "CONSUMER_GROUP": NAME,
    "LMS_CONSUMER_GROUP": NAME,
    "WORKER_OPTIONS": re.compile(r"[A-Za-z0-9._= -]*"),
}
REDIS_URL = re.compile(r"(rediss?://([^\s@]*@)?[^\s/@:?]+(:[0-9]+)?([/?]\S*)?)?")
METRICS_TOKEN = re.compile(r"([!-~]{16,})?")
# What Kubernetes accepts as the name of a namespace
NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# What Kubernetes accepts as an amount of memory or processors
QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?([EPTGMK]i|[numkMGTPE])?")
TYPE_NAMES = {
    bool: "true or false",
    int: "a whole number",
    str: "a string",
    dict: "a mapping",
    list: "a list",
    type(None): "null",
}
EVICTING_REDIS = (
    "Badges: the event bus is Tutor's Redis, which may evict the event streams when its memory is full (allkeys-lru). "
    "Events that were not consumed by then are lost. To evict only keys that expire: "
    "tutor config save --set BADGES_REDIS_EVICTION_POLICY=volatile-lru"
)


COST_OF_THE_BUS = """Badges: the event bus of all services is {bus}. Compare the costs:

kafka  replaces Tutor's Redis as the bus of every event. Adds a broker and a schema registry, about 1.5 GB of memory,
       unless you have a cluster (BADGES_RUN_KAFKA=false). The images of the LMS and Studio are built here as well.
redis  adds nothing to Tutor's Redis. One consumer. Events that Redis drops when it is full, or cannot accept, are lost.

To choose: tutor config save --set BADGES_EVENT_BUS=kafka, or redis."""
CHANGE_OF_BUS = (
    "Badges: events that the consumers have not read yet stay on {before}, where nobody reads them. Before you start "
    "with the new bus, see `Change the bus` in the operator's guide."
)
# Discovery's settings name a bus of their own since this release of Tutor.
DISCOVERY, DISCOVERY_ON_REDIS_SINCE = "discovery", 21
DISCOVERY_STAYS = (
    "Badges: the LMS and Studio send all their events to Kafka. Discovery stays on Redis, because its image has no "
    "Kafka client: if you run consume_events in Discovery, it no longer receives events. Badges do not need it."
)
PINNED_IMAGE = (
    "Badges: {key} is {value}, whose tag lacks the versions of Open edX and of the plugin. After an upgrade, a "
    "cluster would run the old image with the new settings. Unset it (tutor config save --unset {key}) and set "
    "BADGES_DOCKER_REGISTRY, or set a new tag before each upgrade."
)


def errors(config: Mapping[str, Any], plugins: Collection[str], release: int) -> Iterator[str]:
    """Yield the mistakes that make a deployment impossible, each with its fix.

    ``plugins`` are the enabled ones, ``release`` is the major version of Tutor.
    """
    if release not in TUTOR_RELEASES:
        yield (
            f"The badges plugin needs Tutor {TUTOR_RELEASES[0]} to {TUTOR_RELEASES[-1]}; this is Tutor {release}. "
            "Install another version of the plugin or of Tutor, or run `tutor plugins disable badges`."
        )
        return
    if REQUIRED_PLUGIN not in plugins:
        yield (
            "The badges plugin needs the credentials plugin, which is not enabled. Run `tutor plugins enable mfe "
            "discovery credentials`, or `tutor plugins disable badges`."
        )
        return
    wrong_types = [error for setting in SETTINGS if (error := _type_error(setting, config[setting.key]))]
    yield from wrong_types
    if not wrong_types:
        yield from _value_errors(config)


def warnings(config: Mapping[str, Any], tutor_version: str) -> Iterator[str]:
    """Yield warnings about settings that work but may surprise."""
    images = [("CREDENTIALS_DOCKER_IMAGE", config.get("CREDENTIALS_VERSION", tutor_version))]
    if config["BADGES_EVENT_BUS"] == KAFKA:
        images.append(("DOCKER_IMAGE_OPENEDX", tutor_version))
    for key, version in images:
        tag = str(config.get(key, "")).rsplit("/", 1)[-1]
        if tag and not (str(version) in tag and str(config["BADGES_VERSION"]) in tag):
            yield PINNED_IMAGE.format(key=key, value=config[key])
    evicts = not config["BADGES_REDIS_EVICTION_POLICY"] and config["RUN_REDIS"] and not config["BADGES_REDIS_URL"]
    if config["BADGES_EVENT_BUS"] == REDIS and evicts:
        yield EVICTING_REDIS
    if config["BADGES_EVENT_BUS"] == REDIS and config["BADGES_CONSUMER_REPLICAS"] > 1:
        yield "Badges: with Redis there is one consumer; BADGES_CONSUMER_REPLICAS has no effect."


def notices(config: Mapping[str, Any], before: str | None, plugins: Collection[str], release: int) -> Iterator[str]:
    """Yield notices for an environment whose bus is about to change from ``before``."""
    bus = config["BADGES_EVENT_BUS"]
    if before == bus:
        return
    yield COST_OF_THE_BUS.format(bus=bus.capitalize())
    if before:
        yield CHANGE_OF_BUS.format(before=before.capitalize())
    if bus == KAFKA and DISCOVERY in plugins and release >= DISCOVERY_ON_REDIS_SINCE:
        yield DISCOVERY_STAYS


def _type_error(setting: Setting, value: object) -> str | None:
    expected, given = type(setting.default), type(value)
    if given is expected:
        return None
    # Not the value itself: it may be a secret.
    return (
        f"{setting.key} must be {TYPE_NAMES[expected]}, not {TYPE_NAMES.get(given, given.__name__)}. "
        "See the settings page of the operator's guide."
    )


def _value_errors(config: Mapping[str, Any]) -> Iterator[str]:
    bus = config["BADGES_EVENT_BUS"]
    if bus not in (KAFKA, REDIS):
        yield f'BADGES_EVENT_BUS must be "{KAFKA}" or "{REDIS}", not {bus!r}.'
    if config["BADGES_EVENT_KEY"] not in (COURSE, LEARNER):
        yield f'BADGES_EVENT_KEY must be "{COURSE}" or "{LEARNER}", not {config["BADGES_EVENT_KEY"]!r}.'
    if not REDIS_URL.fullmatch(config["BADGES_REDIS_URL"]):
        # Not the value itself: it may have a password in it.
        yield "BADGES_REDIS_URL must begin with redis:// or rediss:// and name a host."
    if not METRICS_TOKEN.fullmatch(config["BADGES_METRICS_TOKEN"]):
        yield "BADGES_METRICS_TOKEN must be 16 or more characters of ASCII without spaces."
    for name in POSITIVE:
        if config["BADGES_" + name] < 1:
            yield f"BADGES_{name} must be 1 or more."
    yield from _word_errors(config)
    yield from _mapping_errors(config)
    yield from _kafka_errors(config, bus)


def _word_errors(config: Mapping[str, Any]) -> Iterator[str]:
    for name, pattern in WORDS.items():
        if not pattern.fullmatch(config["BADGES_" + name]):
            yield f"BADGES_{name} must match {pattern.pattern}"
    if not all(_is_text(name) and NAMESPACE.fullmatch(name) for name in config["BADGES_KAFKA_ALLOWED_NAMESPACES"]):
        yield "BADGES_KAFKA_ALLOWED_NAMESPACES must be a list of Kubernetes namespace names."
    if not re.fullmatch(r"([^\s{}]+/)?", config["BADGES_DOCKER_REGISTRY"]):
        yield 'BADGES_DOCKER_REGISTRY must end with a slash: "registry.example.com/".'


def _mapping_errors(config: Mapping[str, Any]) -> Iterator[str]:
    # LMS would not start with it.
    if not all(_is_text(event) and _is_text(field) for event, field in config["BADGES_EXTRA_EVENTS"].items()):
        yield "BADGES_EXTRA_EVENTS must map event types to key fields, both strings."
    organizations = config["BADGES_CREDLY_ORGANIZATIONS"]
    if not all(_is_uuid(organization) and _is_text(key) for organization, key in organizations.items()):
        yield "BADGES_CREDLY_ORGANIZATIONS must map organization ids, which are UUIDs, to API keys, which are strings."
    if unknown := ", ".join(str(name) for name in config["BADGES_RESOURCES"] if name not in RESOURCES):
        yield f"BADGES_RESOURCES has no container {unknown}. It may have {', '.join(sorted(RESOURCES))}."
    elif not all(_are_resources(value) for value in config["BADGES_RESOURCES"].values()):
        yield 'BADGES_RESOURCES must map containers to "requests" and "limits", such as {"memory": "1Gi"}.'


def _are_resources(value: object) -> bool:
    return isinstance(value, dict) and all(
        key in ("requests", "limits")
        and isinstance(amounts, dict)
        and all(_is_text(name) and QUANTITY.fullmatch(str(amount)) for name, amount in amounts.items())
        for key, amounts in value.items()
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_uuid(value: object) -> bool:
    try:
        return bool(UUID(str(value)))
    except ValueError:
        return False


def _kafka_errors(config: Mapping[str, Any], bus: str) -> Iterator[str]:
    if bus == KAFKA and not config["BADGES_RUN_KAFKA"]:
        for key, own in (("BADGES_KAFKA_BOOTSTRAP_SERVERS", OWN_KAFKA), ("BADGES_SCHEMA_REGISTRY_URL", OWN_REGISTRY)):
            if config[key] == own:
                yield f"BADGES_RUN_KAFKA is false. Set {key} to that of your cluster, or set BADGES_EVENT_BUS=redis."
    if bus == KAFKA and config["BADGES_RUN_KAFKA"] and config["BADGES_KAFKA_API_KEY"]:
        yield (
            "BADGES_KAFKA_API_KEY makes clients use SASL_SSL, which the plugin's own broker does not support. Set "
            "BADGES_RUN_KAFKA=false for an external cluster, or unset the key."
        )
    if bus == KAFKA and config["BADGES_CONSUMER_REPLICAS"] > config["BADGES_KAFKA_PARTITIONS"]:
        yield (
            "BADGES_CONSUMER_REPLICAS is larger than BADGES_KAFKA_PARTITIONS: the additional consumers would be idle. "
            "Lower the first or raise the second."
        )
    for key in ("KAFKA", "SCHEMA_REGISTRY"):
        if bool(config[f"BADGES_{key}_API_KEY"]) != bool(config[f"BADGES_{key}_API_SECRET"]):
            yield f"Set both BADGES_{key}_API_KEY and BADGES_{key}_API_SECRET, or neither."
