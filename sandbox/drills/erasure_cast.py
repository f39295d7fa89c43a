"""The people of the drill *erased*: they earn badges of both providers, and half of them are retired. Needs Django."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.db import models, transaction
from openedx_events.learning.data import UserData, UserPersonalData
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

from badges_plugin import api
from badges_plugin.consumers import storing
from badges_plugin.consumers.message import DecodedEvent
from badges_plugin.consumers.redis_messages import message_from
from badges_plugin.consumers.redis_stream import Entry
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleBadge, AccredibleGroup
from badges_plugin.distribution.accredible.sync import sync_groups
from badges_plugin.distribution.credly.models import CredlyBadge as CredlyBadgeRow
from badges_plugin.distribution.models import Delivery
from badges_plugin.exceptions import IgnoredEvent
from badges_plugin.host import User, UserCredential
from sandbox.accredible import DEMO_KEY
from sandbox.accredible.simulator import AccredibleSimulator
from sandbox.drills.badges import PASSING, CredlyBadge, earn_by_course, next_metadata, passing
from sandbox.drills.erasure_oracle import Arrived, Person
from sandbox.drills.stage import Stage

_FIRST_GROUP = 503
_numbers = itertools.count(1)
_entries = itertools.count(1)


class Theater:
    """Where the points are played, with so many people to be retired at each, and as many who are not."""

    def __init__(self, stage: Stage, accredible: AccredibleSimulator, *, people: int) -> None:
        self.stage, self.accredible, self.people = stage, accredible, people
        config = AccredibleApiConfig(name="Drills")
        config.set_api_key(DEMO_KEY)
        config.save()
        sync_groups(config)
        self._groups = itertools.count(_FIRST_GROUP)

    def cast(self, name: str) -> Cast:
        """Return new people, and a badge at each provider that one course earns."""
        badge = CredlyBadge(self.stage.credly, name)
        group = AccredibleGroup.objects.get(group_id=next(self._groups))
        earn_by_course(group, badge.course)
        return Cast(badge, group, self.people)

    def arrived(self, badge: CredlyBadge) -> Iterator[Arrived]:
        """Return the requests that both providers received."""
        for entry in badge.credly.journal():
            text = f"{entry['target']} {entry['subject']}"
            at = datetime.fromisoformat(entry["time"])
            yield Arrived(at, f"Credly {entry['operation']}", text, entry["method"] != "GET")
        for logged in list(self.accredible.log):
            changes = logged.operation in ("issue", "expire", "delete")
            yield Arrived(logged.time, f"Accredible {logged.operation}", f"{logged.target} {logged.body}", changes)


class Cast:
    """The people at one point."""

    def __init__(self, badge: CredlyBadge, group: AccredibleGroup, people: int) -> None:
        self.badge, self.group = badge, group
        self.leaving = [_person() for _ in range(people)]
        self.staying = [_person() for _ in range(people)]

    @property
    def deliveries(self) -> models.QuerySet[Delivery]:
        """Return the deliveries of those who are, or will be, retired."""
        ids = [person.number for person in self.leaving]
        return Delivery.objects.filter(award__progress__user__lms_user_id__in=ids)

    @property
    def everybodys(self) -> models.QuerySet[Delivery]:
        ids = [person.number for person in [*self.leaving, *self.staying]]
        return Delivery.objects.filter(award__progress__user__lms_user_id__in=ids)

    def pass_(self) -> None:
        """Let everybody pass the course."""
        self.badge.award(map(_data, self._mixed()))

    def fail(self) -> None:
        """Regrade everybody, so that they fail."""
        self.badge.revoke(map(_data, self._mixed()))

    def meet_a_bug(self) -> None:
        """Store failed events about each person: one that is readable, and one that is not."""
        for person in self.leaving:
            _fail_about(_data(person), self.badge.course)

    def retire(self) -> None:
        """Retire them by queries that send no signal, as the host does; half of them as newer hosts do."""
        users = User.objects.filter(lms_user_id__in=[person.number for person in self.leaving])
        known = {user.lms_user_id: user for user in users}
        for person in self.leaving:
            user = known[person.number]
            credentials = UserCredential.objects.filter(username=person.username)
            person.earner_ids = frozenset(map(str, credentials.values_list("uuid", flat=True)))
            person.badge_ids = frozenset(_ids_at_providers(user))
            with transaction.atomic():
                emptied = {"full_name": "", "first_name": "", "last_name": ""} if person.number % 2 else {}
                User.objects.filter(username=person.username).update(username=_retired(person), **emptied)
                credentials.update(username=_retired(person))
            person.retired_at = datetime.now(UTC)

    def rescore(self) -> Iterator[str]:
        """Send events about them again, with their old and their new data. Yield those that were not ignored."""
        for person in self.leaving:
            gone = UserPersonalData(username=_retired(person), email=f"{_retired(person)}@retired.invalid", name="")
            for user in (_data(person), UserData(id=person.number, is_active=False, pii=gone)):
                for is_passing in (True, False, True):
                    data = passing(user, self.badge.course, is_passing=is_passing)
                    try:
                        outcome = api.handle_event(PASSING, next_metadata(), {"course_passing_status": data})
                    except IgnoredEvent:
                        continue
                    yield f"an event about {person.username} was {outcome.value}"
            _fail_about(_data(person), self.badge.course)

    def _mixed(self) -> Iterable[Person]:
        """Return people who leave and people who stay, alternating."""
        return itertools.chain.from_iterable(zip(self.leaving, self.staying, strict=True))


def all_rows() -> Iterator[tuple[str, str]]:
    """Yield every row of all our tables: the table's name, and all values as text."""
    for config in apps.get_app_configs():
        if not config.name.startswith("badges_plugin"):
            continue
        for model in config.get_models():
            for row in model._base_manager.values():  # noqa: SLF001 - Django's documented name
                yield model._meta.label, " | ".join(map(_text, row.values()))


def _text(value: Any) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)


def _person() -> Person:
    number = next(_numbers)
    name = f"zenobia-{number:04}"
    return Person(800_000 + number, name, f"{name}@example.org", f"Zenobia Quill-{number:04}")


def _data(person: Person) -> UserData:
    pii = UserPersonalData(username=person.username, email=person.email, name=person.name)
    return UserData(id=person.number, is_active=True, pii=pii)


def _retired(person: Person) -> str:
    return f"retired__user_{person.number:x}"


def _ids_at_providers(user: User) -> Iterator[str]:
    mine = {"username": user.get_username()}
    for badge_id in CredlyBadgeRow.objects.filter(**mine).exclude(external_id=None).values_list("external_id"):
        yield str(badge_id[0])
    for external_id in AccredibleBadge.objects.filter(**mine).exclude(external_id="").values_list("external_id"):
        yield f"/credentials/{external_id[0]}"


def _fail_about(user: UserData, course: str) -> None:
    data = {"course_passing_status": passing(user, course, is_passing=True)}
    metadata = next_metadata()
    readable = Entry(f"{next(_entries)}-0".encode(), {b"event_data": user.pii.email.encode()})
    error = ValueError(f"{user.pii.name} <{user.pii.email}>")
    decoded = DecodedEvent(COURSE_PASSING_STATUS_UPDATED, metadata, data)
    storing.store(message_from(readable, "drills", "drills"), decoded, error)
