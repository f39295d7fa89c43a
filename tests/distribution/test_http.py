"""What happened on the wire, and what it means. A real server; where none can misbehave so, the exception itself."""

from __future__ import annotations

import gzip
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from badges_plugin.distribution.exceptions import (
    DeliveryFailure,
    NotSent,
    PermanentFailure,
    RejectedKey,
    TransientFailure,
    redacted,
)
from badges_plugin.distribution.http import (
    MAX_REPLY_BYTES,
    HttpClient,
    Timeouts,
    failure_of_exception,
    failure_of_status,
    seconds_to_wait,
)
from badges_plugin.distribution.rate_limit import RateLimiter, until
from tests.services.certificates import self_signed

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
IMPATIENT = Timeouts(connect=1, read=0.2, total=0.5)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
OK_AND_OPEN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    ("status", "retry_after", "kind", "ambiguous", "throttled"),
    [
        (400, None, PermanentFailure, False, None),
        (401, None, RejectedKey, False, None),
        (403, None, PermanentFailure, False, None),
        (404, None, PermanentFailure, False, None),
        (410, None, PermanentFailure, False, None),
        (422, None, PermanentFailure, False, None),
        # A redirect could lead anywhere, with the key.
        (302, None, PermanentFailure, False, None),
        # The server was still reading, or was in two minds.
        (408, None, TransientFailure, True, False),
        (409, None, TransientFailure, True, False),
        (425, None, TransientFailure, False, False),
        (429, None, TransientFailure, False, True),
        (429, "7", TransientFailure, False, True),
        # A gateway's error says nothing about what the service behind it did.
        (500, None, TransientFailure, True, False),
        (502, None, TransientFailure, True, False),
        (503, None, TransientFailure, True, False),
        (503, "7", TransientFailure, True, True),
        (504, None, TransientFailure, True, False),
        (599, None, TransientFailure, True, False),
        # Not even HTTP.
        (999, None, TransientFailure, True, False),
    ],
)
def test_what_a_status_means(
    status: int, retry_after: str | None, kind: type[DeliveryFailure], ambiguous: bool, throttled: bool | None
) -> None:
    failure = failure_of_status(status, "words", retry_after=retry_after)

    assert (type(failure), failure.ambiguous, failure.status) == (kind, ambiguous, status)
    assert getattr(failure, "throttled", None) is throttled
    assert failure.reason == f"HTTP {status}: words"


