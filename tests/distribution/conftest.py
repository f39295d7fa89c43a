"""The world of the delivery tests: a fake provider, a learner, and a template that goes to that provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from badges_plugin.distribution import registry
from badges_plugin.models import BadgeTemplate
from tests.distribution.fakes import FakeBackend, Provider
from tests.distribution.worlds import settings_of_deliveries
from tests.factories import TemplateFactory, UserFactory, penalizes_failing, requires_course


@pytest.fixture(autouse=True)
def impatience(settings: Any) -> None:
    """No test waits for a retry."""
    settings.BADGES_CONFIG = {"distribution": settings_of_deliveries()}


@pytest.fixture
def backend() -> Iterator[FakeBackend]:
    """The fake backend, registered."""
    backend = FakeBackend()
    registry.register(backend)
    yield backend
    registry.unregister(backend.slug)


@pytest.fixture
def provider(backend: FakeBackend) -> Provider:
    """What is behind the fake backend."""
    return backend.provider


@pytest.fixture
def template(db: None, backend: FakeBackend) -> BadgeTemplate:
    """A template of the fake backend: passing the course earns the badge, failing it loses it."""
    template = TemplateFactory.create(origin="fake")
    penalizes_failing(template, requires_course(template))
    return template


@pytest.fixture
def ada(db: None) -> Any:
    """A learner."""
    return UserFactory.create(username="ada", full_name="Ada Lovelace")
