"""JSON over HTTP with a provider: limits, and one table from what happened to what it means.

The meaning of status codes: https://www.rfc-editor.org/rfc/rfc9110#name-status-codes and, for 429, RFC 6585.
"""

from __future__ import annotations

import email.utils
import json as json_codec
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests
from urllib3.exceptions import HTTPError, NewConnectionError, ProxyError

from badges_plugin.distribution import rate_limit, wire
from badges_plugin.distribution.exceptions import (
    DeliveryFailure,
    NotSent,
    PermanentFailure,
    RejectedKey,
    TransientFailure,
)
from badges_plugin.distribution.rate_limit import RateLimiter

MAX_REPLY_BYTES = 5_000_000
"""Bytes, once unpacked; a page of fifty templates with all their texts is below one million."""

# Status codes of the 400s that time may cure; the server has not acted, except perhaps after 408 and 409.
_TRANSIENT = frozenset({408, 409, 423, 425, 429})
_MAY_HAVE_ACTED = frozenset({408, 409})

_PIECE = 65_536
# What is asked for, and how zlib calls it: https://docs.python.org/3/library/zlib.html#zlib.decompress
_PACKINGS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16}

_UNUSABLE_PROXY = "The machine's proxy has an address that cannot be used (HTTPS_PROXY)."


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for a connection, for the next byte, and for the whole of a reply."""

    connect: float = 5.0
    read: float = 15.0
    total: float = 30.0

    @classmethod
    def within(cls, total: float) -> Timeouts:
        """The usual timeouts, cut down where a request as a whole may take less."""
        usual = cls()
        return cls(connect=min(usual.connect, total), read=min(usual.read, total), total=total)


class HttpClient:
    """JSON over HTTP with one provider. Safe to share among threads: each has its own connections.

    ``describe`` finds the provider's own words in the body of an error. Redirects are not followed: no request
    of ours may leave the configured base.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts | None = None,
        limiter: RateLimiter | None = None,
        describe: Callable[[Any], str] = lambda body: "",
    ) -> None:
        self.base_url = base_url.rstrip("/") + "/"
        self._headers = {"Accept": "application/json", "Accept-Encoding": "gzip", **(headers or {})}
        self._patience = timeouts or Timeouts()
        self._limiter = limiter
        self._describe = describe

    def get(self, *path: str, params: Mapping[str, str | int] | None = None) -> Any:
        """Read. A failure is never ambiguous: nothing was changed."""
        try:
            return self.request("GET", *path, params=params)
        except DeliveryFailure as failure:
            failure.ambiguous = False
            raise

    def request(
        self,
        method: str,
        *path: str,
        params: Mapping[str, str | int] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> Any:
        """Send and return the decoded reply (None when it is empty). Raises one of the failures, nothing else.

        Each part of ``path`` becomes one segment of the URL whatever it contains. From the look-up of the provider's
        name to the last byte of the reply it takes no longer than the timeouts for the whole.
        """
        url = self.base_url + "/".join(_segment(part) for part in path)
        if not rate_limit.may_begin():
            raise NotSent("There was no time left for another request.")
        if self._limiter is not None and not self._limiter.wait(at_most=self._patience.total):
            raise NotSent("Too many requests wait for their turn (requests per minute).")
        try:
            with (
                wire.deadline(time.monotonic() + self._patience.total),
                wire.session().request(
                    method,
                    url,
                    params=params,
                    json=json,
                    headers=self._headers,
                    timeout=(self._patience.connect, self._patience.read),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                body = _decoded(_read(response), status=response.status_code)
                retry_after = response.headers.get("Retry-After")
                status = response.status_code
        except requests.RequestException as error:
            raise failure_of_exception(error) from error
        except (HTTPError, zlib.error) as error:
            # The body broke off, or took too long.
            words = "The reply took too long or broke off"
            raise TransientFailure(f"{words} ({type(error).__name__}).", ambiguous=True) from error
        except OSError as error:
            # Of requests only this is no exception of its own: a REQUESTS_CA_BUNDLE that is not there.
            raise TransientFailure("The machine's certificates cannot be read (REQUESTS_CA_BUNDLE).") from error
        if not 200 <= status < 300:
            body = None if body is _UNREADABLE else body
            raise failure_of_status(status, self._describe(body), body=body, retry_after=retry_after)
        if body is _UNREADABLE:
            raise TransientFailure(f"The reply ({status}) is not JSON.", ambiguous=True, status=status)
        return body


def failure_of_status(status: int, words: str, *, body: Any = None, retry_after: str | None = None) -> DeliveryFailure:
    """What a status other than 2xx means. ``words`` are the provider's."""
    reason = f"HTTP {status}: {words}" if words else f"HTTP {status}"
    if status == 401:
        return RejectedKey(reason, status=status, body=body)
    if status < 500 and status not in _TRANSIENT:
        return PermanentFailure(reason, status=status, body=body)
    wish = seconds_to_wait(retry_after, now=datetime.now(UTC))
    return TransientFailure(
        reason,
        ambiguous=status >= 500 or status in _MAY_HAVE_ACTED,
        retry_after=wish,
        throttled=status == 429 or (status == 503 and wish is not None),
        status=status,
        body=body,
    )


def failure_of_exception(error: requests.RequestException) -> DeliveryFailure:
    """What it means that there is no reply: the request was certainly not sent, or it may have been."""
    if words := _trouble_of_the_proxy(error):
        # Nothing of a badge is wrong, and nothing of the provider's address.
        return TransientFailure(words)
    name = type(error).__name__
    match error:
        case requests.exceptions.ConnectTimeout():
            return TransientFailure("The provider did not answer in time (connecting).")
        case requests.exceptions.ReadTimeout():
            return TransientFailure("The provider did not answer in time.", ambiguous=True)
        case requests.exceptions.SSLError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return TransientFailure("The provider's certificate is not valid.")
        case requests.exceptions.ConnectionError() if _never_connected(error):
            return TransientFailure("The provider cannot be reached (no connection).")
        case requests.exceptions.InvalidURL() | requests.exceptions.MissingSchema():
            return PermanentFailure(f"The configured address of the provider is wrong ({name}).")
        case requests.exceptions.InvalidSchema() | requests.exceptions.InvalidHeader():
            return PermanentFailure(f"The request cannot be built from the configuration ({name}).")
        case _:
            return TransientFailure(f"The connection broke before the reply ({name}).", ambiguous=True)


def _trouble_of_the_proxy(error: requests.RequestException) -> str:
    """What is wrong with the machine's proxy, empty when it is not the proxy that failed."""
    match error:
        case requests.exceptions.ProxyError() if _never_connected(error):
            return "The machine's proxy cannot be reached, or does not connect to the provider."
        case requests.exceptions.InvalidProxyURL():
            return _UNUSABLE_PROXY
        case requests.exceptions.InvalidURL() if error.request is not None:
            # The request could be built, so the provider's address is good; the only other one is the proxy's.
            return _UNUSABLE_PROXY
        case requests.exceptions.InvalidSchema() if "SOCKS" in str(error):
            return "The machine's proxy speaks SOCKS (HTTPS_PROXY), for which PySocks is not installed."
        case _:
            return ""


def seconds_to_wait(header: str | None, *, now: datetime) -> float | None:
    """The value of a Retry-After header, seconds or a date, as seconds from now; None without a usable one."""
    if not header:
        return None
    header = header.strip()
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        instant = email.utils.parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return max(0.0, (instant - now).total_seconds())


_UNREADABLE = object()


def _segment(part: str) -> str:
    # "." and ".." survive quoting and would be resolved by whoever is in between.
    if not part or part in {".", ".."}:
        raise PermanentFailure(f"{part!r} cannot be part of an address.")
    return quote(part, safe="")


def _read(response: requests.Response) -> bytes:
    """The body, unpacked, or TransientFailure when it is larger than anything that a provider has to say."""
    body = bytearray()
    for piece in _unpacked(response):
        body += piece
        if len(body) > MAX_REPLY_BYTES:
            raise TransientFailure("The reply is too large.", ambiguous=True, status=response.status_code)
    _must_be_whole(response)
    return bytes(body)


def _unpacked(response: requests.Response) -> Iterator[bytes]:
    """The body in pieces of bounded size. Unpacked here: urllib3 makes of one small piece whatever it holds."""
    packing = response.headers.get("Content-Encoding", "identity").strip().lower()
    pieces = response.raw.stream(_PIECE, decode_content=False)
    if packing in {"", "identity"}:
        yield from pieces
        return
    if packing not in _PACKINGS:
        raise TransientFailure(f"The reply is packed as {packing[:20]!r}, which was not asked for.", ambiguous=True)
    unpacker = zlib.decompressobj(_PACKINGS[packing])
    for piece in pieces:
        rest = piece
        while rest and not unpacker.eof:
            yield unpacker.decompress(rest, _PIECE)
            rest = unpacker.unconsumed_tail
    if not unpacker.eof:
        yield unpacker.flush()


def _must_be_whole(response: requests.Response) -> None:
    # urllib3 2 sees to this itself; the hosts up to Sumac have urllib3 1.26, which takes what came for the whole.
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and response.raw.tell() < int(announced):
        raise TransientFailure("The reply was cut off.", ambiguous=True, status=response.status_code)


def _decoded(content: bytes, *, status: int) -> Any:
    if status == 204 or not content.strip():
        return None
    try:
        return json_codec.loads(content)
    except (ValueError, RecursionError):
        return _UNREADABLE


def _never_connected(error: BaseException) -> bool:
    """Whether no connection was made (refused, unknown host), so that the request certainly did not leave."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, ProxyError):
        reason = reason.original_error
    return isinstance(reason, NewConnectionError) or str(reason).startswith("Tunnel connection failed")
