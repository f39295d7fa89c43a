"""A Redis server of our own, empty and in memory, for the Redis event bus."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.services.process import find_program, free_port, serving, succeeds, temporary_home


@contextlib.contextmanager
def redis() -> Iterator[Mapping[str, str]]:
    """Run a Redis server; gives the environment that leads to it: ``EVENT_BUS_REDIS_CONNECTION_URL``."""
    server, client = (find_program(name, package="redis-server") for name in ("redis-server", "redis-cli"))
    port, password = free_port(), secrets.token_hex(12)
    with temporary_home("redis", accounts=["redis"]) as home:
        settings = home.write(
            "redis.conf",
            f'bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {home.folder}\nsave ""\nappendonly no\n',
        )
        ping: list[str | Path] = [client, "-h", "127.0.0.1", "-p", str(port), "--no-auth-warning", "PING"]
        with serving(home, [server, settings], is_ready=lambda: succeeds(*ping, REDISCLI_AUTH=password)):
            yield {"EVENT_BUS_REDIS_CONNECTION_URL": f"redis://:{password}@127.0.0.1:{port}/0"}
