"""The world of the Credly tests: a simulated Credly, spoken to over HTTP, and an organization that is set up for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model

from badges_plugin import api
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.distribution.credly.sync import sync_organization
from sandbox.credly import DEMO_KEY, DEMO_ORGANIZATION_ID, CredlySimulator
from tests.distribution.worlds import settings_of_deliveries
from tests.factories import UserFactory, penalizes_failing, requires_course

User = get_user_model()


def template_id(number: int) -> UUID:
    """The id of one of the simulator's own templates."""
    return UUID(f"5e0a1c00-0000-4000-8000-{number:012d}")


def _ticking() -> Callable[[], datetime]:
    """A clock that never shows the same millisecond twice, so that events have an order."""
    latest = datetime.now(UTC)

    def clock() -> datetime:
        nonlocal latest
        latest = max(datetime.now(UTC), latest + timedelta(milliseconds=1))
        return latest

    return clock


@pytest.fixture
def credly(settings: Any) -> Iterator[CredlySimulator]:
    """Credly, behaving well, and settings that lead to it; deliveries are retried at once."""
    with CredlySimulator(page_size=3, clock=_ticking()) as simulator:
        settings.BADGES_CONFIG = {
            "credly": {"CREDLY_API_BASE_URL": simulator.url},
            "distribution": settings_of_deliveries(),
        }
        yield simulator


@pytest.fixture
def organization(db: None, credly: CredlySimulator) -> CredlyOrganization:
    """The simulator's demo organization, with its key, not synchronized."""
    organization = CredlyOrganization(uuid=UUID(DEMO_ORGANIZATION_ID))
    organization.set_api_key(DEMO_KEY)
    organization.save()
    return organization


@pytest.fixture
def template(organization: CredlyOrganization) -> CredlyBadgeTemplate:
    """A synchronized, active Credly template: passing the course earns the badge, failing it loses it."""
    sync_organization(organization)
    template = CredlyBadgeTemplate.objects.get(uuid=template_id(1))
    penalizes_failing(template, requires_course(template))
    api.activate_template(template)
    return template


@pytest.fixture
def ada(db: None) -> Any:
    """A learner."""
    return UserFactory.create(username="ada", email="ada@example.org", full_name="Ada Lovelace")
