"""The world of the Accredible tests: a simulated Accredible, spoken to over HTTP, and a configuration set up for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from badges_plugin import api
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleGroup
from badges_plugin.distribution.accredible.sync import sync_groups
from sandbox.accredible import DEMO_KEY, AccredibleSimulator
from tests.distribution.worlds import settings_of_deliveries
from tests.factories import UserFactory, penalizes_failing, requires_course

GROUP = 501


@pytest.fixture
def accredible(settings: Any) -> Iterator[AccredibleSimulator]:
    """Accredible, behaving well, and settings that lead to it; deliveries are retried at once."""
    # Few groups, of which not all fit on a page: nearly every test writes all of them.
    with AccredibleSimulator(groups=5, max_page=3) as simulator:
        settings.BADGES_CONFIG = {
            "accredible": {"ACCREDIBLE_API_BASE_URL": simulator.url, "REQUESTS_PER_MINUTE": 0},
            "distribution": settings_of_deliveries(),
        }
        yield simulator


@pytest.fixture
def api_config(db: None, accredible: AccredibleSimulator) -> AccredibleApiConfig:
    """A configuration with the simulator's demo key, not synchronized."""
    api_config = AccredibleApiConfig(name="Demo")
    api_config.set_api_key(DEMO_KEY)
    api_config.save()
    return api_config


@pytest.fixture
def group(api_config: AccredibleApiConfig) -> AccredibleGroup:
    """A synchronized, active group: passing the course earns the badge, failing it loses it."""
    sync_groups(api_config)
    group = AccredibleGroup.objects.get(group_id=GROUP)
    penalizes_failing(group, requires_course(group))
    api.activate_template(group)
    return group


@pytest.fixture
def ada(db: None) -> Any:
    """A learner."""
    return UserFactory.create(username="ada", email="ada@example.org", full_name="Ada Lovelace")
