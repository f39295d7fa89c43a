"""The configurations that are rendered, by name."""

from __future__ import annotations

from itertools import product
from typing import Any

SECRET = "key-of-the-acme-organization"
ORGANIZATION = "0b1a5f9e-4c1f-4d0f-9d5e-1f1d7c3f3a11"

# A value that YAML and Compose would change unless it is quoted
HEAP_OPTS = """-Xmx1g -XX:OnOutOfMemoryError="kill -9 $PPID: it's over" #"""

BUSES: dict[str, dict[str, Any]] = {
    "kafka": {"BADGES_EVENT_BUS": "kafka"},
    "external-kafka": {
        "BADGES_EVENT_BUS": "kafka",
        "BADGES_RUN_KAFKA": False,
        "BADGES_KAFKA_BOOTSTRAP_SERVERS": "broker-1.example.com:9093,broker-2.example.com:9093",
        "BADGES_KAFKA_API_KEY": "user",
        "BADGES_KAFKA_API_SECRET": 'it\'s "secret"',
        "BADGES_SCHEMA_REGISTRY_URL": "https://registry.example.com",
        "BADGES_SCHEMA_REGISTRY_API_KEY": "reader",
        "BADGES_SCHEMA_REGISTRY_API_SECRET": "p@ss/word",
    },
    "redis": {"BADGES_EVENT_BUS": "redis"},
}
MYSQL: dict[str, dict[str, Any]] = {
    "own-mysql": {},
    "external-mysql": {"RUN_MYSQL": False, "MYSQL_HOST": "mysql.example.com"},
}
REDIS: dict[str, dict[str, Any]] = {
    "own-redis": {},
    "external-redis": {
        "RUN_REDIS": False,
        "REDIS_HOST": "redis.example.com",
        "REDIS_PORT": 6380,
        "REDIS_PASSWORD": "p@ss/word",
    },
}

# Every combination of who runs what. One rendering holds the files of local, dev and k8s alike.
SERVICES = {
    "-".join(names): {**BUSES[names[0]], **MYSQL[names[1]], **REDIS[names[2]]} for names in product(BUSES, MYSQL, REDIS)
}

# Options that do not depend on who runs the services: rendered once for each bus, not in every combination.
OPTIONS: dict[str, dict[str, Any]] = {
    f"options-{bus}": {
        **BUSES[bus],
        "BADGES_RUN_LMS_CONSUMER": True,
        "BADGES_CONSUMER_REPLICAS": 3 if bus == "kafka" else 1,
        "BADGES_WORKER_REPLICAS": 2,
        "BADGES_KAFKA_ALLOWED_NAMESPACES": ["keda"],
        "BADGES_WORKER_OPTIONS": "--concurrency 16",
        "BADGES_RESOURCES": {"badges-kafka": {"requests": {"cpu": "500m"}, "limits": {"memory": "2Gi"}}},
        "BADGES_KAFKA_HEAP_OPTS": HEAP_OPTS,
        "BADGES_CREDLY_SANDBOX": True,
        "BADGES_METRICS_TOKEN": "a-token-with-'-and-\"",
        "BADGES_CREDLY_ORGANIZATIONS": {ORGANIZATION: SECRET},
        "BADGES_EXTRA_EVENTS": {"org.openedx.learning.course.enrollment.created.v1": "enrollment.course.course_key"},
        "BADGES_EXTRA_CONFIG": {
            "rules": {"ignored_keypaths": ["user.id"]},
            "credly": {"CREDLY_API_BASE_URL": "https://credly.example.com/v1/"},
        },
        "BADGES_EVENT_KEY": "learner",
        "BADGES_REDIS_URL": "rediss://:p%40ss@redis.example.com:6380/2",
        "BADGES_EVENT_BUS_TOPIC": "badges",
        "BADGES_EVENT_BUS_TOPIC_PREFIX": "campus",
        "BADGES_REDIS_EVICTION_POLICY": "volatile-lru",
    }
    for bus in ("kafka", "redis")
}
RELEASED = {
    "released": {"BADGES_PIP_REQUIREMENT": "openedx-badges-plugin==1.2.3", "BADGES_AUTOSCALE_CONSUMERS": True},
}

ALL = {**SERVICES, **OPTIONS, **RELEASED}
