"""The world of the core's tests: listeners that record what the core says, internally and publicly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.dispatch import Signal
from openedx_events.learning.data import BadgeData
from openedx_events.learning.signals import BADGE_AWARDED, BADGE_REVOKED

from badges_plugin.models import BadgeAward
from badges_plugin.signals import badge_awarded, badge_revoked
from tests.core.migrating import to_newest
from tests.migrated import begin_again

Commit = Callable[[], AbstractContextManager[Any]]
"""Inside it, what is to be done after the commit is collected; at its end, it is done."""


@dataclass
class Heard:
    """What was said, in order."""

    awarded: list[BadgeAward] = field(default_factory=list)
    revoked: list[BadgeAward] = field(default_factory=list)
    public: list[tuple[str, BadgeData]] = field(default_factory=list)

    @property
    def announcements(self) -> list[str]:
        return [kind for kind, _ in self.public]


@pytest.fixture
def commit(django_capture_on_commit_callbacks: Any) -> Commit:
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Listen to the internal signals and the public events. The latter come only after a commit."""
    record = Heard()

    def on_awarded(award: BadgeAward, **kwargs: Any) -> None:
        record.awarded.append(award)

    def on_revoked(award: BadgeAward, **kwargs: Any) -> None:
        record.revoked.append(award)

    def on_public_award(badge: BadgeData, **kwargs: Any) -> None:
        record.public.append(("awarded", badge))

    def on_public_revocation(badge: BadgeData, **kwargs: Any) -> None:
        record.public.append(("revoked", badge))

    connections: list[tuple[Signal, Callable[..., None]]] = [
        (badge_awarded, on_awarded),
        (badge_revoked, on_revoked),
        (BADGE_AWARDED, on_public_award),
        (BADGE_REVOKED, on_public_revocation),
    ]
    for signal, receiver in connections:
        signal.connect(receiver)
    yield record
    for signal, receiver in connections:
        signal.disconnect(receiver)


@pytest.fixture(autouse=True)
def _own_defaults(settings: Any) -> None:
    """The host has a BADGES_CONFIG of its own, different from release to release."""
    settings.BADGES_CONFIG = {}


@pytest.fixture
def migrated() -> Iterator[None]:
    """Make all tables again after the test, whatever it dropped."""
    yield
    ContentType.objects.clear_cache()
    if not begin_again(connection):
        to_newest()
