"""JSON over HTTP with a provider, within limits; one table turns statuses and errors into failures.

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
from django.utils.translation import gettext_noop
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
from badges_plugin.distribution.reasons import with_detail

MAX_REPLY_BYTES = 5_000_000
"""Bytes, uncompressed; a page of fifty templates with all their texts is below one million."""

# Client errors that a retry may cure; the server has not acted, except perhaps after 408 and 409.
_TRANSIENT = frozenset({408, 409, 423, 425, 429})
_MAY_HAVE_ACTED = frozenset({408, 409})

_CHUNK_BYTES = 65_536
# The accepted encodings and zlib's parameter: https://docs.python.org/3/library/zlib.html#zlib.decompress
_ENCODINGS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16}

_UNUSABLE_PROXY = gettext_noop("The URL of the machine's proxy cannot be used: correct HTTPS_PROXY.")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for a connection, for the next byte, and for the whole of a reply."""

    connect: float = 5.0
    read: float = 15.0
    total: float = 30.0

    @classmethod
    def within(cls, total: float) -> Timeouts:
        """The usual timeouts, shortened where a request as a whole may take less."""
        usual = cls()
        return cls(connect=min(usual.connect, total), read=min(usual.read, total), total=total)


class HttpClient:
    """JSON over HTTP with one provider. Safe to share among threads: each has its own connections.

    ``describe`` finds the provider's message in the body of an error. Redirects are not followed: no request may leave
    the configured base URL.
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
        self._timeouts = timeouts or Timeouts()
        self._limiter = limiter
        self._describe = describe

    def get(self, *path: str, params: Mapping[str, str | int] | None = None) -> Any:
        """Send a GET request. A failure is never ambiguous: nothing was changed."""
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
        """Send a request and return the decoded reply (None when it is empty). Raises the failures, nothing else.

        Each part of ``path`` becomes one segment of the URL, whatever it contains. From the DNS look-up to the last
        byte of the reply it takes no longer than the total timeout.
        """
        url = self.base_url + "/".join(_segment(part) for part in path)
        self._wait_for_turn()
        try:
            status, body, retry_after = self._send(method, url, params, json)
        except requests.RequestException as error:
            raise failure_of_exception(error) from error
        except (HTTPError, zlib.error) as error:
            sentence = gettext_noop("The reply took too long or was cut off.")
            raise TransientFailure(with_detail(sentence, type(error).__name__), ambiguous=True) from error
        except OSError as error:
            # The only error that requests does not wrap: a REQUESTS_CA_BUNDLE that is missing.
            reason = gettext_noop("The machine's certificates cannot be read: correct REQUESTS_CA_BUNDLE.")
            raise TransientFailure(reason) from error
        if not 200 <= status < 300:
            body = None if body is _UNREADABLE else body
            raise failure_of_status(status, self._describe(body), body=body, retry_after=retry_after)
        if body is _UNREADABLE:
            reason = with_detail(gettext_noop("The reply is not JSON."), f"HTTP {status}")
            raise TransientFailure(reason, ambiguous=True, status=status)
        return body

    def _wait_for_turn(self) -> None:
        if not rate_limit.may_begin():
            raise NotSent(gettext_noop("There was no time left for another request."))
        if self._limiter is not None and not self._limiter.wait(at_most=self._timeouts.total):
            raise NotSent(gettext_noop("Too many requests are waiting: the limit of requests per minute is reached."))

    def _send(
        self, method: str, url: str, params: Mapping[str, str | int] | None, json: Mapping[str, Any] | None
    ) -> tuple[int, Any, str | None]:
        """Return status, decoded body and Retry-After of the reply."""
        with (
            wire.deadline(time.monotonic() + self._timeouts.total),
            wire.session().request(
                method,
                url,
                params=params,
                json=json,
                headers=self._headers,
                timeout=(self._timeouts.connect, self._timeouts.read),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            body = _decoded(_read(response), status=response.status_code)
            return response.status_code, body, response.headers.get("Retry-After")


def failure_of_status(
    status: int, message: str, *, body: Any = None, retry_after: str | None = None
) -> DeliveryFailure:
    """Return the failure for a status other than 2xx. ``message`` is the provider's."""
    reason = f"HTTP {status}: {message}" if message else f"HTTP {status}"
    if status == 401:
        return RejectedKey(reason, status=status, body=body)
    if status < 500 and status not in _TRANSIENT:
        return PermanentFailure(reason, status=status, body=body)
    delay = seconds_to_wait(retry_after, now=datetime.now(UTC))
    return TransientFailure(
        reason,
        ambiguous=status >= 500 or status in _MAY_HAVE_ACTED,
        retry_after=delay,
        throttled=status == 429 or (status == 503 and delay is not None),
        status=status,
        body=body,
    )


