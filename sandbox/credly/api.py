"""Routes of the web service API.

https://www.credly.com/docs/web_service_api

Left out, because no source confirms their form: OAuth tokens, batch issue, a single badge by id.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.credly import badges, listing, shapes
from sandbox.credly.records import Badge, Json
from sandbox.credly.refusals import Refused
from sandbox.credly.wire import Reply, Request, json_reply
from sandbox.credly.world import World

PREFIX = "/v1/"


@dataclass
class Outcome:
    reply: Reply
    applied: bool = False
    #: For the journal, see Entry.subject.
    subject: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """A request with a known route and a valid key. The caller holds the world's lock."""

    world: World
    request: Request
    parameters: dict[str, str]
    page_size: int

    @property
    def organization_id(self) -> str:
        return self.parameters["organization"]

    @property
    def url(self) -> str:
        return self.world.base_url + self.request.path


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    operation: str
    handler: Callable[[Call], Outcome]


@dataclass(frozen=True)
class Match:
    operation: str
    parameters: dict[str, str]
    handler: Callable[[Call], Outcome] | None
    #: The path is known, the method is not.
    wrong_method: bool = False

    @property
    def organization_id(self) -> str | None:
        return self.parameters.get("organization")


def match(request: Request) -> Match:
    """Return the operation that the request asks for. A handler of None answers 404 or 405."""
    path = request.path.rstrip("/")
    known_path = False
    for route in ROUTES:
        found = route.pattern.fullmatch(path)
        if found and route.method == request.method:
            return Match(route.operation, found.groupdict(), route.handler)
        known_path = known_path or found is not None
    return Match("", {}, None, wrong_method=known_path)


def perform(world: World, request: Request, matched: Match, *, page_size: int) -> Outcome:
    """Carry out the request. Raises Refused."""
    _authorize(world, request, matched.organization_id)
    if matched.handler is None:
        raise Refused(405, "Method not allowed") if matched.wrong_method else Refused(404, "Not found")
    return matched.handler(Call(world, request, matched.parameters, page_size))


def _authorize(world: World, request: Request, organization_id: str | None) -> None:
    token = request.token
    if token is None or not any(organization.accepts(token) for organization in world.organizations.values()):
        raise Refused(401, "Invalid authorization token")
    # Assumption: another customer's organization is 403; an unknown one is 404.
    if organization_id is not None and not world.organization(organization_id).accepts(token):
        raise Refused(403, "You do not have access to this organization")


def list_organizations(call: Call) -> Outcome:
    token = call.request.token or ""
    mine = [organization for organization in call.world.organizations.values() if organization.accepts(token)]
    body = listing.page(mine, call.request.query, call.url, shapes.organization, size=call.page_size)
    return Outcome(json_reply(body))


def get_organization(call: Call) -> Outcome:
    return Outcome(_data(shapes.organization(call.world.organization(call.organization_id))))


def list_templates(call: Call) -> Outcome:
    records = listing.select(
        call.world.templates_of(call.organization_id),
        call.request.query,
        listing.TEMPLATE_FILTERS,
        default_sort="name",
    )
    body = listing.page(
        records,
        call.request.query,
        call.url,
        call.world.template_reply,
        size=call.page_size,
    )
    return Outcome(json_reply(body))


def get_template(call: Call) -> Outcome:
    template = call.world.template(call.organization_id, call.parameters["template"])
    return Outcome(_data(call.world.template_reply(template)))


def list_badges(call: Call) -> Outcome:
    return _list_badges(call, keep_filter=False)


def search_badges(call: Call) -> Outcome:
    """The bulk search: clients follow its next_page_url as it is, so that one keeps the filter."""
    return _list_badges(call, keep_filter=True)


def issue(call: Call) -> Outcome:
    issued = badges.issue(call.world, call.organization_id, call.request.json_object())
    return _badge_outcome(call, issued.badge, 201, duplicate=issued.is_duplicate)


def revoke(call: Call) -> Outcome:
    body = call.request.json_object(optional=True)
    return _badge_outcome(call, badges.revoke(call.world, call.organization_id, call.parameters["badge"], body), 200)


def replace(call: Call) -> Outcome:
    body = call.request.json_object(optional=True)
    return _badge_outcome(call, badges.replace(call.world, call.organization_id, call.parameters["badge"], body), 201)


def delete(call: Call) -> Outcome:
    badge = badges.delete(call.world, call.organization_id, call.parameters["badge"])
    return Outcome(Reply(204), applied=True, subject=_subject(badge))


def list_events(call: Call) -> Outcome:
    records = listing.select(
        call.world.events_of(call.organization_id)[::-1],
        call.request.query,
        listing.EVENT_FILTERS,
        default_sort="-occurred_at",
    )
    body = listing.page(records, call.request.query, call.url, shapes.event, size=call.page_size)
    return Outcome(json_reply(body))


def get_event(call: Call) -> Outcome:
    event = call.world.events.get(call.parameters["event"])
    if event is None or event.organization_id != call.organization_id:
        raise Refused(404, "Event not found")
    return Outcome(_data(shapes.event(event)))


def _list_badges(call: Call, *, keep_filter: bool) -> Outcome:
    records = listing.select(
        call.world.badges_of(call.organization_id)[::-1],
        call.request.query,
        listing.BADGE_FILTERS,
        default_sort="-created_at",
    )
    body = listing.page(
        records,
        call.request.query,
        call.url,
        call.world.badge_reply,
        size=call.page_size,
        keep_filter=keep_filter,
    )
    return Outcome(json_reply(body))


def _badge_outcome(call: Call, badge: Badge, status: int, *, duplicate: bool = False) -> Outcome:
    reply = _data(call.world.badge_reply(badge), status)
    return Outcome(reply, applied=True, subject={**_subject(badge), "duplicate": duplicate})


def _subject(badge: Badge) -> Json:
    names = ("badge_template_id", "recipient_email", "issuer_earner_id", "state")
    return {"badge_id": badge.id, **{name: getattr(badge, name) for name in names}}


def _data(value: Json, status: int = 200) -> Reply:
    return json_reply({"data": value, "metadata": {}}, status)


def _route(method: str, path: str, handler: Callable[[Call], Outcome]) -> Route:
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
    return Route(method, re.compile(PREFIX + pattern), handler.__name__, handler)


_ORGANIZATION = "organizations/{organization}"
ROUTES = (
    _route("GET", "organizations", list_organizations),
    _route("GET", _ORGANIZATION, get_organization),
    _route("GET", f"{_ORGANIZATION}/badge_templates", list_templates),
    _route("GET", f"{_ORGANIZATION}/badge_templates/{{template}}", get_template),
    _route("GET", f"{_ORGANIZATION}/badges", list_badges),
    _route("GET", f"{_ORGANIZATION}/high_volume_issued_badge_search", search_badges),
    _route("POST", f"{_ORGANIZATION}/badges", issue),
    _route("PUT", f"{_ORGANIZATION}/badges/{{badge}}/revoke", revoke),
    _route("POST", f"{_ORGANIZATION}/badges/{{badge}}/replace", replace),
    _route("DELETE", f"{_ORGANIZATION}/badges/{{badge}}", delete),
    _route("GET", f"{_ORGANIZATION}/events", list_events),
    _route("GET", f"{_ORGANIZATION}/events/{{event}}", get_event),
)
OPERATIONS = tuple(route.operation for route in ROUTES)
