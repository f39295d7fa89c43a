"""Records of the simulated Accredible: accounts, groups, credentials."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from typing import Literal

from sandbox.credly.records import Json

DEMO_KEY = "demo-accredible-key"
OTHER_KEY = "other-accredible-key"


@dataclass
class Group:
    id: int
    account: str
    name: str
    course_name: str
    course_description: str = ""
    #: Whether an e-mail address may have several credentials, one live credential, or one ever.
    duplicates: Literal["any", "one alive", "one ever"] = "one alive"


@dataclass
class Credential:
    id: int
    group_id: int
    license_id: str
    recipient: dict[str, str]
    name: str
    issued_on: date
    expired_on: date | None
    approve: bool
    updated_at: datetime

    @property
    def is_alive(self) -> bool:
        return self.expired_on is None or self.expired_on > datetime.now(UTC).date()

    def shown(self) -> Json:
        return {
            "id": self.id,
            "license_id": self.license_id or None,
            "url": f"https://www.credential.net/{self.id}",
            "name": self.name,
            "approve": self.approve,
            "issued_on": self.issued_on.isoformat(),
            "expired_on": self.expired_on.isoformat() if self.expired_on else None,
            "group_id": self.group_id,
            "recipient": dict(self.recipient),
            "updated_at": self.updated_at.isoformat(),
        }


@dataclass
class World:
    """Accounts by key, their groups, and all credentials. Whoever changes it holds the lock."""

    #: Key -> account. An account may have several keys, or none that still works.
    keys: dict[str, str] = field(default_factory=lambda: {DEMO_KEY: "demo", OTHER_KEY: "other"})
    groups: dict[int, Group] = field(default_factory=dict)
    credentials: dict[int, Credential] = field(default_factory=dict)
    #: Without credits, credentials are created but not published.
    credits: int = 1_000_000
    #: No page of a list holds more.
    max_page: int = 100
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: Iterator[int] = field(default_factory=lambda: count(10_001))

    #: Numbers of credentials by the issuer's id and by e-mail address, both as they were issued.
    _numbers_of: dict[str, list[int]] = field(default_factory=dict)

    def add(self, credential: Credential) -> None:
        self.credentials[credential.id] = credential
        for name in {credential.license_id, credential.recipient["email"].casefold()}:
            self._numbers_of.setdefault(name, []).append(credential.id)

    def at(self, email: str) -> Iterator[Credential]:
        """Yield the credentials that were issued to an e-mail address."""
        return self._known_as(email.casefold())

    def _known_as(self, name: str) -> Iterator[Credential]:
        return (self.credentials[number] for number in self._numbers_of.get(name, ()) if number in self.credentials)

    def add_group(self, id_: int, account: str, name: str, course_name: str = "") -> Group:
        group = self.groups[id_] = Group(id_, account, name, course_name, f"What {name} is for.")
        return group

    def of_account(self, account: str) -> list[Credential]:
        mine = {group.id for group in self.groups.values() if group.account == account}
        return [credential for credential in self.credentials.values() if credential.group_id in mine]

    def by_any_id(self, account: str, identity: str) -> Credential | None:
        """Return the credential with this number, or with this id of the issuer."""
        number = int(identity) if identity.isascii() and identity.isdigit() else 0
        fitting = [self.credentials[number]] if number in self.credentials else self._known_as(identity)
        return next((each for each in fitting if self.groups[each.group_id].account == account), None)


def planted(groups: int = 59) -> World:
    """Return two accounts, the first one with so many groups: by default more than one page of fifty."""
    world = World()
    world.add_group(501, "demo", "ds-explorer-2026", "Data Science Explorer")
    world.add_group(502, "demo", "Mentor")
    for number in range(503, 501 + groups):
        world.add_group(number, "demo", f"series-{number}", f"Course {number}")
    world.add_group(901, "other", "metiers", "Académie des Métiers")
    return world
