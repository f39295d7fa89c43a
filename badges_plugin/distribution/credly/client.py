"""A client of the Credly API, as far as badges need it.

https://www.credly.com/docs/web_service_api
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_noop

from badges_plugin.distribution.accounts.payloads import read, readable
from badges_plugin.distribution.api import (
    AlreadyIssued,
    HttpClient,
    PermanentFailure,
    TransientFailure,
    shared_limiter,
    usual_timeouts,
)
from badges_plugin.distribution.credly import data
from badges_plugin.distribution.credly.conf import config
from badges_plugin.distribution.credly.models import CredlyOrganization

# Not documented; the message of the production service, according to clients whose code is public.
_DUPLICATE = "already has this badge"
_ISSUED = (data.BadgeState.PENDING, data.BadgeState.ACCEPTED, data.BadgeState.REJECTED, data.BadgeState.REVOKED)

MAX_PAGES = 10_000
"""The maximum, in case the service always names another page."""


class CredlyClient:
    """One organization at Credly. Every method raises the failures of the contract and nothing else."""

    def __init__(self, http: HttpClient, organization: UUID) -> None:
        self._http = http
        self._organization = str(organization)

    def organization(self) -> data.OrganizationPayload:
        """Return the organization, if it exists and the key is valid for it."""
        return read(data.organization, self._one(self._http.get("organizations", self._organization)))

    def badge_templates(self, unreadable: list[str] | None = None) -> Iterator[data.TemplatePayload]:
        """Yield all templates of the organization, in any state, from all pages.

        Those that cannot be read are skipped, and named in ``unreadable``.
        """
        states = ",".join(("active", "archived", "draft"))
        payloads = self._pages("badge_templates", {"filter": f"state::{states}", "sort": "created_at"})
        return readable("Credly", data.template, payloads, [] if unreadable is None else unreadable)

    def issue(self, badge: Mapping[str, Any]) -> data.BadgePayload:
        """Issue a badge. Raises AlreadyIssued when the learner has it.

        The fields are those of https://www.credly.com/docs/issued_badges#issue-a-badge
        """
        try:
            reply = self._http.request("POST", "organizations", self._organization, "badges", json=badge)
        except PermanentFailure as failure:
            if failure.status == 422 and _DUPLICATE in failure.reason:
                raise AlreadyIssued(failure.reason, status=422, body=failure.body) from failure
            raise
        return read(data.badge, self._one(reply))

    def replace(self, badge_id: str, badge: Mapping[str, Any]) -> data.BadgePayload:
        """Replace an issued badge by a new one with these fields, as for ``issue``. It keeps its date of issue.

        https://www.credly.com/docs/issued_badges#replace-a-badge
        """
        path = ("organizations", self._organization, "badges", badge_id, "replace")
        return read(data.badge, self._one(self._http.request("POST", *path, json=badge)))

    def revoke(self, badge_id: str, *, reason: str, suppress_email: bool) -> data.BadgePayload:
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
        return read(data.badge, self._one(reply))

    def badges(
        self, *, template_id: UUID, email: str = "", earner_id: str = "", states: Sequence[data.BadgeState] = _ISSUED
    ) -> Iterator[data.BadgePayload]:
        """Yield the issued badges of a template, in every state unless some are given.

        Of one e-mail address or one earner (our ``issuer_earner_id``) if given. The documentation does not mention the
        filter by earner; clients whose code is public use it. So callers also check the badges themselves.
        """
        conditions = [f"state::{','.join(states)}", f"badge_template_id::{template_id}"]
        if can_filter_by(email):
            conditions.append(f"recipient_email_all::{email}")
        if earner_id:
            conditions.append(f"issuer_earner_id::{earner_id}")
        return (read(data.badge, payload) for payload in self._pages("badges", {"filter": "|".join(conditions)}))

    def event(self, event_id: UUID) -> data.EventPayload:
        """Return an event as Credly itself describes it.

        https://www.credly.com/docs/webhooks
        """
        path = ("organizations", self._organization, "events", str(event_id))
        return read(data.event, self._one(self._http.get(*path)))

    def events(self) -> Iterator[data.EventPayload]:
        """Yield the organization's events, newest first, from all pages. Unreadable ones are skipped and logged."""
        return readable("Credly", data.event, self._pages("events", {"sort": "-occurred_at"}), [])

    def _pages(self, collection: str, params: Mapping[str, str]) -> Iterator[Any]:
        # By numbers, since Credly's own next_page_url loses the filter.
        for page in range(1, MAX_PAGES + 1):
            reply = self._http.get("organizations", self._organization, collection, params={**params, "page": page})
            found = reply.get("data") if isinstance(reply, Mapping) else None
            if not isinstance(found, list):
                raise TransientFailure(gettext_noop("Credly's reply contains no list."))
            yield from found
            following = _next_page(reply)
            if not found and following:
                # If this counted as the end, everything on later pages would seem to be gone.
                raise TransientFailure(gettext_noop("Credly's list is incomplete: an empty page names another page."))
            if not found or following == "":
                return
        raise TransientFailure(gettext_noop("Credly's list has too many pages."))

    def _one(self, reply: Any) -> Any:
        return reply.get("data") if isinstance(reply, Mapping) else None


def can_filter_by(email: str) -> bool:
    """Whether badges can be listed by this e-mail address. Credly's filter cannot quote its own separators."""
    return bool(email) and "|" not in email and "::" not in email


def error_message(body: Any) -> str:
    """Return Credly's message in the body of an error: ``{"data": {"message": ...}}``."""
    data_ = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(data_, Mapping):
        return ""
    message = data_.get("message")
    errors = data_.get("errors")
    parts = [message if isinstance(message, str) else "", str(errors) if errors else ""]
    return " ".join(part for part in parts if part)


def _next_page(reply: Mapping[str, Any]) -> str | None:
    """Return the URL of the next page, empty when there is none; None when the reply does not say."""
    metadata = reply.get("metadata")
    if not isinstance(metadata, Mapping) or "next_page_url" not in metadata:
        return None
    return str(metadata["next_page_url"] or "")


def client_for(organization: CredlyOrganization) -> CredlyClient:
    """Return a client with the organization's own key. Raises RejectedKey when there is none that can be used."""
    return make_client(organization.uuid, organization.api_key)


def make_client(organization: UUID, api_key: str) -> CredlyClient:
    """Return a client for a key that need not be stored."""
    settings = config()
    pace = settings.requests_per_minute
    # The key is the user name; the password is empty.
    credentials = base64.b64encode(f"{api_key}:".encode()).decode()
    http = HttpClient(
        settings.api_base_url,
        headers={"Authorization": f"Basic {credentials}"},
        timeouts=usual_timeouts(),
        limiter=shared_limiter(f"credly:{organization}", pace) if pace else None,
        describe=error_message,
    )
    return CredlyClient(http, organization)