def failure_of_exception(error: requests.RequestException) -> DeliveryFailure:
    """Return the failure for a request without a reply: it was certainly not sent, or it may have been."""
    if reason := _proxy_error(error):
        # Neither the badge nor the provider's URL is wrong.
        return TransientFailure(reason)
    name = type(error).__name__
    match error:
        case requests.exceptions.ConnectTimeout():
            return TransientFailure(gettext_noop("The provider could not be connected to in time."))
        case requests.exceptions.ReadTimeout():
            return TransientFailure(gettext_noop("The provider did not answer in time."), ambiguous=True)
        case requests.exceptions.SSLError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return TransientFailure(gettext_noop("The provider's certificate is not valid."))
        case requests.exceptions.ConnectionError() if _never_connected(error):
            return TransientFailure(gettext_noop("The provider cannot be reached: no connection."))
        case requests.exceptions.InvalidURL() | requests.exceptions.MissingSchema():
            return PermanentFailure(with_detail(gettext_noop("The configured URL of the provider is wrong."), name))
        case requests.exceptions.InvalidSchema() | requests.exceptions.InvalidHeader():
            return PermanentFailure(
                with_detail(gettext_noop("The request cannot be built from the configuration."), name)
            )
        case _:
            return TransientFailure(
                with_detail(gettext_noop("The connection was lost before the reply."), name), ambiguous=True
            )


def _proxy_error(error: requests.RequestException) -> str:
    """Return what is wrong with the machine's proxy; empty when it is not the proxy that failed."""
    match error:
        case requests.exceptions.ProxyError() if _never_connected(error):
            return gettext_noop("The machine's proxy cannot be reached, or does not connect to the provider.")
        case requests.exceptions.InvalidProxyURL():
            return _UNUSABLE_PROXY
        case requests.exceptions.InvalidURL() if error.request is not None:
            # The request could be built, so the provider's URL is valid; the only other one is the proxy's.
            return _UNUSABLE_PROXY
        case requests.exceptions.InvalidSchema() if "SOCKS" in str(error):
            return gettext_noop("The machine's proxy in HTTPS_PROXY is a SOCKS proxy, and PySocks is not installed.")
        case _:
            return ""


def seconds_to_wait(header: str | None, *, now: datetime) -> float | None:
    """Return a Retry-After header, seconds or a date, as seconds from now; None where it cannot be used."""
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
    # "." and ".." survive quoting and would be resolved on the way.
    if not part or part in {".", ".."}:
        raise PermanentFailure(with_detail(gettext_noop("An id of the provider cannot be part of a URL."), repr(part)))
    return quote(part, safe="")


def _read(response: requests.Response) -> bytes:
    """Return the body, uncompressed. Raises TransientFailure when it is larger than any provider's reply should be."""
    body = bytearray()
    for chunk in _decompressed(response):
        body += chunk
        if len(body) > MAX_REPLY_BYTES:
            reason = gettext_noop("The reply is too large.")
            raise TransientFailure(reason, ambiguous=True, status=response.status_code)
    _check_length(response)
    return bytes(body)


def _decompressed(response: requests.Response) -> Iterator[bytes]:
    """Yield the body in chunks of bounded size. urllib3 would make one chunk of it, whatever its size."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    chunks = response.raw.stream(_CHUNK_BYTES, decode_content=False)
    if encoding in {"", "identity"}:
        yield from chunks
        return
    if encoding not in _ENCODINGS:
        sentence = gettext_noop("The reply is compressed in a way that was not asked for.")
        raise TransientFailure(with_detail(sentence, repr(encoding[:20])), ambiguous=True)
    decompressor = zlib.decompressobj(_ENCODINGS[encoding])
    for chunk in chunks:
        rest = chunk
        while rest and not decompressor.eof:
            yield decompressor.decompress(rest, _CHUNK_BYTES)
            rest = decompressor.unconsumed_tail
    if not decompressor.eof:
        yield decompressor.flush()


def _check_length(response: requests.Response) -> None:
    # urllib3 2 does this itself; hosts up to Sumac have urllib3 1.26, which accepts a body that was cut off.
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and response.raw.tell() < int(length):
        reason = gettext_noop("The reply was cut off.")
        raise TransientFailure(reason, ambiguous=True, status=response.status_code)


def _decoded(content: bytes, *, status: int) -> Any:
    if status == 204 or not content.strip():
        return None
    try:
        return json_codec.loads(content)
    except (ValueError, RecursionError):
        return _UNREADABLE


def _never_connected(error: BaseException) -> bool:
    """Whether no connection was made (refused, unknown host), so that the request was certainly not sent."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, ProxyError):
        reason = reason.original_error
    return isinstance(reason, NewConnectionError) or str(reason).startswith("Tunnel connection failed")
