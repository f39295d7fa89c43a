"""Redis servers of our own, empty, for the Redis event bus."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.services.certificates import self_signed
from tests.services.process import Server, find_program, free_port, serving, succeeds, temporary_home


@contextlib.contextmanager
def redis() -> Iterator[Mapping[str, str]]:
    """Run a Redis server and yield the environment that leads to it: ``EVENT_BUS_REDIS_CONNECTION_URL``."""
    with redis_server() as (_, environment):
        yield environment


@contextlib.contextmanager
def redis_with_tls() -> Iterator[Mapping[str, str]]:
    """Run a Redis server that accepts only TLS, as managed ones do; its URL names the certificate to trust."""
    with redis_server(tls=True) as (_, environment):
        yield environment


@contextlib.contextmanager
def redis_server(*, tls: bool = False) -> Iterator[tuple[Server, Mapping[str, str]]]:
    """Run a Redis server that may be stopped and started meanwhile; yield it and what ``redis`` yields."""
    program, client = (find_program(name, package="redis-server") for name in ("redis-server", "redis-cli"))
    port, password = free_port(), secrets.token_hex(12)
    scheme, listener, trust, query = "redis", f"port {port}", list[str](), ""
    with temporary_home("redis", accounts=["redis"]) as home:
        if tls:
            certificate = self_signed(home.write("server.pem", ""))
            scheme, trust, query = "rediss", ["--tls", "--cacert", str(certificate)], f"?ssl_ca_certs={certificate}"
            listener = (
                f"port 0\ntls-port {port}\ntls-auth-clients no\ntls-cert-file {certificate}\n"
                f"tls-key-file {certificate}\ntls-ca-cert-file {certificate}"
            )
        # It keeps what it has over a restart, and writes no more than that needs.
        settings = home.write(
            "redis.conf",
            f"bind 127.0.0.1\n{listener}\nrequirepass {password}\ndir {home.folder}\n"
            'save ""\nappendonly yes\nappendfsync no\n',
        )
        # -e: a server that is still loading its data answers with an error, and that is no success.
        ping: list[str | Path] = [client, "-e", "-h", "127.0.0.1", "-p", str(port), *trust, "--no-auth-warning", "PING"]
        with serving(home, [program, settings], is_ready=lambda: succeeds(*ping, REDISCLI_AUTH=password)) as running:
            yield running, {"EVENT_BUS_REDIS_CONNECTION_URL": f"{scheme}://:{password}@127.0.0.1:{port}/0{query}"}
