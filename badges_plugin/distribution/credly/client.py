"""The Credly API, as far as badges need it.

https://www.credly.com/docs/web_service_api
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from badges_plugin.distribution.accounts import records
from badges_plugin.distribution.credly import data
from badges_plugin.distribution.exceptions import AlreadyIssued, PermanentFailure, TransientFailure
from badges_plugin.distribution.http import HttpClient, Timeouts
from badges_plugin.distribution.rate_limit import RateLimiter

RecordT = TypeVar("RecordT")

# Not documented; what the service says in production to clients whose code is public.
_DUPLICATE = "already has this badge"
_ISSUED = (data.BadgeState.PENDING, data.BadgeState.ACCEPTED, data.BadgeState.REJECTED, data.BadgeState.REVOKED)

MAX_PAGES = 10_000
"""Where a service that always names another page is stopped."""


class CredlyClient:
    """One organization at Credly.

    Every method raises the failures of ``badges_plugin.distribution.exceptions`` and nothing else.
    """

    def __init__(
        self,
        base_url: str,
        organization: UUID,
        api_key: str,
        *,
        timeouts: Timeouts | None = None,
        limiter: RateLimiter | None = None,
    ) -> None:
        self._organization = str(organization)
        # The key is the user name; the password is empty.
        credentials = base64.b64encode(f"{api_key}:".encode()).decode()
        self._http = HttpClient(
            base_url,
            headers={"Authorization": f"Basic {credentials}"},
            timeouts=timeouts,
            limiter=limiter,
            describe=error_message,
        )

    def organization(self) -> data.OrganizationRecord:
        """The organization itself: whether it exists, and whether the key is good for it."""
        return _read(data.organization, self._one(self._http.get("organizations", self._organization)))

    def badge_templates(self, unreadable: list[str] | None = None) -> Iterator[data.TemplateRecord]:
        """All templates of the organization, in whatever state, over all pages.

        Those that cannot be read are named in ``unreadable``, and left out.
        """
        states = ",".join(("active", "archived", "draft"))
        records_ = self._pages("badge_templates", {"filter": f"state::{states}", "sort": "created_at"})
        return records.readable("Credly", data.template, records_, [] if unreadable is None else unreadable)

    def issue(self, badge: Mapping[str, Any]) -> data.BadgeRecord:
        """Issue a badge. Raises AlreadyIssued when the learner has it.

        The fields are those of https://www.credly.com/docs/issued_badges#issue-a-badge
        """
        try:
            reply = self._http.request("POST", "organizations", self._organization, "badges", json=badge)
        except PermanentFailure as failure:
            if failure.status == 422 and _DUPLICATE in failure.reason:
                raise AlreadyIssued(failure.reason, status=422, body=failure.body) from failure
            raise
        return _read(data.badge, self._one(reply))

    def revoke(self, badge_id: str, *, reason: str, suppress_email: bool) -> data.BadgeRecord:
        """Revoke an issued badge.

        https://www.credly.com/docs/issued_badges#revoke-a-badge
        """
        reply = self._http.request(
            "PUT",
            "organizations",
            self._organization,
            "badges",
            badge_id,
            "revoke",
            json={"reason": reason, "suppress_revoke_notification_email": suppress_email},
        )
        return _read(data.badge, self._one(reply))

    def badges(
        self, *, template_id: UUID, email: str = "", earner_id: str = "", states: Sequence[data.BadgeState] = _ISSUED
    ) -> Iterator[data.BadgeRecord]:
        """Issued badges of a template, in every state unless some are given.

        To one address or one earner (our ``issuer_earner_id``) if that is given. The documentation does not name the
        filter by earner; clients whose code is public use it. Whoever asks looks at what the badges say themselves.
        """
        conditions = [f"state::{','.join(states)}", f"badge_template_id::{template_id}"]
        if can_filter_by(email):
            conditions.append(f"recipient_email_all::{email}")
        if earner_id:
            conditions.append(f"issuer_earner_id::{earner_id}")
        return (_read(data.badge, record) for record in self._pages("badges", {"filter": "|".join(conditions)}))

    def event(self, event_id: UUID) -> data.EventRecord:
        """An event as Credly itself tells it.

        https://www.credly.com/docs/webhooks
        """
        path = ("organizations", self._organization, "events", str(event_id))
        return _read(data.event, self._one(self._http.get(*path)))

    def events(self) -> Iterator[data.EventRecord]:
        """The organization's events, newest first, over all pages. What cannot be read is left out, and logged."""
        return records.readable("Credly", data.event, self._pages("events", {"sort": "-occurred_at"}), [])

    def _pages(self, collection: str, params: Mapping[str, str]) -> Iterator[Any]:
        # Pages are counted, since Credly's own next_page_url forgets the filter.
        for page in range(1, MAX_PAGES + 1):
            reply = self._http.get("organizations", self._organization, collection, params={**params, "page": page})
            found = reply.get("data") if isinstance(reply, Mapping) else None
            if not isinstance(found, list):
                raise TransientFailure("Credly's reply has no list of records.")
            yield from found
            following = _next_page(reply)
            if not found and following:
                # Taken for the end, it would make all that follows look as if it were gone.
                raise TransientFailure("Credly's list breaks off: a page is empty and names another.")
            if not found or following == "":
                return
        raise TransientFailure(f"Credly names more than {MAX_PAGES} pages.")

    def _one(self, reply: Any) -> Any:
        return reply.get("data") if isinstance(reply, Mapping) else None


def can_filter_by(email: str) -> bool:
    """Whether badges can be listed by this address. Credly's filter has no way to quote its own separators."""
    return bool(email) and "|" not in email and "::" not in email


def error_message(body: Any) -> str:
    """Credly's own words in the body of an error: ``{"data": {"message": ...}}``."""
    data_ = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(data_, Mapping):
        return ""
    message = data_.get("message")
    errors = data_.get("errors")
    parts = [message if isinstance(message, str) else "", str(errors) if errors else ""]
    return " ".join(part for part in parts if part)


def _next_page(reply: Mapping[str, Any]) -> str | None:
    """The address of the next page, empty when there is none; None when the reply does not say."""
    metadata = reply.get("metadata")
    if not isinstance(metadata, Mapping) or "next_page_url" not in metadata:
        return None
    return str(metadata["next_page_url"] or "")


def _read(reader: Callable[[Any], RecordT], record: Any) -> RecordT:
    return records.read("Credly", reader, record)
