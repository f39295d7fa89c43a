"""What the platform's bus libraries can connect to: the guide's table of managed services rests on it."""

from __future__ import annotations

from typing import Any

import pytest
from edx_event_bus_kafka.internal.config import load_common_settings
from redis.connection import Connection, SSLConnection
from walrus import Database

from tests.tutor.guide import GUIDE
from tutor_badges.checks import REDIS_URL


@pytest.mark.parametrize(
    ("key", "login"),
    [
        ("", {}),
        (
            "user",
            {
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "PLAIN",
                "sasl.username": "user",
                "sasl.password": "secret",
            },
        ),
    ],
)
def test_t13_kafka_has_one_kind_of_login(settings: Any, key: str, login: dict[str, Any]) -> None:
    """No setting leads to another mechanism, to a certificate, or to TLS without a login."""
    settings.EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS = "broker.example.com:9093"
    settings.EVENT_BUS_KAFKA_API_KEY = key
    settings.EVENT_BUS_KAFKA_API_SECRET = "secret"
    found = load_common_settings()
    assert found is not None
    assert {name: value for name, value in found.items() if name.startswith("s")} == login


@pytest.mark.parametrize(
    ("url", "connection"),
    [
        ("redis://redis.example.com", Connection),
        ("redis://:p%40ss@redis.example.com:6380/2", Connection),
        ("rediss://default:p%40ss@redis.example.com:6380/2?ssl_ca_certs=/etc/ca.pem", SSLConnection),
        ("sentinel://redis.example.com:26379/primary", None),
        ("redis+sentinel://redis.example.com:26379/primary", None),
    ],
)
def test_t13_redis_is_one_server_and_saving_refuses_what_the_library_would(url: str, connection: Any) -> None:
    """``walrus`` is what the library opens its connections with."""
    if connection is None:
        assert not REDIS_URL.fullmatch(url)
        with pytest.raises(ValueError, match="scheme"):
            Database.from_url(url)
        return
    assert REDIS_URL.fullmatch(url)
    pool = Database.from_url(url).connection_pool
    assert pool.connection_class is connection
    assert pool.connection_kwargs["host"] == "redis.example.com"
    if connection is SSLConnection:
        assert pool.connection_kwargs["ssl_ca_certs"] == "/etc/ca.pem"
        assert pool.connection_kwargs["password"] == "p@ss"


def test_t13_the_guide_says_which_managed_services_work_and_why_others_do_not() -> None:
    guide = (GUIDE / "event-bus.rst").read_text()
    table = guide[guide.index("Managed services\n---") : guide.index("Change the bus\n---")]
    rows = table.split("\n   * - ")[1:]
    # Name, whether it works, and how or why not
    assert all(row.count("\n     - ") == 2 for row in rows)
    named = [row.split("\n")[0] for row in rows]
    for service in ("Confluent Cloud", "Amazon MSK", "Azure Event Hubs", "Google Cloud", "Aiven", "ElastiCache"):
        assert any(service in name for name in named)
