"""The service with its static files, on loopback, in a thread of the tests' process; and a door to its database.

Playwright keeps an event loop in the thread of the tests, in which Django refuses to use a database. So what a test
does beside the browser is done in another thread, with ``Service.run``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.cache import cache
from django.db import connection, connections
from django.http.response import HttpResponseBase
from django.test.testcases import LiveServerThread

HOST = "127.0.0.1"
# One after another, requests and tests: their threads share the connection to a database in memory, and two
# transactions in one connection would become one. A browser asks for several pictures at once.
_turn = Lock()
ResultT = TypeVar("ResultT")


class OneAtATime(StaticFilesHandler):
    """Answers one request after another."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> HttpResponseBase:
        with _turn:
            return super().__call__(environ, start_response)


def is_in_memory(connection: Any) -> bool:
    return connection.vendor == "sqlite" and bool(connection.is_in_memory_db())


@dataclass(frozen=True)
class Service:
    """The service, while it runs. ``url`` is without a slash at the end."""

    url: str
    connections: Mapping[str, Any]

    def run(self, work: Callable[..., ResultT], *args: Any, **options: Any) -> ResultT:
        """Return what ``work`` returns, which may use the database."""

        def with_connections() -> ResultT:
            for alias, shared in self.connections.items():
                connections[alias] = shared
            return work(*args, **options)

        with _turn, ThreadPoolExecutor(1) as pool:
            return pool.submit(with_connections).result()

    def keep(self) -> sqlite3.Connection:
        """Return a copy of the database, to ``go_back_to``."""
        kept = sqlite3.connect(":memory:", check_same_thread=False)
        self.run(lambda: connection.connection.backup(kept))
        return kept

    def go_back_to(self, kept: sqlite3.Connection) -> None:
        """Make the database as it was when ``keep`` copied it, and forget what was read from another one."""

        def go_back() -> None:
            kept.backup(connection.connection)
            cache.clear()

        self.run(go_back)


@contextmanager
def live_service() -> Iterator[Service]:
    """Serve what the process is configured to serve."""
    shared = {each.alias: each for each in connections.all() if is_in_memory(each)}
    for each in shared.values():
        each.inc_thread_sharing()
    server = LiveServerThread(HOST, OneAtATime, connections_override=shared)
    server.daemon = True
    try:
        server.start()
        server.is_ready.wait()
        if server.error:
            raise server.error
        yield Service(f"http://{HOST}:{server.port}", shared)
    finally:
        server.terminate()
        for each in shared.values():
            each.dec_thread_sharing()
