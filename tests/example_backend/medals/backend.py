from dataclasses import dataclass

from django.utils.crypto import salted_hmac

from badges_plugin.distribution.api import (
    Action,
    AlreadyIssued,
    Backend,
    HttpClient,
    PermanentFailure,
    Receipt,
    RejectedKey,
    section,
)
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

    # These three use the network, and nothing but their request.

    def find(self, request):
        client = request.context.client
        if request.action is Action.REVOKE:
            medal = client.get("medals", request.external_id)
            return Receipt(medal["id"], medal["state"], adopted=True) if medal["state"] == "revoked" else None
        known = client.get("medals", params={"medal": request.context.medal_name, "email": request.recipient.email})
        for medal in known["medals"]:
            # Ours, or one that somebody issued by hand to the same e-mail address. Not one that names another earner.
            ours = medal["reference"] in ("", request.recipient.earner_id)
            if ours and medal["state"] == "valid" and medal["id"] not in request.foreign_ids:
                return Receipt(medal["id"], medal["state"], adopted=True)
        return None

    def issue(self, request):
        if "@" not in request.recipient.email:
            raise PermanentFailure("The learner has no e-mail address.")
        wanted = {
            "medal": request.context.medal_name,
            "email": request.recipient.email,
            "name": f"{request.recipient.first_name} {request.recipient.last_name}",
            "reference": request.recipient.earner_id,
            "awarded_at": request.awarded_at.isoformat(),
        }
        try:
            medal = request.context.client.request("POST", "medals", json=wanted)
        except PermanentFailure as failure:
            if failure.status == 422:
                raise AlreadyIssued(failure.reason, status=422) from failure
            raise
        return Receipt(medal["id"], medal["state"])

    def revoke(self, request):
        client = request.context.client
        medal = client.request("POST", "medals", request.external_id, "revoke", json={"reason": request.reason})
        return Receipt(medal["id"], medal["state"])
