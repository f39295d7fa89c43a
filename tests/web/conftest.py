"""The world of the pages: a site that signs its badges, two of them, and learners."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.sites.models import Site
from django.core.cache import cache

from badges_plugin.distribution.open_badges.backend import OpenBadgesBackend
from badges_plugin.models import BadgeTemplate
from tests.distribution.worlds import settings_of_deliveries
from tests.factories import make_template, make_user, penalizes_failing, requires_course
from tests.web.pages_world import HOST, OTHER_COURSE


@pytest.fixture
def site(db: None, settings: Any, signs_badges: OpenBadgesBackend) -> Site:
    """The site of requests that name no other, with a domain of its own. Nobody has asked for anything yet."""
    settings.BADGES_CONFIG = {
        "distribution": settings_of_deliveries(),
        "pages": {"support_email": "badges@example.org"},
    }
    settings.ALLOWED_HOSTS = ["*"]
    cache.clear()
    Site.objects.clear_cache()
    Site.objects.filter(pk=settings.SITE_ID).update(domain=HOST, name="Example University")
    site = Site.objects.get(pk=settings.SITE_ID)
    label = "core"  # not a literal: in a real checkout the model is the service's own
    apps.get_model(label, "SiteConfiguration").objects.update_or_create(
        site=site,
        defaults={"platform_name": site.name, "theme_name": "none", "lms_url_root": "https://lms.example.org"},
    )
    return site


@pytest.fixture
def statistics(site: Site) -> BadgeTemplate:
    """A badge of the site: passing the course earns it, failing it loses it."""
    template = make_template(site=site, name="Statistics", description="Can test a claim.", icon="")
    penalizes_failing(template, requires_course(template))
    return template


@pytest.fixture
def reasoning(site: Site) -> BadgeTemplate:
    """A badge that asks for two courses, of which the first is that of ``statistics``."""
    template = make_template(site=site, name="Reasoning", description="Can argue.", icon="")
    requires_course(template)
    requires_course(template, OTHER_COURSE)
    return template


@pytest.fixture
def ada(db: None) -> Any:
    return make_user(username="ada-of-the-lms", email="ada@example.org", full_name="Ada Lovelace")
