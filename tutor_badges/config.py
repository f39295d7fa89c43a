"""Every setting of the plugin, in one table: name, default and meaning."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

PREFIX = "BADGES_"
KAFKA, REDIS = "kafka", "redis"
OWN_KAFKA = "badges-kafka:9092"
OWN_REGISTRY = "http://badges-schema-registry:8080/apis/ccompat/v7"
DAYS_OF_EVENTS = 90
KEPT = (
    "Badges: your settings, including keys and passwords, stay in config.yml in case you enable the plugin again. To "
    "delete them: tutor config save {unset}"
)


@dataclass(frozen=True)
class Setting:
    """One Tutor setting.

    ``name`` is without the prefix. The type of ``default`` is the type an operator's value must have. A default
    may be a Jinja template; never write one that renders to a boolean, because "False" is a true string.
    """

    name: str
    default: Any
    help: str

    @property
    def key(self) -> str:
        """Return the name in Tutor's configuration."""
        return PREFIX + self.name


SETTINGS = (
    # The bus
    Setting("EVENT_BUS", KAFKA, 'The event bus: "kafka" or "redis".'),
    Setting("EVENT_BUS_TOPIC", "learning-badges-lifecycle", "Topic (Kafka) or stream (Redis) of all badge events."),
    Setting(
        "EVENT_BUS_TOPIC_PREFIX",
        "dev",
        "Prefix of every topic name, the same in all services. The default is that of the platform and of Tutor.",
    ),
    Setting(
        "EVENT_KEY",
        "course",
        'Which events stay in order, and on one Kafka consumer: the passing events of a "course" or of a "learner".',
    ),
    Setting("CONSUMER_GROUP", "credentials-badges", "Consumer group of the Credentials consumers."),
    Setting("LMS_CONSUMER_GROUP", "lms-badges", "Consumer group of the LMS consumer."),
    Setting(
        "EXTRA_EVENTS",
        {},
        "Further event types that the LMS sends and badges may require: a mapping of event type to the field that "
        "becomes the message key.",
    ),
    # Kafka
    Setting("RUN_KAFKA", True, "Run a single-node Kafka broker and a schema registry. No effect with Redis."),
    Setting("KAFKA_BOOTSTRAP_SERVERS", OWN_KAFKA, "The Kafka brokers, each as host:port, separated by commas."),
    Setting("KAFKA_API_KEY", "", "User of an external cluster. When set, clients use SASL_SSL with PLAIN."),
    Setting("KAFKA_API_SECRET", "", "Password for BADGES_KAFKA_API_KEY."),
    Setting("SCHEMA_REGISTRY_URL", OWN_REGISTRY, "URL of a schema registry with the Confluent API."),
    Setting("SCHEMA_REGISTRY_API_KEY", "", "User at the schema registry."),
    Setting("SCHEMA_REGISTRY_API_SECRET", "", "Password for BADGES_SCHEMA_REGISTRY_API_KEY."),
    Setting("KAFKA_PARTITIONS", 4, "Partitions of the topic, and the maximum number of consumers that share the work."),
    Setting("KAFKA_REPLICATION_FACTOR", -1, "Copies of the topic in the cluster; -1 means the cluster's own default."),
    Setting("KAFKA_RETENTION_DAYS", DAYS_OF_EVENTS, "How long events are kept, and so how far back a replay reaches."),
    Setting("KAFKA_DOCKER_IMAGE", "docker.io/apache/kafka:4.0.0", "Image of the broker."),
    Setting("KAFKA_HEAP_OPTS", "-Xms256m -Xmx512m", "Java options for the memory of the broker."),
    Setting("KAFKA_VOLUME_SIZE", "5Gi", "Size of the broker's volume in Kubernetes."),
    Setting(
        "KAFKA_ALLOWED_NAMESPACES",
        [],
        "In Kubernetes, namespaces whose pods may reach the plugin's broker and registry, besides this deployment's "
        "own pods.",
    ),
    Setting("SCHEMA_REGISTRY_DOCKER_IMAGE", "docker.io/apicurio/apicurio-registry:3.0.6", "Image of the registry."),
    Setting(
        "KAFKA_REQUIREMENT",
        "confluent-kafka[avro,schema-registry]==2.14.0",
        "The Kafka client installed in the LMS and Credentials images.",
    ),
    # Redis
    Setting("REDIS_DB", 0, "Number of the Redis database that holds the streams."),
    Setting("REDIS_STREAM_MAX_LEN", 1000000, "Entries that a stream keeps; the producer drops older ones."),
    Setting(
        "REDIS_CLAIM_AFTER_SECONDS",
        60,
        "How long an event may stay unacknowledged before another consumer takes it over.",
    ),
    Setting(
        "REDIS_EVICTION_POLICY",
        "",
        "maxmemory-policy of Tutor's Redis. Empty: unchanged. Tutor's own, allkeys-lru, may evict the streams.",
    ),
    Setting(
        "REDIS_URL",
        "",
        "URL of another Redis for the events, such as rediss://:secret@redis.example.com:6380/0 for TLS. Empty: "
        "Tutor's Redis, with BADGES_REDIS_DB.",
    ),
    # Credentials
    Setting("CREDLY_SANDBOX", False, "Use Credly's sandbox instead of the real Credly."),
    Setting("CREDLY_ORGANIZATIONS", {}, "Credly organizations: a mapping of organization UUID to API key."),
    Setting(
        "KEEP_FAILED_EVENTS_DAYS",
        90,
        "How long failed events are kept after they were processed or dismissed. They name learners. 0: forever.",
    ),
    Setting(
        "KEEP_UNDECIDED_FAILED_EVENTS_DAYS",
        365,
        "The same for failed events that nobody has decided about. 0: forever.",
    ),
    Setting(
        "METRICS_TOKEN",
        "",
        "Serve numbers for Prometheus at /badges/metrics/ to whoever sends this token, of 16 characters or more. "
        "Empty: to nobody.",
    ),
    Setting("EXTRA_CONFIG", {}, "Further keys for BADGES_CONFIG of the Credentials service, merged key by key."),
    # Containers
    Setting("CONSUMER_REPLICAS", 1, "Consumers on Kafka, at most one per partition. Redis always has one."),
    Setting(
        "AUTOSCALE_CONSUMERS",
        False,
        "In Kubernetes with Kafka, leave the number of consumers to an autoscaler such as KEDA.",
    ),
    Setting("WORKER_REPLICAS", 1, "Workers that deliver badges to the providers."),
    Setting("WORKER_OPTIONS", "", "Further options of deliver_badges."),
    Setting("RUN_LMS_CONSUMER", False, "Run a consumer in the LMS for awarded and revoked events."),
    Setting(
        "RUN_SCHEDULE",
        True,
        "Run the hourly and daily jobs: ask the providers what webhooks missed, and update templates.",
    ),
    Setting("STOP_GRACE_SECONDS", 60, "Seconds that consumers and workers have to finish their current work."),
    Setting(
        "RESOURCES",
        {},
        "In Kubernetes, requests and limits by name of container, laid over the plugin's own.",
    ),
    # The image
    Setting(
        "DOCKER_REGISTRY",
        "",
        "Registry of the images that differ from the published ones, with a trailing slash. Empty: Tutor's "
        "DOCKER_REGISTRY.",
    ),
    Setting(
        "PIP_REQUIREMENT",
        "",
        "The requirement that pip installs in the Credentials image. No secrets: the image keeps it. Empty: the code "
        "that is installed beside Tutor.",
    ),
)


def defaults(version: str) -> list[tuple[str, Any]]:
    """Return the items for Tutor's CONFIG_DEFAULTS; ``version`` is that of the installed distribution."""
    return [(PREFIX + "VERSION", version), *((setting.key, setting.default) for setting in SETTINGS)]


def kept(config: Iterable[str]) -> list[str]:
    """Return the plugin's settings that an operator's configuration contains."""
    return sorted(setting.key for setting in SETTINGS if setting.key in config)