@pytest.mark.parametrize(
    ("error", "kind", "ambiguous"),
    [
        (requests.exceptions.ConnectTimeout(), TransientFailure, False),
        (requests.exceptions.ReadTimeout(), TransientFailure, True),
        (requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED]"), TransientFailure, False),
        # The end of a secure connection, perhaps after the request.
        (requests.exceptions.SSLError("EOF occurred"), TransientFailure, True),
        (requests.exceptions.ConnectionError("aborted"), TransientFailure, True),
        (requests.exceptions.ChunkedEncodingError(), TransientFailure, True),
        (requests.exceptions.ContentDecodingError(), TransientFailure, True),
        (requests.exceptions.InvalidURL(), PermanentFailure, False),
        (requests.exceptions.InvalidSchema(), PermanentFailure, False),
        # Of the machine's proxy, where PySocks is not installed.
        (requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support."), TransientFailure, False),
        (requests.exceptions.InvalidHeader(), PermanentFailure, False),
        # Whatever requests thinks of next.
        (requests.exceptions.RequestException(), TransientFailure, True),
    ],
)
def test_what_an_exception_means(
    error: requests.RequestException, kind: type[DeliveryFailure], ambiguous: bool
) -> None:
    failure = failure_of_exception(error)

    assert (type(failure), failure.ambiguous) == (kind, ambiguous)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        (" 120 ", 120.0),
        ("Sun, 22 Nov 2026 12:01:30 GMT", 90.0),
        # The past means now.
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("1e3", None),
        ("Sun, 22 Nov 2026 12:01:30 +99999999999999999999", None),
        ("٣", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(header, now=NOW) == seconds


@pytest.mark.parametrize(
    ("reply", "kind", "ambiguous"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html", TransientFailure, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}", TransientFailure, True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", TransientFailure, True),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", TransientFailure, True),
        (b"not http at all\r\n\r\n", TransientFailure, True),
        # Nested deeper than Python can follow.
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"[" * 9000, TransientFailure, True),
        # Closed without a word.
        (b"", TransientFailure, True),
        # Silence.
        (None, TransientFailure, True),
        (b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", PermanentFailure, False),
        # An address that is none.
        (b"HTTP/1.1 302 Go\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n", PermanentFailure, False),
        (b"HTTP/1.1 422 No\r\nContent-Length: 4\r\n\r\n<ht>", PermanentFailure, False),
    ],
)
def test_replies_that_are_none(reply: bytes | None, kind: type[DeliveryFailure], ambiguous: bool) -> None:
    with server(reply) as url, pytest.raises(DeliveryFailure) as caught:
        HttpClient(url, timeouts=IMPATIENT).request("POST", "badges", json={})

    assert (type(caught.value), caught.value.ambiguous) == (kind, ambiguous)


@pytest.mark.parametrize("status", [b"200 OK", b"302 Go\r\nLocation: /x", b"422 No"])
def test_a_reply_without_end_is_not_read_to_the_end(status: bytes) -> None:
    taken = 0
    listener = socket.create_server(("127.0.0.1", 0))

    def flood() -> None:
        nonlocal taken
        connection, _ = listener.accept()
        # Who has seen enough hangs up.
        with connection, suppress(ConnectionError):
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 100000000\r\n\r\n")
            while taken < 100_000_000:
                taken += connection.send(b"x" * 1_000_000)

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    with listener, pytest.raises(TransientFailure, match="too large"):
        HttpClient(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeouts=Timeouts(total=10)).get("badges")
    thread.join(10)

    # What the machine keeps between the two ends comes on top.
    assert taken < 10 * MAX_REPLY_BYTES


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(
    ("at_once", "then"),
    [
        # The status line, the headers, the body, a chunk of one, and the line after it: each byte in time for the next.
        (b"", b"H"),
        (HEAD + b"X-Endless: ", b"x"),
        (HEAD + b"X: y\r\n", b"X: y\r\n"),
        (HEAD + b"Content-Length: 4000000\r\n\r\n", b" "),
        (HEAD + b"\r\n", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffff\r\n", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 302 Go\r\nLocation: /x\r\nContent-Length: 4000000\r\n\r\n", b" "),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 4000000\r\n\r\n", b" "),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["status", "header", "headers", "length", "close", "chunk", "chunks", "redirect", "error", "continue"],
)
def test_f1_a_reply_that_drips_ends_with_the_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: bytes, then: bytes, secure: bool
) -> None:
    # Without an end of its own only the limit of every test would stop it.
    with dripping(at_once, then, tls=trusted(tmp_path, monkeypatch) if secure else None) as url:
        with pytest.raises(TransientFailure) as caught:
            HttpClient(url, timeouts=IMPATIENT).request("POST", "badges", json={})
        assert caught.value.ambiguous


def test_f1_a_proxy_that_drips_ends_with_the_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    with dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x") as proxy:
        use_proxy(monkeypatch, proxy)
        with pytest.raises(TransientFailure):
            HttpClient("https://provider.example/", timeouts=IMPATIENT).request("POST", "badges", json={})


def test_f1_a_name_that_nobody_resolves_ends_with_the_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = threading.Event()

    def silent(*args: Any, **kwargs: Any) -> Any:
        given_up.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    with pytest.raises(TransientFailure, match="connected") as caught:
        HttpClient("http://provider.example/", timeouts=IMPATIENT).request("POST", "badges", json={})
    assert not given_up.is_set()
    given_up.set()

    # Nothing was sent, so there is nothing to look up.
    assert not caught.value.ambiguous


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_headers_and_body_go_out_together(is_encrypted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = trusted(tmp_path, monkeypatch) if is_encrypted else None
    heard: list[bytes] = []  # by one ``recv``
    with server(OK, heard, tls=tls) as address:
        assert HttpClient(address).request("POST", "badges", json={"name": "Ada"}) == {}
    head, body = heard[0].split(b"\r\n\r\n")
    assert (head.split(b"\r\n")[0], body) == (b"POST /badges HTTP/1.1", b'{"name": "Ada"}')


@pytest.mark.skipif(
    not hasattr(HTTPAdapter, "build_connection_pool_key_attributes"),
    reason="before 2.32.3, requests does not let an adapter decide it",
)
@pytest.mark.parametrize("is_encrypted", [False, True])
def test_only_the_first_request_looks_for_certificates(
    is_encrypted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = trusted(tmp_path, monkeypatch)
    asked: list[str] = []

    def noting(answer: Callable[[object], bool], path: object) -> bool:
        asked.append(str(path))
        return answer(path)

    for name in ("exists", "isdir"):
        monkeypatch.setattr(os.path, name, partial(noting, getattr(os.path, name)))

    with server(OK_AND_OPEN, times=2, tls=tls if is_encrypted else None) as address:
        HttpClient(address).get("badges")
        assert os.environ["REQUESTS_CA_BUNDLE"] in asked
        asked.clear()
        HttpClient(address).get("badges")
    assert not asked


def test_f1_a_connection_is_used_again_with_all_of_its_time() -> None:
    heard: list[bytes] = []
    with server(OK_AND_OPEN, heard, times=3) as url:
        for total in (0.5, 30, 0.5):
            assert HttpClient(url, timeouts=Timeouts(total=total)).get("badges") == {}
    assert len(heard) == 3  # on the only connection that is answered


@pytest.mark.parametrize("times", [1, 2])
def test_f1_a_small_reply_that_unpacks_to_a_huge_one_is_refused(times: int) -> None:
    body = b" " * (MAX_REPLY_BYTES * 20)
    packing: list[str] = []
    for _ in range(times):
        body, packing = gzip.compress(body), [*packing, "gzip"]
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {', '.join(packing)}\r\nContent-Length: {len(body)}\r\n\r\n"

    with server(head.encode() + body) as url, pytest.raises(TransientFailure, match=r"too large|compressed"):
        HttpClient(url, timeouts=Timeouts(total=10)).get("badges")


def test_f1_a_packed_reply_is_read() -> None:
    body = gzip.compress(b'{"name": "' + b"x" * 200_000 + b'"}')
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"

    with server(head.encode() + body) as url:
        assert HttpClient(url, timeouts=Timeouts(total=10)).get("badges") == {"name": "x" * 200_000}


@pytest.mark.parametrize(("ends", "is_stopping"), [(0.0, False), (float("inf"), True)])
def test_f1_no_request_begins_when_the_time_of_a_claim_is_over(ends: float, is_stopping: bool) -> None:
    with until(ends, unless=lambda: is_stopping), pytest.raises(NotSent):
        HttpClient("http://127.0.0.1:1/", timeouts=IMPATIENT).get("badges")


def test_f1_who_waits_for_a_turn_hears_that_the_process_stops() -> None:
    limiter = RateLimiter(1)
    limiter.wait()
    answers = iter([False, False, True])

    with until(float("inf"), unless=lambda: next(answers)):
        assert not limiter.wait()


def test_nobody_listening_is_not_ambiguous() -> None:
    with server(b"") as url:
        pass
    with pytest.raises(TransientFailure, match="no connection") as caught:
        HttpClient(url, timeouts=IMPATIENT).request("POST", "badges", json={})

    assert not caught.value.ambiguous


def test_reading_is_never_ambiguous() -> None:
    with server(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n") as url, pytest.raises(TransientFailure) as caught:
        HttpClient(url, timeouts=IMPATIENT).get("badges")

    assert not caught.value.ambiguous


@pytest.mark.parametrize(
    ("part", "line"),
    [
        ("a/../b", b"GET /x/a%2F..%2Fb HTTP/1.1"),
        ("//evil.example", b"GET /x/%2F%2Fevil.example HTTP/1.1"),
        ("?a=b#c", b"GET /x/%3Fa%3Db%23c HTTP/1.1"),
        ("é %", b"GET /x/%C3%A9%20%25 HTTP/1.1"),
    ],
)
def test_a_part_of_the_path_stays_one_segment(part: str, line: bytes) -> None:
    heard: list[bytes] = []
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", heard) as url:
        HttpClient(f"{url}x", timeouts=IMPATIENT).get(part)

    assert heard[0].startswith(line)


@pytest.mark.parametrize("part", ["", ".", ".."])
def test_parts_that_would_climb_are_refused_before_anything_is_sent(part: str) -> None:
    with pytest.raises(PermanentFailure):
        HttpClient("http://127.0.0.1:1/").get(part)


def test_a_reason_holds_no_address() -> None:
    text = redacted("422: ada@example.org already\x00\ud83d has it (<bob.b+x@例え.jp>), 'c@d.e'")

    assert text == "422: <email> already has it (<<email>>), '<email>'"


def test_a_word_without_end_is_no_address() -> None:
    # The limit of every test is the only clock here: what looks for an address from each character takes an hour.
    assert redacted("x" * MAX_REPLY_BYTES) == "x" * 1000


def test_a_cookie_of_one_account_does_not_reach_another() -> None:
    heard: list[bytes] = []
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: session=of-one\r\nConnection: close\r\n\r\n{}"
    for key in ("one", "two"):
        with server(reply, heard) as url:
            HttpClient(url, headers={"Authorization": key}).get("badges")

    assert len(heard) == 2
    assert b"of-one" not in heard[1]


def test_a_netrc_of_the_machine_replaces_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    heard: list[bytes] = []
    with server(OK, heard) as url:
        HttpClient(url, headers={"Authorization": "the key"}).get("badges")

    assert b"Authorization: the key\r\n" in heard[0]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (OK, None),
        # Requests of https:// ask the proxy for a tunnel first, and are not sent without it.
        (b"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n", TransientFailure),
    ],
)
def test_the_machines_proxy_is_asked(
    reply: bytes, kind: type[DeliveryFailure] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bytes] = []
    with server(reply, heard) as proxy:
        use_proxy(monkeypatch, proxy)
        scheme = "https" if kind else "http"
        client = HttpClient(f"{scheme}://provider.example/v1/")
        if kind is None:
            assert client.get("badges") == {}
            assert heard[0].startswith(b"GET http://provider.example/v1/badges ")
        else:
            with pytest.raises(kind, match="proxy") as raised:
                client.request("POST", "badges", json={})
            assert heard[0].startswith(b"CONNECT provider.example:443 ")
            assert not raised.value.ambiguous


def test_a_proxy_that_is_away_has_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    use_proxy(monkeypatch, "http://127.0.0.1:1/")

    with pytest.raises(TransientFailure, match="proxy") as raised:
        HttpClient("http://provider.example/").request("POST", "badges", json={})
    assert not raised.value.ambiguous


@pytest.mark.parametrize("address", ["http://", "::::", "http://proxy:99999999", "foo://proxy:1", "http://[::1"])
def test_a_proxy_that_cannot_be_used_is_no_fault_of_the_badge(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    use_proxy(monkeypatch, address)
    with pytest.raises(TransientFailure, match="proxy") as raised:
        HttpClient("https://provider.example/").request("POST", "badges")
    assert not raised.value.ambiguous


def test_what_needs_no_proxy_goes_past_it(monkeypatch: pytest.MonkeyPatch) -> None:
    use_proxy(monkeypatch, "http://127.0.0.1:1/", never_for="127.0.0.1")

    with server(OK) as url:
        assert HttpClient(url).get("badges") == {}


def test_the_machines_certificates_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key_and_certificate = self_signed(tmp_path / "provider.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(key_and_certificate)

    with pytest.raises(TransientFailure, match="certificate is not valid"), server(OK, tls=context) as url:
        HttpClient(url).get("badges")

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(key_and_certificate))
    with server(OK, tls=context) as url:
        assert HttpClient(url).get("badges") == {}

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises(TransientFailure, match="REQUESTS_CA_BUNDLE") as raised:
        HttpClient("https://127.0.0.1:1/").request("POST", "badges", json={})
    assert not raised.value.ambiguous


def test_the_limiter_lets_one_second_through_and_then_keeps_its_pace() -> None:
    pauses: list[float] = []
    limiter = RateLimiter(120, clock=lambda: 0.0, sleep=pauses.append)

    for _ in range(5):
        limiter.wait()

    assert pauses == pytest.approx([0.5, 1.0, 1.5])


@pytest.mark.parametrize(
    ("at_most", "ends", "passed"),
    [
        (float("inf"), None, [True, True, True, True]),
        (1.5, None, [True, True, False, False]),
        # A claim's end counts alone: until then there is nothing better to do than to wait.
        (1.5, 2.5, [True, True, True, False]),
    ],
)
def test_the_limiter_keeps_nobody_waiting_for_too_long(at_most: float, ends: float | None, passed: list[bool]) -> None:
    pauses: list[float] = []
    limiter = RateLimiter(60, clock=lambda: 0.0, sleep=pauses.append)

    with until(ends) if ends is not None else nullcontext():
        assert [limiter.wait(at_most=at_most) for _ in passed] == passed
    assert len(pauses) == passed.count(True) - 1


def test_what_is_not_its_turn_in_time_is_not_sent() -> None:
    limiter = RateLimiter(1, clock=lambda: 0.0)
    limiter.wait()

    with pytest.raises(NotSent):
        HttpClient("http://127.0.0.1:1/", timeouts=IMPATIENT, limiter=limiter).request("POST", "badges", json={})


def use_proxy(monkeypatch: pytest.MonkeyPatch, address: str, *, never_for: str = "") -> None:
    for name, value in (("http_proxy", address), ("https_proxy", address), ("no_proxy", never_for)):
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.setenv(name, value)


def trusted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What a server needs to speak TLS, with a certificate that this machine trusts."""
    key_and_certificate = self_signed(folder / "provider.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(key_and_certificate)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(key_and_certificate))
    return context


@contextmanager
def dripping(at_once: bytes, then: bytes, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that sends these bytes at once, and then the others again and again. Yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        # Who has waited long enough hangs up.
        with suppress(OSError):
            connection = tls.wrap_socket(connection, server_side=True) if tls else connection
            connection.recv(65_536)
            connection.sendall(at_once)
            while not ended.wait(0.05):
                connection.sendall(then)
        connection.close()

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        ended.set()
        with socket.socket() as call:
            call.connect_ex(listener.getsockname())
        thread.join(5)
        listener.close()


@contextmanager
def server(
    reply: bytes | None, heard: list[bytes] | None = None, *, times: int = 1, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """A server that answers ``times`` requests of one connection so, or keeps silent with None. Yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def answer() -> None:
        connection, _ = listener.accept()
        if tls is not None:
            try:
                connection = tls.wrap_socket(connection, server_side=True)
            except OSError:
                # The client does not trust us, or nobody called.
                connection.close()
                return
        with connection:
            for _ in range(times):
                request = connection.recv(65_536)
                if heard is not None:
                    heard.append(request)
                if reply is None:
                    ended.wait(5)
                else:
                    connection.sendall(reply)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        ended.set()
        # Nobody may have called.
        with socket.socket() as call:
            call.connect_ex(listener.getsockname())
        thread.join(5)
        listener.close()
