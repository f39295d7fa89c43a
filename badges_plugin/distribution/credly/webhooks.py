"""The webhook that Credly notifies of events: https://www.credly.com/docs/webhooks ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from badges_plugin.distribution.api import (
    BadNotification,
    PermanentFailure,
    TooManyUnknown,
    UnknownSubject,
    WebhookView,
)
from badges_plugin.distribution.credly.client import client_for
from badges_plugin.distribution.credly.conf import config
from badges_plugin.distribution.credly.data import EventPayload
from badges_plugin.distribution.credly.events import apply_event, apply_latest, is_applied
from badges_plugin.distribution.credly.models import CredlyOrganization

# The limit of requests for Credly's list of events while single events are not looked up.
_LATEST_RATE = "6/min"


class CredlyWebhook(WebhookView):
    """Takes the ids of organization and event, fetches the event from Credly, and acts on that alone."""

    throttle_name = "credly"

    def secret(self) -> str:
        return config().webhook_secret

    def receive(self, notification: Mapping[str, Any]) -> None:
        organization_id, event_id = _id(notification, "organization_id"), _id(notification, "id")
        organization = CredlyOrganization.objects.filter(uuid=organization_id).first()
        if organization is None:
            raise UnknownSubject("This organization is not known here.", asked=False)
        if is_applied(event_id):
            return
        try:
            with self.look_up(str(organization_id), str(event_id)):
                apply_event(organization, _event(organization, event_id))
        except TooManyUnknown:
            # One request serves all: the events that Credly lists are applied, also those refused before.
            if self.budget(f"latest.{organization_id}", _LATEST_RATE).spend():
                apply_latest(organization)
            if not is_applied(event_id):
                raise


def _event(organization: CredlyOrganization, event_id: UUID) -> EventPayload:
    """Return the event as Credly itself describes it. Raises UnknownSubject."""
    try:
        event = client_for(organization).event(event_id)
    except PermanentFailure as failure:
        raise UnknownSubject("Credly knows no such event.") from failure
    if (event.id, event.organization_id) != (event_id, organization.uuid):
        raise UnknownSubject("Credly knows another event by this id.")
    return event


def _id(notification: Mapping[str, Any], name: str) -> UUID:
    value = notification.get(name)
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise BadNotification(f"{name} must be a UUID.") from None
