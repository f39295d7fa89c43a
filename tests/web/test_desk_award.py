"""The page of one award: how it stands, and its whole story."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from badges_plugin.distribution import registry
from badges_plugin.distribution.exceptions import PermanentFailure, TransientFailure
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.distribution.fakes import FakeBackend, Provider
from tests.distribution.worlds import deliver, let_time_pass
from tests.factories import COURSE, make_template, make_user, requires_course, send_passing
from tests.web.pages_world import OTHER_COURSE, as_user, award_of, words

pytestmark = pytest.mark.django_db
MAY_SEE = ("view_badgeaward", "view_badgeprogress")


@pytest.fixture
def client(site: Any) -> Client:
    return as_user(make_user(username="registrar", is_staff=True, is_superuser=True, full_name="J. Okafor"))


@pytest.fixture
def provider() -> Iterator[Provider]:
    backend = FakeBackend()
    registry.register(backend)
    yield backend.provider
    registry.unregister(backend.slug)


@pytest.fixture
def badge(site: Any, provider: Provider) -> BadgeTemplate:
    """A badge at a provider that asks for two courses."""
    template = make_template(site=site, name="Logic and Proof", origin="fake")
    requires_course(template)
    requires_course(template, OTHER_COURSE)
    return template


def earn(user: Any, badge: BadgeTemplate) -> BadgeAward:
    send_passing(user, minute=1)
    send_passing(user, OTHER_COURSE, minute=2)
    return award_of(user, badge)


def story(client: Client, award: BadgeAward) -> str:
    return words(client.get(reverse("badges_web:desk_award", args=[award.pk])))


def test_a_story_is_told_from_the_events_to_the_provider(
    client: Client, ada: Any, badge: BadgeTemplate, provider: Provider
) -> None:
    award = earn(ada, badge)
    page = story(client, award)
    assert "Ada Lovelace · Logic and Proof Held since Jan. 1, 2026 Does not expire" in page
    assert "Waiting to be sent to Fake" in page

    provider.before = [TransientFailure("no answer", ambiguous=True), PermanentFailure("the address is refused")]
    deliver()
    let_time_pass()
    deliver()
    page = story(client, award)
    told = [
        f"Passed {COURSE} 1 of 2.",
        f"Passed {OTHER_COURSE} 2 of 2.",
        f"Awarded The badge asks for this: Pass {COURSE}; Pass {OTHER_COURSE}. First award of this badge",
        "Fake could not be reached or did not take it. It is tried again by itself. no answer",
        "Fake was asked first whether it had arrived. Fake refused it. It is not tried again by itself. the address is",
    ]
    places = [page.index(each) for each in told]
    assert places == sorted(places)
    assert "Not at Fake: needs you. the address is refused" in page
    assert award.events[0]["id"] in page
