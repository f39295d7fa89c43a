"""Values about the event bus for the templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

SETTINGS_FILE = Path("apps", "openedx", "settings", "lms", "production.py")
# The first line of our part of that file: Tutor itself may name a bus before it.
SETTINGS_COMMENT = "# Badges: the event bus."
COURSE, LEARNER = "course", "learner"
# For each event type that the LMS sends, the fields that can be its message key
LMS_EVENTS = {
    "org.openedx.learning.course.passing.status.updated.v1": {
        COURSE: "course_passing_status.course.course_key",
        LEARNER: "course_passing_status.user.id",
    },
    "org.openedx.learning.ccx.course.passing.status.updated.v1": {
        COURSE: "course_passing_status.course.ccx_course_key",
        LEARNER: "course_passing_status.user.id",
    },
}


def events(extra: Mapping[str, str], key: str) -> dict[str, str]:
    """Return the event types that the LMS sends, each with the field that becomes the key of its messages."""
    return {**{event: fields[key] for event, fields in LMS_EVENTS.items()}, **extra}


def rendered(env: Path) -> str | None:
    """Return the event bus of the last saved environment, "kafka" or "redis"; None if it had no badges."""
    path = env / SETTINGS_FILE
    saved = path.read_text(encoding="utf-8").partition(SETTINGS_COMMENT)[2] if path.exists() else ""
    found = re.search(r"edx_event_bus_(\w+)\.create_producer", saved)
    return found[1] if found else None


def redis_url(host: str, port: int, username: str, password: str, db: int) -> str:
    """Return the URL of a Redis database; a password works without a user name as well."""
    credentials = f"{quote(username, safe='')}:{quote(password, safe='')}@" if username or password else ""
    return f"redis://{credentials}{host}:{port}/{db}"


def kafka_environment(host: str, partitions: int, retention_days: int, heap_options: str) -> dict[str, str]:
    """Return the environment of the single-node KRaft broker, for the image of the Apache Kafka project.

    Clients connect to the name that the broker advertises, ``host``, whatever name they used first.
    """
    return {
        "CLUSTER_ID": "YmFkZ2VzLWthZmthLWNsdQ",
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{host}:9092",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_LOG_DIRS": "/var/lib/kafka/data",
        # Topics of other events of the platform are created by whoever sends first.
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "true",
        "KAFKA_NUM_PARTITIONS": str(partitions),
        "KAFKA_LOG_RETENTION_HOURS": str(24 * retention_days),
        # Offsets are kept as long as the events, so that a long stop does not cause a replay.
        "KAFKA_OFFSETS_RETENTION_MINUTES": str(24 * 60 * retention_days),
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_HEAP_OPTS": heap_options,
    }


def registry_environment() -> dict[str, str]:
    """Return the environment of the schema registry, for the image of the Apicurio project, version 3."""
    return {
        # In Kafka itself, so that schemas and the messages that refer to them are kept and lost together
        "APICURIO_STORAGE_KIND": "kafkasql",
        "APICURIO_KAFKASQL_BOOTSTRAP_SERVERS": "badges-kafka:9092",
        # Its topics otherwise get the broker's retention. A registry that starts after that has lost its schemas and
        # assigns their ids again: messages could no longer be read. Seen with Apicurio 3.0.9.
        "APICURIO_KAFKASQL_TOPIC_RETENTION_MS": "-1",
    }
