"""A client of the Accredible API, as far as badges need it.

https://docs.api.accredible.com/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext_noop

from badges_plugin.distribution.accounts.payloads import read, readable
from badges_plugin.distribution.accredible import data
from badges_plugin.distribution.accredible.conf import config
from badges_plugin.distribution.accredible.models import AccredibleApiConfig
from badges_plugin.distribution.api import (
    AlreadyIssued,
    DeliveryFailure,
    HttpClient,
    PermanentFailure,
    TransientFailure,
    shared_limiter,
    usual_timeouts,
)

_DUPLICATE = "has already been taken"
_BULK_UNREADABLE = gettext_noop("Accredible's reply does not say what became of this credential.")
_GONE = frozenset({404, 410})

PAGE_SIZE = 50
MAX_PAGES = 200
"""The search ends at the 10,000th credential."""


class AccredibleClient:
    """One account, or one department of it. Every method raises the failures of the contract and nothing else."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def check(self) -> None:
        """Raise a failure if the key is not accepted or Accredible cannot be reached."""
        self._groups_page(1, size=1)

    def groups(self, unreadable: list[str] | None = None) -> Iterator[data.GroupPayload]:
        """Yield all groups that the key may see, from all pages.

        Those that cannot be read are skipped, and named in ``unreadable``.
        """
        return readable("Accredible", data.group, self._groups(), [] if unreadable is None else unreadable)

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
                # If this counted as the end, everything on later pages would seem to be gone.
                raise TransientFailure(
                    gettext_noop("Accredible's list is incomplete: an empty page names another page.")
                )
            page = following
        raise TransientFailure(gettext_noop("Accredible's list has too many pages."))

    def issue(self, credential: Mapping[str, Any]) -> data.CredentialPayload:
        """Create a credential. Raises AlreadyIssued when the group has one of the learner and allows no second."""
        try:
            reply = self._http.request("POST", "v1", "credentials", json={"credential": credential})
        except PermanentFailure as failure:
            if failure.status == 422 and _DUPLICATE in failure.reason:
                raise AlreadyIssued(failure.reason, status=422, body=failure.body) from failure
            raise
        return _credential(reply)

    def issue_many(self, credentials: Sequence[Mapping[str, Any]]) -> list[data.CredentialPayload | DeliveryFailure]:
        """Create credentials, at most 30 of them, each with an id. Return the answer to each, in their order.

        Some may be created and others refused. Raises a failure only if Accredible answers for all of them at once.
        """
        wanted = {"credentials": list(credentials)}
        try:
            reply = self._http.request("POST", "v2", "credentials", "bulk_create", json=wanted)
        except PermanentFailure as failure:
            # The status of a request in which every single credential is refused.
            if failure.status != 422 or not _has_results(failure.body, len(credentials)):
                raise
            reply = failure.body
        return _answers(reply, [str(credential["id"]) for credential in credentials])

    def expire(self, credential_id: str, *, on: date | None) -> data.CredentialPayload | None:
        """Make a credential expire on a day, or never. Return None when there is no such credential."""
        return self._change(credential_id, {"expired_on": None if on is None else on.isoformat()})

    def rename(self, credential_id: str, *, name: str, email: str) -> data.CredentialPayload | None:
        """Give the recipient of a credential another name. Return None when there is no such credential."""
        # The address, too: it is not documented that it stays if it is left out.
        return self._change(credential_id, {"recipient": {"name": name, "email": email}})

    def _change(self, credential_id: str, wanted: Mapping[str, object]) -> data.CredentialPayload | None:
        """Change a credential. Return None when there is no such credential."""
        try:
            changed = self._http.request("PUT", "v1", "credentials", credential_id, json={"credential": dict(wanted)})
        except PermanentFailure as failure:
            if failure.status in _GONE:
                return None
            raise
        return _credential(changed)

    def credential(self, identity: str) -> data.CredentialPayload | None:
        """Return a credential by Accredible's id or by its issuer's; None when there is none."""
        try:
            return _credential(self._http.get("v1", "credentials", identity))
        except PermanentFailure as failure:
            if failure.status in _GONE:
                return None
            raise

    def credentials(self, query: Mapping[str, str | int]) -> Iterator[data.CredentialPayload]:
        """Yield matching credentials, in any state, from all pages. The query is that of Accredible's search."""
        for page in range(MAX_PAGES):
            wanted = {"query": dict(query), "page": {"from": page * PAGE_SIZE, "size": PAGE_SIZE}}
            found = _list(self._http.request("POST", "v2", "credentials", "search", json=wanted), "credentials")
            for payload in found:
                yield read(data.credential, payload)
            if len(found) < PAGE_SIZE:
                return
        raise TransientFailure(gettext_noop("Accredible finds too many credentials."))

    def _groups_page(self, page: int, *, size: int) -> Any:
        return self._http.request("POST", "v1", "issuer", "groups", "search", json={"page": page, "page_size": size})


