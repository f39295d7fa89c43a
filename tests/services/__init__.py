"""Real servers for tests, each on loopback for as long as it is needed; nothing of them is left afterwards.

By hand, with the variables set that lead to it, such as ``DATABASE_URL``::

    python -m tests.services run mariadb -- python -m pytest

In tests, through the ``service`` fixture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial

from tests.services.brokers import redis, redis_with_tls
from tests.services.databases import DATABASES, database
from tests.services.kafka import kafka, kafka_with_access_control, kafka_with_users
from tests.services.process import ServiceFailedError, ServiceMissingError

__all__ = ["SERVICES", "ServiceFailedError", "ServiceMissingError"]

SERVICES: Mapping[str, Callable[[], AbstractContextManager[Mapping[str, str]]]] = {
    "kafka": kafka,
    "kafka-with-access-control": kafka_with_access_control,
    "kafka-with-users": kafka_with_users,
    "redis": redis,
    "redis-with-tls": redis_with_tls,
    **{name: partial(database, name) for name in DATABASES},
    **{f"{name}-durable": partial(database, name, durable=True) for name in DATABASES},
}
"""Name of a server -> context manager that runs it and yields the environment variables that lead to it."""
