"""The control API, ``/_control/``: inject faults, act as Credly's staff or as a learner, read the results.

JSON in and out, no key. Errors are those of the API: ``{"data": {"message": ...}}``.
"""

import re
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from sandbox.credly import badges, shapes, summary
from sandbox.credly.faults import Fault, Faults, RateLimit
from sandbox.credly.journal import Journal
from sandbox.credly.records import Badge, Json, Organization
from sandbox.credly.refusals import Refused
from sandbox.credly.webhooks import WebhookSender
from sandbox.credly.wire import Reply, Request, json_reply, refusal_reply
from sandbox.credly.world import World

PREFIX = "/_control/"

Handler = Callable[["Control", Request, dict[str, str]], Any]


class Control:
    def __init__(
        self, world: World, faults: Faults, journal: Journal, webhooks: WebhookSender, reset: Callable[[], None]
    ) -> None:
        self.world = world
        self.faults = faults
        self.journal = journal
        self.webhooks = webhooks
        self.reset = reset

    def owns(self, request: Request) -> bool:
        return request.path.startswith(PREFIX)

    def handle(self, request: Request) -> Reply:
        try:
            return json_reply(self._dispatch(request))
        except Refused as refused:
            return refusal_reply(refused)
        except (TypeError, ValueError, LookupError) as error:
            return refusal_reply(Refused(422, f"Bad control request: {error!r}"))

    def _dispatch(self, request: Request) -> Any:
        path = request.path.removeprefix(PREFIX).rstrip("/")
        for method, pattern, handler in _ROUTES:
            found = pattern.fullmatch(path)
            if found and method == request.method:
                return handler(self, request, found.groupdict())
        raise Refused(404, f"No such control: {request.method} {path}")

    def find_badge(self, badge_id: str) -> Badge:
        badge = self.world.badges.get(badge_id)
        if badge is None:
            raise Refused(404, "Badge not found")
        return badge


# Reading


