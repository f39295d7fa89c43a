from uuid import UUID

from badges_plugin.distribution.api import BadNotification, PermanentFailure, UnknownSubject, WebhookView
from medals.backend import make_client, settings
from medals.models import MedalEvent


class MedalsWebhook(WebhookView):
    throttle_name = "medals"

    def secret(self):
        return settings()["WEBHOOK_SECRET"]

    def receive(self, notification):
        try:
            event_id = UUID(notification["event"])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise BadNotification("event must be a UUID.") from None
        if MedalEvent.objects.filter(uuid=event_id).exists():
            return
        try:
            event = make_client().get("events", str(event_id))
        except PermanentFailure as failure:
            raise UnknownSubject("Medals knows no such event.") from failure
        MedalEvent.objects.get_or_create(uuid=event_id, defaults={"medal_id": event["medal"], "state": event["state"]})
