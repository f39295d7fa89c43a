"""Connections that keep a deadline, however slowly the bytes arrive.

The timeouts of requests restart with each byte: a provider that sends one byte a second never exceeds them. Here every
wait for the network, from the DNS look-up to the last byte, ends at one instant.
"""

from __future__ import annotations

import io
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from functools import cache
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError

_local = threading.local()

# https://requests.readthedocs.io/en/latest/user/advanced/#proxies
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_VARIABLES = (*_PROXIES, *map(str.upper, _PROXIES), "REQUEST_METHOD", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@contextmanager
def deadline(instant: float) -> Iterator[None]:
    """Inside the block no wait of this thread's session lasts beyond the instant, on ``time.monotonic()``."""
    previous = getattr(_local, "ends", float("inf"))
    _local.ends = instant
    try:
        yield
    finally:
        _local.ends = previous


def session() -> requests.Session:
    """Return the session of this thread. Its connections stay open from one request to the next."""
    known: requests.Session | None = getattr(_local, "session", None)
    if known is None:
        known = _local.session = _Session()
        # The machine's proxies and certificates are used; its .netrc must not replace the key of an account.
        known.auth = _keep_headers
        # A cookie of one account's session must not go out with the key of another.
        known.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            known.mount(scheme, _Adapter())
    return known


class _Session(requests.Session):
    """A session for which a redirect is a reply like any other, and which knows the machine's proxies.

    Even when told not to follow a redirect, requests reads its body, whatever its length, and parses its URL. It also
    looks through the whole environment for proxies twice for each request, in a third of the request's CPU time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._environment: tuple[object, ...] = ()
        self._settings: Mapping[str, Any] = {}

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        where = urlsplit(url)
        environment = (where.scheme, where.netloc, stream, verify, cert, *map(os.environ.get, _VARIABLES))
        if environment != self._environment:
            self._settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
            self._environment = environment
        return {**self._settings, "proxies": self._settings["proxies"].copy()}


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class _Adapter(HTTPAdapter):
    """Make urllib3 create its connections from our classes, through a proxy as well as directly.

    The file system is asked about certificates once for each connection pool. requests asks for each request, and each
    time the other threads of the process have to be waited for.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._pool_keys: dict[tuple[object, ...], Any] = {}
        super().__init__(*args, **kwargs)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        where = urlsplit(request.url)
        key = (where.scheme, where.netloc, verify, cert)
        if key not in self._pool_keys:
            self._pool_keys[key] = super().build_connection_pool_key_attributes(request, verify, cert)
        return self._pool_keys[key]

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        wanted = (verify, cert)
        if getattr(conn, "badges_verifies", None) != wanted:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]
            conn.badges_verifies = wanted

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _keep_deadlines(self.poolmanager)

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        _keep_deadlines(manager)
        return manager


def _keep_deadlines(manager: Any) -> None:
    pools: Mapping[str, Any] = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _with_deadlines(pool) for scheme, pool in pools.items()}


@cache
def _with_deadlines(pool: Any) -> Any:
    """Return a pool class like the given one, of urllib3 or PySocks, whose connections keep the deadline."""
    connection = pool.ConnectionCls
    if issubclass(connection, _Punctual):
        return pool
    punctual = type(connection.__name__, (_Punctual, connection), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": punctual})


class _PunctualResponse(HTTPResponse):
    """Status line, headers and body, each read with no more time than is left."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        # ``fp`` keeps the socket open while the body is read. The reader takes it over.
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_PunctualReader(raw, sock))


class _PunctualReader(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._longest = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        _limit(self._sock, self._longest)
        return cast("int | None", self._raw.readinto(buffer))

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Punctual:
    """A connection of urllib3 that keeps the deadline. A mix-in, since connections through a proxy have own classes."""

    response_class = _PunctualResponse
    sock: Any
    timeout: Any
    _unsent: list[bytes] | None = None

    def _new_conn(self) -> socket.socket:
        """Look the name up and connect in a thread that may be abandoned: neither step can be interrupted."""
        connect: Callable[[], socket.socket] = super()._new_conn  # type: ignore[misc]
        if _left() == float("inf"):
            return connect()
        connected = _in_a_thread(connect)
        try:
            sock = connected.result(timeout=max(0.0, _left()))
        except TimeoutError:
            connected.add_done_callback(_hang_up)
            raise ConnectTimeoutError(self, "The deadline passed before there was a connection.") from None
        # The TLS handshake follows.
        _limit(sock, sock.gettimeout())
        return sock

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:
            # A reused connection still has the timeout of the request before.
            _limit(self.sock, self.timeout)
        super().putrequest(*args, **kwargs)  # type: ignore[misc]

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send headers and body together: each wait for the network also waits for the other threads of the process."""
        self._unsent = []
        try:
            super().request(*args, **kwargs)  # type: ignore[misc]
        finally:
            unsent, self._unsent = self._unsent, None
        self.send(b"".join(unsent))

    def send(self, data: Any) -> None:
        if self._unsent is None:
            super().send(data)  # type: ignore[misc]
        else:
            self._unsent.append(data)


def _in_a_thread(connect: Callable[[], socket.socket]) -> Future[socket.socket]:
    future: Future[socket.socket] = Future()

    def work() -> None:
        try:
            future.set_result(connect())
        except BaseException as error:  # noqa: BLE001 - raised again when the result is read
            future.set_exception(error)

    threading.Thread(target=work, name="connect", daemon=True).start()
    return future


def _hang_up(late: Future[socket.socket]) -> None:
    if late.exception() is None:
        late.result().close()


def _limit(sock: socket.socket, seconds: float | None) -> None:
    """Give a socket so much time for each wait, or the rest of the time if that is less."""
    seconds = _at_most(seconds)
    if seconds != sock.gettimeout():
        sock.settimeout(seconds)


def _left() -> float:
    return cast("float", getattr(_local, "ends", float("inf"))) - time.monotonic()


def _at_most(seconds: float | None) -> float | None:
    """Return the seconds, or the rest of the time if that is less. Raises TimeoutError when none is left."""
    left = _left()
    if left <= 0:
        raise TimeoutError("The deadline has passed.")
    if left == float("inf"):
        return seconds
    return left if seconds is None else min(seconds, left)