def get_health(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    return {"ok": True}


def get_summary(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    return summary.summary(control.world, control.journal)


def get_journal(control: Control, request: Request, parameters: dict[str, str]) -> list[Json]:
    """Query: since=NUMBER, limit=N."""
    limit = request.query.get("limit")
    since = int(request.query.get("since", "0"))
    return [asdict(entry) for entry in control.journal.entries(since=since, limit=int(limit) if limit else None)]


def get_badges(control: Control, request: Request, parameters: dict[str, str]) -> list[Json]:
    """Query parameters compare with the fields of a row: ?state=pending&recipient_email=..."""
    with control.world.lock:
        rows = [summary.badge_row(badge) for badge in control.world.badges.values()]
    return [row for row in rows if all(str(row.get(name)) == value for name, value in request.query.items())]


# Faults


def get_faults(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    return control.faults.describe()


def add_fault(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    """Body: the fields of Fault."""
    control.faults.add(Fault.read(request.json_object()))
    return control.faults.describe()


def clear_faults(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    """Clear all faults, latency, the rate limit and the outage."""
    control.faults.clear()
    return control.faults.describe()


def set_latency(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    """Body: {"seconds": 0.2, "jitter": 0.1}."""
    body = request.json_object()
    control.faults.latency = float(body.get("seconds", 0.0))
    control.faults.jitter = float(body.get("jitter", 0.0))
    return control.faults.describe()


def set_down(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    """Body: {"down": true}."""
    control.faults.down = request.json_object().get("down") is True
    return control.faults.describe()


def set_rate_limit(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    """Body: {"requests": 60, "seconds": 60}; {} lifts the limit."""
    body = request.json_object()
    control.faults.limit_rate(RateLimit(int(body["requests"]), float(body.get("seconds", 60))) if body else None)
    return control.faults.describe()


# Credly's staff


def list_organizations(control: Control, request: Request, parameters: dict[str, str]) -> list[Json]:
    return [asdict(organization) for organization in control.world.organizations.values()]


def add_organization(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    """Body: the fields of Organization; "id" and "keys" are made up where missing."""
    values = request.json_object()
    values.setdefault("id", control.world.new_id())
    values.setdefault("keys", [control.world.new_id().replace("-", "")])
    organization = Organization(**values)
    control.world.add_organization(organization)
    return asdict(organization)


def change_organization(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    """For example {"webhook_url": ...} or {"keys_rejected": true}."""
    return asdict(control.world.update_organization(parameters["id"], request.json_object()))


def rotate_key(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    """Body: {"key": ...}, or {} for a new one."""
    return {"key": control.world.rotate_key(parameters["id"], request.json_object(optional=True).get("key"))}


def add_template(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    template = control.world.add_template(parameters["id"], request.json_object())
    return control.world.template_reply(template)


def change_template(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    template = control.world.change_template(parameters["id"], request.json_object())
    return control.world.template_reply(template)


def delete_template(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    return control.world.template_reply(control.world.delete_template(parameters["id"]))


def revoke_badge(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    """Revoke a badge as the organization's staff do on Credly's site. Body: {"reason": ...}."""
    badge = control.find_badge(parameters["id"])
    body = request.json_object(optional=True)
    return summary.badge_row(badges.revoke(control.world, badge.organization_id, badge.id, body))


def reset(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    """Reset to the seed: no badges, no events, an empty journal, no faults."""
    control.reset()
    return {"ok": True}


# Learners


def accept_badge(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    return summary.badge_row(badges.accept(control.world, control.find_badge(parameters["id"])))


def reject_badge(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    return summary.badge_row(badges.reject(control.world, control.find_badge(parameters["id"])))


# Webhooks


def get_webhooks(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    return control.webhooks.describe()


def set_webhooks(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    """Body: {"enabled": true, "first_gap": 0.1, "growth": 2, "attempts": 8, "timeout": 5}, each optional."""
    body = request.json_object()
    control.webhooks.enabled = body.pop("enabled", control.webhooks.enabled) is True
    control.webhooks.schedule = replace(control.webhooks.schedule, **body)
    return control.webhooks.describe()


def send_event(control: Control, request: Request, parameters: dict[str, str]) -> Json:
    """Post an event again, to the webhook URL of its organization or to {"url": ...}."""
    event = control.world.events.get(parameters["id"])
    if event is None:
        raise Refused(404, "Event not found")
    url = (
        request.json_object(optional=True).get("url") or control.world.organizations[event.organization_id].webhook_url
    )
    if not url:
        raise Refused(422, "The organization has no webhook_url")
    control.webhooks.post(event, url)
    return shapes.event_reference(event)


def _route(method: str, path: str, handler: Handler) -> tuple[str, re.Pattern[str], Handler]:
    return method, re.compile(path.replace("{id}", "(?P<id>[^/]+)")), handler


_ROUTES = (
    _route("GET", "health", get_health),
    _route("GET", "summary", get_summary),
    _route("GET", "journal", get_journal),
    _route("GET", "badges", get_badges),
    _route("GET", "faults", get_faults),
    _route("POST", "faults", add_fault),
    _route("DELETE", "faults", clear_faults),
    _route("POST", "latency", set_latency),
    _route("POST", "down", set_down),
    _route("POST", "rate_limit", set_rate_limit),
    _route("GET", "organizations", list_organizations),
    _route("POST", "organizations", add_organization),
    _route("PATCH", "organizations/{id}", change_organization),
    _route("POST", "organizations/{id}/rotate_key", rotate_key),
    _route("POST", "organizations/{id}/badge_templates", add_template),
    _route("PATCH", "badge_templates/{id}", change_template),
    _route("DELETE", "badge_templates/{id}", delete_template),
    _route("POST", "badges/{id}/revoke", revoke_badge),
    _route("POST", "badges/{id}/accept", accept_badge),
    _route("POST", "badges/{id}/reject", reject_badge),
    _route("GET", "webhooks", get_webhooks),
    _route("POST", "webhooks", set_webhooks),
    _route("POST", "events/{id}/send", send_event),
    _route("POST", "reset", reset),
)
