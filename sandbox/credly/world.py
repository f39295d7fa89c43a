"""The state of the simulated service, under one lock, and the changes that its own staff can make.

Rules about issued badges live in ``badges.py``. Whoever changes something holds ``world.lock`` for the whole change.
"""

import datetime as dt
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

from sandbox.credly import shapes
from sandbox.credly.records import Badge, Event, Json, Organization, Template, timestamp
from sandbox.credly.refusals import Refused
from sandbox.credly.state_file import StateFile

Clock = Callable[[], dt.datetime]
NewId = Callable[[], uuid.UUID]


def system_clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class World:
    def __init__(
        self, *, clock: Clock = system_clock, new_id: NewId = uuid.uuid4, state: StateFile | None = None
    ) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self._new_id = new_id
        self._state = state
        #: Scheme and authority of links in answers; the server sets it when it knows its port.
        self.base_url = "http://127.0.0.1"
        self.listeners: list[Callable[[Event], None]] = []
        self._forget()

    def _forget(self) -> None:
        self.organizations: dict[str, Organization] = {}
        self.templates: dict[str, Template] = {}
        self.badges: dict[str, Badge] = {}
        self.events: dict[str, Event] = {}
        self._by_earner: dict[tuple[str, str], dict[str, Badge]] = defaultdict(dict)

    # State file

    def remember(self, kind: str, record: Any) -> None:
        """Append ``record`` (a dataclass of flat JSON fields, or a dict) to the state file, if there is one."""
        if self._state is not None:
            self._state.append(kind, record if isinstance(record, dict) else dict(vars(record)))

    def restore(self, kind: str, record: Json) -> None:
        """Load one line of a state file. Unknown kinds belong to other parts of the simulator."""
        match kind:
            case "organization":
                self.organizations[record["id"]] = Organization(**record)
            case "template":
                self.templates[record["id"]] = Template(**record)
            case "badge":
                self._index(Badge(**record))
            case "event":
                self.events[record["id"]] = Event(**record)

    def reset(self) -> None:
        with self.lock:
            self._forget()
            if self._state is not None:
                self._state.clear()

    # Clock and ids

    def new_id(self) -> str:
        return str(self._new_id())

    def now(self) -> str:
        return timestamp(self.clock())

    # Organizations

    def add_organization(self, organization: Organization) -> None:
        with self.lock:
            self.organizations[organization.id] = organization
            self.remember("organization", organization)

    def organization(self, organization_id: str) -> Organization:
        try:
            return self.organizations[organization_id]
        except KeyError:
            raise Refused(404, "Organization not found") from None

    def update_organization(self, organization_id: str, changes: Json) -> Organization:
        with self.lock:
            organization = self.organization(organization_id)
            _assign(organization, changes)
            self.remember("organization", organization)
            return organization

    def rotate_key(self, organization_id: str, key: str | None = None) -> str:
        """Replace all keys of the organization by one. The old ones are rejected from now on."""
        new_key = key or self.new_id().replace("-", "")
        self.update_organization(organization_id, {"keys": [new_key], "keys_rejected": False})
        return new_key

    # Templates

    def template(self, organization_id: str, template_id: str) -> Template:
        template = self.templates.get(template_id)
        if template is None or template.deleted or template.organization_id != organization_id:
            raise Refused(404, "Badge template not found")
        return template

    def templates_of(self, organization_id: str) -> list[Template]:
        return [t for t in self.templates.values() if t.organization_id == organization_id and not t.deleted]

    def add_template(self, organization_id: str, values: Json, *, with_event: bool = True) -> Template:
        """``values``: fields of Template without the organization; ``id`` is optional."""
        with self.lock:
            self.organization(organization_id)
            template = Template(id=values.get("id") or self.new_id(), organization_id=organization_id, name="")
            _assign(template, {name: value for name, value in values.items() if name != "id"})
            template.created_at = template.updated_at = template.state_updated_at = self.now()
            self.templates[template.id] = template
            self.remember("template", template)
            if with_event:
                self._add_template_event("badge_template.created", template)
            return template

    def change_template(self, template_id: str, changes: Json) -> Template:
        with self.lock:
            template = self._any_template(template_id)
            old_state = template.state
            _assign(template, changes)
            template.updated_at = self.now()
            if template.state != old_state:
                template.state_updated_at = template.updated_at
            self.remember("template", template)
            self._add_template_event("badge_template.changed", template)
            return template

    def delete_template(self, template_id: str) -> Template:
        with self.lock:
            template = self._any_template(template_id)
            template.deleted = True
            self.remember("template", template)
            self._add_template_event("badge_template.deleted", template)
            return template

    def _any_template(self, template_id: str) -> Template:
        template = self.templates.get(template_id)
        if template is None or template.deleted:
            raise Refused(404, "Badge template not found")
        return template

    def _add_template_event(self, event_type: str, template: Template) -> None:
        self.add_event(event_type, template.organization_id, "badge_template", self.template_reply(template))

    def template_reply(self, template: Template) -> Json:
        """Return the template as the service sends it."""
        badges_count = sum(1 for badge in self.badges.values() if badge.badge_template_id == template.id)
        return shapes.template(template, self.organizations[template.organization_id], badges_count=badges_count)

    # Badges, without rules

    def put_badge(self, badge: Badge) -> None:
        self._index(badge)
        self.remember("badge", badge)

    def badge_reply(self, badge: Badge) -> Json:
        """Return the badge as the service sends it."""
        organization = self.organizations[badge.organization_id]
        return shapes.badge(badge, self.templates[badge.badge_template_id], organization, base_url=self.base_url)

    def badges_of(self, organization_id: str) -> list[Badge]:
        return [b for b in self.badges.values() if b.organization_id == organization_id and not b.deleted]

    def live_badges(self, template_id: str, email: str, earner_id: str | None) -> list[Badge]:
        """Live badges of this template whose e-mail address or earner id is the same."""
        found: dict[str, Badge] = {}
        for identity in _identities(email, earner_id):
            found.update(self._by_earner.get((template_id, identity), {}))
        return [badge for badge in found.values() if badge.is_live]

    def _index(self, badge: Badge) -> None:
        self.badges[badge.id] = badge
        for identity in _identities(badge.recipient_email, badge.issuer_earner_id):
            self._by_earner[badge.badge_template_id, identity][badge.id] = badge

    # Events

    def add_event(self, event_type: str, organization_id: str, subject_type: str, subject: Json) -> Event:
        event = Event(self.new_id(), organization_id, event_type, self.now(), subject_type, subject)
        self.events[event.id] = event
        self.remember("event", event)
        for listener in self.listeners:
            listener(event)
        return event

    def events_of(self, organization_id: str) -> list[Event]:
        return [event for event in self.events.values() if event.organization_id == organization_id]


def _identities(email: str, earner_id: str | None) -> Iterator[str]:
    yield f"email {email.casefold()}"
    if earner_id:
        yield f"earner {earner_id}"


def _assign(record: Organization | Template, changes: Json) -> None:
    known = {field.name for field in fields(record)} - {"id", "organization_id", "deleted"}
    unknown = set(changes) - known
    if unknown:
        raise Refused(422, f"Unknown attributes: {', '.join(sorted(unknown))}")
    for name, value in changes.items():
        setattr(record, name, value)
