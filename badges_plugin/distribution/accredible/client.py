"""The Accredible API, as far as badges need it.

https://docs.api.accredible.com/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, TypeVar

from badges_plugin.distribution.accounts import records
from badges_plugin.distribution.accredible import data
from badges_plugin.distribution.exceptions import AlreadyIssued, PermanentFailure, TransientFailure
from badges_plugin.distribution.http import HttpClient, Timeouts
from badges_plugin.distribution.rate_limit import RateLimiter

RecordT = TypeVar("RecordT")

_DUPLICATE = "has already been taken"
_GONE = frozenset({404, 410})

PAGE_SIZE = 50
MAX_PAGES = 200
"""The search ends at the 10,000th credential."""


class AccredibleClient:
    """One account, or one department of it, at Accredible.

    Every method raises the failures of ``badges_plugin.distribution.exceptions`` and nothing else.
    """

    def __init__(
        self,
        root: str,
        api_key: str,
        *,
        timeouts: Timeouts | None = None,
        limiter: RateLimiter | None = None,
    ) -> None:
        self._http = HttpClient(
            root,
            # Encoded as the key of a careless hand may be: it is then refused by Accredible and not by Python.
            headers={"Authorization": f"Token token={api_key.encode().decode('latin-1')}"},
            timeouts=timeouts,
            limiter=limiter,
            describe=error_message,
        )

    def check(self) -> None:
        """Nothing, unless the key is not accepted or Accredible cannot be asked."""
        self._groups_page(1, size=1)

    def groups(self, unreadable: list[str] | None = None) -> Iterator[data.GroupRecord]:
        """All groups that the key may see, over all pages.

        Those that cannot be read are named in ``unreadable``, and left out.
        """
        return records.readable("Accredible", data.group, self._groups(), [] if unreadable is None else unreadable)

    def _groups(self) -> Iterator[Any]:
        page = 1
        for _ in range(MAX_PAGES):
            reply = self._groups_page(page, size=PAGE_SIZE)
            found = _list(reply, "groups")
            yield from found
            following = _next_page(reply, page, len(found))
            if following is None:
                return
            if not found:
                # Taken for the end, it would make all that follows look as if it were gone.
                raise TransientFailure("Accredible's list breaks off: a page is empty and names another.")
            page = following
        raise TransientFailure(f"Accredible names more than {MAX_PAGES} pages of groups.")

    def issue(self, credential: Mapping[str, Any]) -> data.CredentialRecord:
        """Create a credential. Raises AlreadyIssued when the group has one of the learner and allows no second."""
        try:
            reply = self._http.request("POST", "v1", "credentials", json={"credential": credential})
        except PermanentFailure as failure:
            if failure.status == 422 and _DUPLICATE in failure.reason:
                raise AlreadyIssued(failure.reason, status=422, body=failure.body) from failure
            raise
        return _credential(reply)

    def expire(self, credential_id: str, *, on: date) -> data.CredentialRecord | None:
        """Let a credential expire on a day. None when there is no such credential."""
        wanted = {"credential": {"expired_on": on.isoformat()}}
        try:
            return _credential(self._http.request("PUT", "v1", "credentials", credential_id, json=wanted))
        except PermanentFailure as failure:
            if failure.status in _GONE:
                return None
            raise

    def credential(self, identity: str) -> data.CredentialRecord | None:
        """A credential by Accredible's id or by the one that its issuer gave it; None when there is none."""
        try:
            return _credential(self._http.get("v1", "credentials", identity))
        except PermanentFailure as failure:
            if failure.status in _GONE:
                return None
            raise

    def credentials(self, query: Mapping[str, str | int]) -> Iterator[data.CredentialRecord]:
        """Credentials that fit, in whatever state, over all pages. The conditions are those of Accredible's search."""
        for page in range(MAX_PAGES):
            wanted = {"query": dict(query), "page": {"from": page * PAGE_SIZE, "size": PAGE_SIZE}}
            found = _list(self._http.request("POST", "v2", "credentials", "search", json=wanted), "credentials")
            for record in found:
                yield _read(data.credential, record)
            if len(found) < PAGE_SIZE:
                return
        raise TransientFailure(f"Accredible finds more than {MAX_PAGES * PAGE_SIZE} credentials.")

    def _groups_page(self, page: int, *, size: int) -> Any:
        return self._http.request("POST", "v1", "issuer", "groups", "search", json={"page": page, "page_size": size})


def error_message(body: Any) -> str:
    """Accredible's own words in the body of an error; each kind of error has its own shape."""
    if not isinstance(body, Mapping):
        return ""
    parts = []
    for name in ("message", "error", "errors", "data"):
        value = body.get(name)
        if isinstance(value, Mapping):
            parts += [f"{attribute} {_joined(texts)}" for attribute, texts in value.items()]
        else:
            parts.append(_joined(value))
    return "; ".join(part for part in parts if part)


def _joined(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, map(_joined, value)))
    return value if isinstance(value, str) else ""


def _next_page(reply: Mapping[str, Any], page: int, records: int) -> int | None:
    """The number of the next page. Where the reply does not say, a full page is taken to have a next one."""
    meta = reply.get("meta")
    if not isinstance(meta, Mapping) or "next_page" not in meta:
        return page + 1 if records >= PAGE_SIZE else None
    following = meta["next_page"]
    if isinstance(following, str) and following.isascii() and following.isdigit() and len(following) < 10:
        following = int(following)
    if following is None or following is False or following in (0, ""):
        return None
    if isinstance(following, bool) or not isinstance(following, int) or following <= page:
        # Taken for the end, it would make all that follows look as if it were gone.
        raise TransientFailure("Accredible's list names a next page that is none.")
    return following


def _list(reply: Any, name: str) -> list[Any]:
    records = reply.get(name) if isinstance(reply, Mapping) else None
    if not isinstance(records, list):
        raise TransientFailure(f"Accredible's reply has no list of {name}.")
    return records


def _credential(reply: Any) -> data.CredentialRecord:
    return _read(data.credential, reply.get("credential") if isinstance(reply, Mapping) else None)


def _read(reader: Callable[[Any], RecordT], record: Any) -> RecordT:
    return records.read("Accredible", reader, record)
