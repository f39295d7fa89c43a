"""The world of the tests of Open Badges: a site that signs, a badge of its own, and a learner."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sites.models import Site

from badges_plugin.distribution.open_badges.backend import OpenBadgesBackend
from badges_plugin.models import BadgeTemplate
from tests.distribution.worlds import settings_of_deliveries
from tests.factories import make_template, make_user, penalizes_failing, requires_course

HOST = "badges.example.org"


@pytest.fixture
def site_that_signs(db: None, settings: Any, signs_badges: OpenBadgesBackend) -> Site:
    """A site with a domain of its own. Nothing waits for a retry."""
    settings.BADGES_CONFIG = {"distribution": settings_of_deliveries()}
    settings.ALLOWED_HOSTS = ["*"]
    return Site.objects.create(domain=HOST, name="Badges of Example")


@pytest.fixture
def template(site_that_signs: Site) -> BadgeTemplate:
    """A badge of the site: passing the course earns it, failing it loses it."""
    template = make_template(site=site_that_signs, name="Pässler ✓", description="For passing.", icon="")
    penalizes_failing(template, requires_course(template))
    return template


@pytest.fixture
def ada(db: None) -> Any:
    return make_user(username="ada", email="ada@example.org", full_name="Ada Lovelace")
