"""*My badges*: every state of a badge, whose badges they are, and what the page costs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from badges_plugin import api
from badges_plugin.distribution.credly.data import BadgeState
from badges_plugin.distribution.credly.models import CredlyBadge, CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.distribution.open_badges.models import SignedBadge
from badges_plugin.host import UserCredential
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate
from badges_plugin.web.models import NameShown
from tests.factories import at, make_template, make_user, requires_course, send_passing
from tests.web.pages_world import OTHER_COURSE, as_user, award_of, earn, publish, words

MINE = "/badges/mine/"


def shown_to(user: Any, query: str = "") -> str:
    response = as_user(user).get(f"{MINE}{query}")
    assert response.status_code == 200
    return words(response)


def test_asks_to_sign_in(site: Any, settings: Any) -> None:
    response = as_user(None).get(MINE)
    assert (response.status_code, response["Location"]) == (302, f"{settings.LOGIN_URL}?next={MINE}")
    assert "default-src 'none'" in response["Content-Security-Policy"]


def test_the_first_visit(site: Any, ada: Any) -> None:
    text = shown_to(ada)
    assert "Your first badge goes here" in text
    assert "If it is not here tomorrow, name the course in an e-mail to badges@example.org." in text


def signed(ada: Any, template: BadgeTemplate) -> None:
    earn(ada, template)


def public(ada: Any, template: BadgeTemplate) -> None:
    publish(earn(ada, template))


def public_without_name(ada: Any, template: BadgeTemplate) -> None:
    publish(earn(ada, template), name_shown=NameShown.NONE)


def not_signed_yet(ada: Any, template: BadgeTemplate) -> None:
    send_passing(ada, minute=1)


def revoked(ada: Any, template: BadgeTemplate) -> None:
    earn(ada, template)
    send_passing(ada, minute=2, is_passing=False)


def revoked_by_hand(ada: Any, template: BadgeTemplate) -> None:
    earn(ada, template)
    api.revoke_award(award_of(ada, template), reason="Copied the exam.")


def revoked_for_good(ada: Any, template: BadgeTemplate) -> None:
    BadgeTemplate.objects.filter(pk=template.pk).update(can_be_reawarded=False)
    revoked(ada, template)


def expired(ada: Any, template: BadgeTemplate) -> None:
    earn(ada, template)
    BadgeAward.objects.update(expires_at=timezone.now() - timedelta(days=1))


@pytest.mark.parametrize(
    ("happened", "reads", "reads_not"),
    [
        (signed, ["1 badge earned", "Signed by", "Only you can see it", "Sharing options"], ["No longer valid"]),
        (public, ["Anyone with the link can see it"], ["Only you can see it ", "without your name"]),
        (public_without_name, ["Anyone with the link can see it, without your name"], []),
        (not_signed_yet, ["Being signed", "There is nothing for you to do."], ["Sharing options", "Public"]),
        (
            revoked,
            [
                "Revoked on January 1, 2026",
                "dropped below passing",
                "you earn it again",
                "What it asks for",
                "write to",
            ],
            ["Sharing options"],
        ),
        (revoked_by_hand, ["Copied the exam.", "does not bring it back"], ["you earn it again", "What it asks for"]),
        (revoked_for_good, ["It cannot be earned again."], ["you earn it again", "What it asks for"]),
        (expired, ["Expired on", "you have it again", "What it asks for"], ["Revoked"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_badge_of_the_site(
    ada: Any,
    statistics: BadgeTemplate,
    happened: Callable[[Any, BadgeTemplate], None],
    reads: list[str],
    reads_not: list[str],
) -> None:
    happened(ada, statistics)
    text = shown_to(ada)
    assert [each for each in ["Statistics", *reads] if each not in text] == []
    assert [each for each in reads_not if each in text] == []


@pytest.mark.parametrize(
    ("state", "reads"),
    [
        (BadgeState.CREATED, "On its way to Credly"),
        (BadgeState.PENDING, "Waiting for you at Credly Credly has had it ready for you since January 1, 2026"),
        (BadgeState.ACCEPTED, "At Credly since January 1, 2026"),
        (BadgeState.REJECTED, "You declined it at Credly"),
    ],
)
def test_a_badge_at_a_provider(site: Any, ada: Any, state: str, reads: str) -> None:
    organization = CredlyOrganization.objects.create(uuid="11111111-1111-4111-8111-111111111111", name="Org")
    template = CredlyBadgeTemplate.objects.create(
        site=site, name="Python", organization=organization, state="active", is_active=True, icon="https://x.example/p"
    )
    requires_course(template)
    send_passing(ada, minute=1)
    CredlyBadge.objects.update(
        state=state, state_time=at(2), url="https://credly.example/go", external_id=organization.uuid
    )
    response = as_user(ada).get(MINE)
    text, source = words(response), response.content.decode()
    assert reads in text
    assert ('href="https://credly.example/go"' in source) is (state == BadgeState.PENDING)
    assert ("Accept at Credly: Python" in text) is (state == BadgeState.PENDING)
    # The provider's picture may be loaded, and from nowhere else.
    assert "img-src 'self' https://x.example;" in response["Content-Security-Policy"]
    assert 'src="https://x.example/p"' in source


def test_what_is_on_the_way(ada: Any, reasoning: BadgeTemplate) -> None:
    send_passing(ada, minute=1)
    text = shown_to(ada)
    assert "0 badges earned, 1 on the way." in text
    assert "1 of 2" in text
    assert f"Still missing: Pass {OTHER_COURSE}." in text
    assert "passed on Jan. 1, 2026" in text
    assert f"Not yet: Pass {OTHER_COURSE}" in text
    BadgeTemplate.objects.update(is_active=False)
    assert "Your first badge goes here" in shown_to(ada), "what cannot be earned now leads nowhere"


def test_shows_nobody_elses(ada: Any, statistics: BadgeTemplate) -> None:
    earn(ada, statistics)
    assert "Your first badge goes here" in shown_to(make_user(full_name="Bob"))


def test_shows_what_was_earned_by_another_user_of_the_same_person(ada: Any, statistics: BadgeTemplate) -> None:
    document = earn(ada, statistics)
    renamed = make_user(lms_user_id=ada.lms_user_id)
    assert "1 badge earned" in shown_to(renamed)
    assert as_user(renamed).get(f"/badges/mine/{document.uuid}/").status_code == 200
    for nobody in (0, None):
        type(ada).objects.update(lms_user_id=nobody)
        assert "Your first badge goes here" in shown_to(type(ada).objects.get(pk=renamed.pk))


def copies(user: Any, template: BadgeTemplate, numbers: range) -> None:
    """Give a learner more signed badges, each of a template of its own, like the one that they have."""
    signed_one = SignedBadge.objects.get(award=award_of(user, template))
    copied = {
        field.attname: getattr(signed_one, field.attname)
        for field in SignedBadge._meta.concrete_fields
        if field.name not in {"id", "uuid", "award", "status_index", "url"}
    }
    for number in numbers:
        own = make_template(site=template.site, name=f"Copy {number:03}", icon="")
        progress = BadgeProgress.objects.create(user=user, template=own)
        credential = UserCredential.objects.create(username=user.username, credential=own)
        award = BadgeAward.objects.create(
            progress=progress, number=1, credential=credential, awarded_at=at(9), events=[]
        )
        SignedBadge.objects.create(
            award=award, status_index=100_000 + number, url=f"https://x.example/{number}", **copied
        )


def test_shows_many_a_page_at_a_time_at_the_same_cost(ada: Any, statistics: BadgeTemplate) -> None:
    client = as_user(ada)
    earn(ada, statistics)
    copies(ada, statistics, range(2))
    client.get(MINE)
    with CaptureQueriesContext(connection) as few:
        client.get(MINE)
    copies(ada, statistics, range(2, 21))
    with CaptureQueriesContext(connection) as many:
        text = words(client.get(MINE))
    assert "22 badges earned" in text
    assert "Page 1 of 2 Next" in text
    assert text.count("Only you can see it") == 20
    assert len(many) == len(few) <= 16
    last = words(client.get(f"{MINE}?earned=2"))
    assert "Statistics" in last
    assert "Previous Page 2 of 2" in last
    assert words(client.get(f"{MINE}?earned=0x2")) == text, "nonsense is the first page"


def test_a_badge_that_staff_gave_says_why_and_one_that_was_undone_can_be_earned(
    site: Any, statistics: BadgeTemplate, ada: Any
) -> None:
    merit = make_template(site=site, name="Merit", icon="", is_given_by_staff=True)
    for template in (merit, statistics):
        api.award_by_hand(template, ada, reason="Spring school")
    assert shown_to(ada).count("Awarded by staff: Spring school") == 2
    for award in BadgeAward.objects.all():
        api.undo_award_by_hand(award, reason="Wrong list")
    text = shown_to(ada)
    assert text.count("Wrong list") == 2
    assert text.count("Do what it asks for, and you earn it again.") == 1
    assert text.count("It cannot be earned again.") == 1
