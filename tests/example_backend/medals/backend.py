from dataclasses import dataclass

from django.utils.crypto import salted_hmac

from badges_plugin.conf import section
from badges_plugin.distribution.backends import Backend
from badges_plugin.distribution.data import Action, Receipt
from badges_plugin.distribution.exceptions import AlreadyIssued, PermanentFailure, RejectedKey
from badges_plugin.distribution.http import HttpClient
from medals.models import MedalTemplate


def settings():
    defaults = {"API_BASE_URL": "https://medals.example/api/", "API_KEY": "", "WEBHOOK_SECRET": ""}
    return section("medals", defaults)


def make_client():
    values = settings()
    if not values["API_KEY"]:
        raise RejectedKey('Set BADGES_CONFIG["medals"]["API_KEY"].')
    return HttpClient(values["API_BASE_URL"], headers={"Authorization": f"Bearer {values['API_KEY']}"})


@dataclass(frozen=True)
class Context:
    client: HttpClient
    medal_name: str


class MedalsBackend(Backend[Context]):
    slug = "medals"
    name = "Medals"

    # These three use the database and the settings.

    def account(self, template):
        return "default"

    def fingerprint(self, account):
        return salted_hmac("medals.key", settings()["API_KEY"], algorithm="sha256").hexdigest()

    def load(self, award):
        template = MedalTemplate.objects.get(pk=award.template.pk)
        return Context(make_client(), template.medal_name)

    # These three use the network, and nothing but their order.

    def find(self, order):
        client = order.context.client
        if order.action is Action.REVOKE:
            medal = client.get("medals", order.external_id)
            return Receipt(medal["id"], medal["state"], adopted=True) if medal["state"] == "revoked" else None
        known = client.get("medals", params={"medal": order.context.medal_name, "email": order.recipient.email})
        for medal in known["medals"]:
            # Ours, or one that somebody gave to the same address by hand. Not one that names another earner.
            ours = medal["reference"] in ("", order.recipient.earner_id)
            if ours and medal["state"] == "valid" and medal["id"] not in order.foreign_ids:
                return Receipt(medal["id"], medal["state"], adopted=True)
        return None

    def issue(self, order):
        if "@" not in order.recipient.email:
            raise PermanentFailure("The learner has no e-mail address.")
        wanted = {
            "medal": order.context.medal_name,
            "email": order.recipient.email,
            "name": f"{order.recipient.first_name} {order.recipient.last_name}",
            "reference": order.recipient.earner_id,
            "awarded_at": order.awarded_at.isoformat(),
        }
        try:
            medal = order.context.client.request("POST", "medals", json=wanted)
        except PermanentFailure as failure:
            if failure.status == 422:
                raise AlreadyIssued(failure.reason, status=422) from failure
            raise
        return Receipt(medal["id"], medal["state"])

    def revoke(self, order):
        client = order.context.client
        medal = client.request("POST", "medals", order.external_id, "revoke", json={"reason": order.reason})
        return Receipt(medal["id"], medal["state"])