def error_message(body: Any) -> str:
    """Return Accredible's message in the body of an error; each kind of error has its own shape."""
    if not isinstance(body, Mapping):
        return ""
    parts = []
    for name in ("message", "error", "errors", "details", "data"):
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


def _next_page(reply: Mapping[str, Any], page: int, found: int) -> int | None:
    """Return the number of the next page. Where the reply does not say, a full page is assumed to have a next one."""
    meta = reply.get("meta")
    if not isinstance(meta, Mapping) or "next_page" not in meta:
        return page + 1 if found >= PAGE_SIZE else None
    following = meta["next_page"]
    if isinstance(following, str) and following.isascii() and following.isdigit() and len(following) < 10:
        following = int(following)
    if following is None or following is False or following in (0, ""):
        return None
    if isinstance(following, bool) or not isinstance(following, int) or following <= page:
        # If this counted as the end, everything on later pages would seem to be gone.
        raise TransientFailure(gettext_noop("Accredible's list names a next page that cannot be one."))
    return following


def _list(reply: Any, name: str) -> list[Any]:
    payloads = reply.get(name) if isinstance(reply, Mapping) else None
    if not isinstance(payloads, list):
        raise TransientFailure(gettext_noop("Accredible's reply contains no list."))
    return payloads


def _credential(reply: Any) -> data.CredentialPayload:
    return read(data.credential, reply.get("credential") if isinstance(reply, Mapping) else None)


def _has_results(reply: Any, number: int) -> bool:
    results = reply.get("results") if isinstance(reply, Mapping) else None
    return isinstance(results, list) and len(results) == number


def _answers(reply: Any, references: Sequence[str]) -> list[data.CredentialPayload | DeliveryFailure]:
    """Return what became of the credential of each reference.

    A credential is known by its reference; only where Accredible does not repeat that, by its place. What a place says
    counts only if there are as many results as credentials. Everything else is in doubt, and looked up.
    """
    results = reply.get("results") if isinstance(reply, Mapping) else None
    results = results if isinstance(results, list) else []
    answers = [_answer(result) for result in results]
    made = [answer for answer in answers if isinstance(answer, data.CredentialPayload)]
    by_reference = {answer.reference: answer for answer in made if answer.reference}
    in_place: Sequence[data.CredentialPayload | DeliveryFailure | None]
    in_place = answers if len(answers) == len(references) else [None] * len(references)
    return [by_reference.get(each) or _in_place(answer) for each, answer in zip(references, in_place, strict=True)]


def _in_place(answer: data.CredentialPayload | DeliveryFailure | None) -> data.CredentialPayload | DeliveryFailure:
    is_of_another = isinstance(answer, data.CredentialPayload) and answer.reference
    if answer is None or is_of_another:
        return TransientFailure(_BULK_UNREADABLE, ambiguous=True)
    return answer


def _answer(result: Any) -> data.CredentialPayload | DeliveryFailure:
    """Return the credential of a result, or its error as a failure; one that is neither is in doubt."""
    error = result.get("error") if isinstance(result, Mapping) else None
    if not isinstance(error, Mapping):
        try:
            return _credential(result)
        except TransientFailure as failure:
            return failure
    code = error.get("code")
    status = code if isinstance(code, int) and not isinstance(code, bool) and 400 <= code < 600 else 422
    message = error_message(error)
    reason = f"HTTP {status}: {message}" if message else f"HTTP {status}"
    if status == 429:
        return TransientFailure(reason, throttled=True, status=status)
    if status >= 500:
        return TransientFailure(reason, ambiguous=True, status=status)
    if _DUPLICATE in message:
        return AlreadyIssued(reason, status=status, body=error)
    return PermanentFailure(reason, status=status, body=error)


def client_for(api_config: AccredibleApiConfig) -> AccredibleClient:
    """Return a client with the configuration's own key. Raises RejectedKey when there is none that can be used."""
    return make_client(api_config.api_key)


def make_client(api_key: str) -> AccredibleClient:
    """Return a client for a key that need not be stored."""
    settings = config()
    http = HttpClient(
        settings.api_root,
        # A pasted key may hold non-Latin-1 characters: let Accredible refuse it, not Python.
        headers={"Authorization": f"Token token={api_key.encode().decode('latin-1')}"},
        timeouts=usual_timeouts(),
        # Accredible counts requests by network address, not by key.
        limiter=shared_limiter("accredible", settings.requests_per_minute) if settings.requests_per_minute else None,
        describe=error_message,
    )
    return AccredibleClient(http)
