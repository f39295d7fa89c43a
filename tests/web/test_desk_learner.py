"""The page of a learner, and how staff find one."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from badges_plugin.models import BadgeTemplate
from tests.factories import (
    COURSE,
    make_user,
    send_passing,
)  # fmt: skip
from tests.web.pages_world import OTHER_COURSE, as_user, words

pytestmark = pytest.mark.django_db
PERMISSIONS = ("view_badgeprogress", "view_badgeaward")


@pytest.fixture
def client(site: Any) -> Client:
    return as_user(make_user(username="registrar", is_staff=True, is_superuser=True))


def learner_page(client: Client, user: Any, query: str = "") -> str:
    return words(client.get(reverse("badges_web:desk_learner", args=[user.pk]) + query))


def test_a_page_says_how_each_badge_stands_and_why(
    client: Client, ada: Any, statistics: BadgeTemplate, reasoning: BadgeTemplate
) -> None:
    page = learner_page(client, ada)
    assert "Nothing that a badge asks for has come for this learner so far." in page

    send_passing(ada, minute=1)
    page = learner_page(client, ada)
    assert page.index("On the way Reasoning") < page.index("Held Statistics")
    assert "Statistics Held since Jan. 1, 2026" in page
    assert "Reasoning Nearly there, lacks one: 1 of 2" in page
    assert f"Missing: Pass {OTHER_COURSE}. Nothing that counts has come for it." in page
    assert f"Passed {COURSE}. Counts." in page

    send_passing(ada, is_passing=False, minute=2)
    page = learner_page(client, ada)
    assert "Statistics Revoked, can be earned again" in page
    assert f"Revoked on Jan. 1, 2026: “The grade in the course {COURSE} dropped below passing”." in page
    assert f"Failed {COURSE}. Does not count until it is done again." in page
