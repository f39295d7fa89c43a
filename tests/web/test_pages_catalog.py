"""*Badges you can earn*, and the page of one of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sites.models import Site
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.web.pages import catalog
from tests.factories import make_template, make_user, requires_course, send_passing
from tests.limits import Lower
from tests.web.pages_world import NOBODY, OTHER_COURSE, as_user, earn, words

CATALOG = "/badges/catalogue/"


def listed(user: Any = None, **query: Any) -> list[str]:
    """Return the names of the badges on a page of the catalog."""
    response = as_user(user).get(CATALOG, query)
    assert response.status_code == 200
    parts = response.content.decode().split("<h2><a ")[1:]
    return [part.partition("<bdi>")[2].partition("</bdi>")[0] for part in parts]


def test_says_what_each_badge_asks_for(statistics: BadgeTemplate, reasoning: BadgeTemplate) -> None:
    response = as_user(None).get(CATALOG)
    text = words(response)
    assert "Reasoning Pass course-v1:Demo+Badges+1 Pass " + OTHER_COURSE in text
    assert "Statistics Pass course-v1:Demo+Badges+1 Lost when the grade" in text
    assert "Not yet yours" not in text
    assert "Sign in" in text
    page = words(as_user(None).get(f"{CATALOG}{reasoning.uuid}/"))
    assert (
        f"Reasoning What it stands for Can argue. What it asks for Pass course-v1:Demo+Badges+1 Pass {OTHER_COURSE}"
        in page
    )


def test_says_how_far_i_am(ada: Any, statistics: BadgeTemplate, reasoning: BadgeTemplate) -> None:
    make_template(site=statistics.site, name="Far away", icon="")
    earn(ada, statistics)
    text = words(as_user(ada).get(CATALOG))
    assert "You have it" in text
    assert "On the way: 1 of 2" in text
    assert (listed(ada), listed(ada, show="open"), listed(ada, show="way")) == (
        ["Far away", "Reasoning", "Statistics"],
        ["Far away", "Reasoning"],
        ["Reasoning"],
    )
    twin = make_user(lms_user_id=ada.lms_user_id)
    assert listed(twin, show="open") == ["Far away", "Reasoning"]
    assert listed(None, show="way") == ["Far away", "Reasoning", "Statistics"], "nobody is on the way to anything"
    BadgeAward.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert "Yours has expired" in words(as_user(ada).get(CATALOG))
    BadgeAward.objects.update(expires_at=None)
    send_passing(ada, minute=2, is_passing=False)
    assert "Yours was revoked" in words(as_user(ada).get(f"{CATALOG}{statistics.uuid}/"))


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("STAT", ["Statistics"]),
        ("test claim", ["Statistics"]),
        ("claim argue", []),
        ("can", ["Reasoning", "Statistics"]),
        ("%", []),
        ("\x00", ["Reasoning", "Statistics"]),
        ("x" * 5000, []),
    ],
)
def test_finds_by_words(statistics: BadgeTemplate, reasoning: BadgeTemplate, sought: str, found: list[str]) -> None:
    assert listed(q=sought) == found
    if not found:
        assert "No badge matches" in words(as_user(None).get(CATALOG, {"q": sought}))


def test_shows_what_can_be_earned_here(statistics: BadgeTemplate, reasoning: BadgeTemplate) -> None:
    BadgeTemplate.objects.filter(pk=reasoning.pk).update(is_active=False)
    elsewhere, nowhere = (Site.objects.create(domain=f"{name}.example", name=name) for name in ("tenant", "leftover"))
    label = "core"  # not a literal: in a real checkout the model is the service's own
    configuration = apps.get_model(label, "SiteConfiguration")
    configuration.objects.update_or_create(site=elsewhere, defaults={"lms_url_root": "https://x.example"})
    hidden = make_template(site=elsewhere, name="Of another tenant", icon="")
    make_template(site=nowhere, name="Of a site that nobody is served by", icon="")
    assert listed() == ["Of a site that nobody is served by", "Statistics"]
    for uuid in (reasoning.uuid, hidden.uuid, NOBODY):
        assert as_user(None).get(f"{CATALOG}{uuid}/").status_code == 404


def test_is_paged_at_the_same_cost(ada: Any, statistics: BadgeTemplate, reasoning: BadgeTemplate, lower: Lower) -> None:
    lower(catalog, PER_PAGE=3)
    earn(ada, statistics)
    client = as_user(ada)
    client.get(CATALOG)
    with CaptureQueriesContext(connection) as few:
        client.get(CATALOG)
    for number in range(4):
        requires_course(make_template(site=statistics.site, name=f"Badge {number}", icon=""))
    send_passing(ada, minute=3, course=OTHER_COURSE)
    with CaptureQueriesContext(connection) as many:
        text = words(client.get(CATALOG))
    assert "Page 1 of 2" in text
    assert len(many) <= len(few) <= 26
    assert listed(ada, page=2) == ["Badge 3", "Reasoning", "Statistics"]


def test_no_badges_yet(site: Any) -> None:
    assert "There are no badges yet" in words(as_user(None).get(CATALOG))
