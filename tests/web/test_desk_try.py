"""*Try it*: what an event would do, told in words, and nothing written."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from badges_plugin.models import BadgeAward, BadgeTemplate, Fulfillment
from tests.factories import COURSE, make_user
from tests.web.pages_world import as_user, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(site: Any) -> Client:
    return as_user(make_user(username="registrar", is_staff=True, is_superuser=True))


def attempt(client: Client, **given: Any) -> str:
    response = client.post(reverse("badges_web:desk_try"), {"kind": "pass", "course": COURSE, **given})
    assert response.status_code == 200
    return words(response)


def test_an_event_is_tried_for_a_learner(
    client: Client, ada: Any, statistics: BadgeTemplate, reasoning: BadgeTemplate
) -> None:
    page = attempt(client, learner="ada-of-the-lms")
    assert f"Passed {COURSE} · Ada Lovelace" in page
    assert "Statistics The badge would be awarded" in page
    assert "Reasoning It would count, and more is missing Done then: 1 of 2. Now: 0 of 2." in page
    assert not Fulfillment.objects.exists()
    assert not BadgeAward.objects.exists()
