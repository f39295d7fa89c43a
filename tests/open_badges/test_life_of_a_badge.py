"""A badge of the site's own is signed, revoked and earned again; all of it is done by the worker."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from badges_plugin import api as core
from badges_plugin.distribution import registry
from badges_plugin.distribution.claims import claim
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.delivery import carry_out, prepare
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.open_badges.api import Outcome
from badges_plugin.distribution.open_badges.models import (
    AchievementDetails,
    BadgeAlignment,
    IssuerProfile,
    SignedBadge,
)
from badges_plugin.images import picture_of
from badges_plugin.models import BadgeAward, BadgeTemplate, Ending
from tests.distribution.worlds import deliver, let_time_pass
from tests.factories import (
    GRADE,
    PASSING,
    at,
    grade_data,
    make_template,
    make_user,
    metadata,
    passing_data,
    penalizes_failing,
    requires,
    requires_course,
    send_passing,
    user_data,
)
from tests.open_badges.signed import is_listed, outcomes, said, signed


def test_is_signed_revoked_and_earned_again_as_another_badge(template: BadgeTemplate, ada: Any) -> None:
    send_passing(ada, minute=1)
    assert deliver() == {"done": 1}
    [first] = signed()
    assert (outcomes(first), is_listed(first), first.is_revoked) == ({Outcome.VALID}, False, False)

    send_passing(ada, minute=2, is_passing=False)
    deliver(chores=True)
    [revoked] = signed()
    assert (outcomes(revoked), is_listed(revoked), revoked.is_revoked) == ({Outcome.REVOKED}, True, True)
    assert (revoked.uuid, revoked.json_text) == (first.uuid, first.json_text)

    send_passing(ada, minute=3)
    deliver()
    [_, second] = signed()
    assert second.uuid != first.uuid
    assert (outcomes(second), outcomes(first)) == ({Outcome.VALID}, {Outcome.REVOKED})
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}


def test_given_back_it_is_another_badge_even_if_nobody_worked_meanwhile(template: BadgeTemplate, ada: Any) -> None:
    send_passing(ada)
    deliver()
    award = BadgeAward.objects.get()
    core.revoke_award(award, reason="Wrong list")
    core.give_back(award)
    deliver()
    first, second = signed()
    assert (outcomes(first), outcomes(second)) == ({Outcome.REVOKED}, {Outcome.VALID})


def test_what_it_says(template: BadgeTemplate, ada: Any) -> None:
    AchievementDetails.objects.create(template=template, achievement_type="Course", tags="logic,  proofs , logic,")
    BadgeAlignment.objects.create(template=template, name="Logic", url="https://esco.example.org/1", framework="ESCO")
    send_passing(ada, minute=1)
    deliver()
    [document] = signed()
    text, issuer = said(document), IssuerProfile.objects.get()

    assert text["id"] == document.url == f"https://badges.example.org/badges/b/{document.uuid}/"
    assert text["issuer"]["id"] == f"did:web:badges.example.org:badges:open:issuers:{issuer.uuid}"
    assert text["awardedDate"] == "2026-01-01T00:01:00Z"
    achievement = text["credentialSubject"]["achievement"]
    assert (achievement["name"], achievement["description"]) == ("Pässler ✓", "For passing.")
    assert (achievement["achievementType"], achievement["tag"]) == ("Course", ["logic", "proofs"])
    assert achievement["alignment"][0]["targetFramework"] == "ESCO"
    assert achievement["criteria"]["narrative"].startswith("- Pass course-v1:Demo+Badges+1\n")
    image = f"https://badges.example.org/badges/images/{template.uuid}/{picture_of(template).digest}.png"
    assert achievement["image"]["id"] == image
    [evidence] = text["evidence"]
    assert (evidence["name"], evidence["narrative"]) == ("Pass course-v1:Demo+Badges+1", "- passed on Jan. 1, 2026")
    assert not re.search(r"\bada\b", json.dumps({**text, "proof": None}), re.IGNORECASE)


@pytest.mark.parametrize("person", [{"email": ""}, {"full_name": None, "username": "x"}])
def test_needs_neither_a_name_nor_an_address(template: BadgeTemplate, person: dict[str, Any]) -> None:
    send_passing(make_user(**person))
    assert deliver() == {"done": 1}
    [document] = signed()
    assert ("identifier" in said(document)["credentialSubject"]) is (person.get("email") != "")
    assert outcomes(document) == {Outcome.VALID}


def test_keeps_what_it_said_when_the_template_changes(template: BadgeTemplate, ada: Any) -> None:
    send_passing(ada)
    deliver()
    [before] = signed()
    template.name = "Renamed"
    template.save()
    requires_course(template, "course-v1:Demo+Other+1")
    assert signed() == [before]
    assert outcomes(before) == {Outcome.VALID}


def test_a_grade_that_an_event_told(template: BadgeTemplate, ada: Any) -> None:
    graded = make_template(site=template.site)
    requires(graded, ("percent_grade", "gte", "0.5"), event_type=GRADE)
    core.handle_event(GRADE, metadata(GRADE, time=at(1)), {"grade": grade_data(ada.lms_user_id, 0.875)})
    deliver()
    [document] = signed()
    text = said(document)
    assert BadgeAward.objects.get().events[0]["grade"] == "87.5%"
    assert text["credentialSubject"]["result"][0]["value"] == "87.5"
    assert text["evidence"][0]["narrative"].endswith(", grade 87.5%")


def test_expires_by_itself_and_is_not_revoked(template: BadgeTemplate, ada: Any) -> None:
    template.valid_days = (timezone.now() - at(0)).days + 10
    template.save()
    send_passing(ada)
    deliver()
    [document] = signed()
    ends = at(0) + timedelta(days=template.valid_days)
    assert document.expires_at == BadgeAward.objects.get().expires_at == ends
    assert said(document)["validUntil"] == f"{ends:%Y-%m-%dT%H:%M:%SZ}"
    core.end_expired(ends + timedelta(seconds=1))
    deliver()
    assert BadgeAward.objects.get().ended_by == Ending.EXPIRED
    assert list(Delivery.objects.values_list("action", flat=True)) == ["issue"]
    assert not signed()[0].is_revoked


def test_of_a_provider_only_where_its_template_says_so(template: BadgeTemplate, ada: Any) -> None:
    elsewhere = make_template(site=template.site, origin="elsewhere")
    penalizes_failing(elsewhere, requires_course(elsewhere))
    send_passing(ada, minute=1)
    deliver()
    assert len(signed()) == 1
    elsewhere.is_signed_here = True
    elsewhere.save()
    send_passing(make_user(), minute=1)
    deliver()
    assert len(signed()) == 3

    # What is not signed any more is still revoked.
    elsewhere.is_signed_here = False
    elsewhere.save()
    for user in (ada, BadgeAward.objects.order_by("pk").last().user):  # type: ignore[union-attr]
        send_passing(user, minute=2, is_passing=False)
    deliver(chores=True)
    assert [document.is_revoked for document in signed()] == [True] * 3


def test_switched_off_nothing_new_is_signed_and_what_ends_is_revoked(
    template: BadgeTemplate, ada: Any, settings: Any
) -> None:
    send_passing(ada, minute=1)
    deliver()
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "open_badges": {"enabled": False}}
    send_passing(make_user(), minute=1)
    send_passing(ada, minute=2, is_passing=False)
    deliver(chores=True)
    [document] = signed()
    assert (document.is_revoked, is_listed(document)) == (True, True)


def award_to(learners: int, template: BadgeTemplate) -> None:
    users = [make_user() for _ in range(learners)]
    events = [
        core.read_event(PASSING, metadata(time=at(1)), {"course_passing_status": passing_data(user_data(user))})
        for user in users
    ]
    core.process_batch(events)


def test_a_backlog_is_signed_and_recorded_together(template: BadgeTemplate) -> None:
    award_to(30, template)
    assert deliver() == {"done": 30}
    documents = signed()
    assert len({said(each)["credentialStatus"]["id"] for each in documents}) == 30
    assert len({said(each)["credentialSubject"]["id"] for each in documents}) == 30


def test_the_number_of_queries_does_not_grow_with_the_backlog(template: BadgeTemplate, ada: Any) -> None:
    send_passing(ada)
    deliver()  # makes the issuer, its key and its list
    counts = []
    for learners in (2, 12):
        award_to(learners, template)
        claimed = claim(learners, worker="test", lease=60, now=timezone.now(), policy=config().retry)
        with CaptureQueriesContext(connection) as queries:
            jobs = prepare(claimed, config())
        assert len({job.request.context.uuid for job in jobs}) == learners  # type: ignore[union-attr]
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 28  # MySQL returns no keys of rows that it inserts


def test_a_worker_that_died_leaves_nothing_that_is_signed_twice(template: BadgeTemplate, ada: Any) -> None:
    send_passing(ada)
    [delivery] = claim(1, worker="dies", lease=60, now=timezone.now(), policy=config().retry)
    [job] = prepare([delivery], config())
    carry_out(job)
    [reserved] = SignedBadge.objects.all()
    assert (reserved.document, signed()) == ("", [])
    let_time_pass()

    deliver()

    [document] = signed()
    assert document.uuid == reserved.uuid
    assert Delivery.objects.get().external_id == str(reserved.uuid)


def test_one_that_cannot_be_signed_needs_attention_and_harms_no_other(template: BadgeTemplate, ada: Any) -> None:
    broken = make_template(site=template.site, name="Broken")
    requires_course(broken)
    BadgeAlignment.objects.create(template=broken, name="Logic", url="not an address")
    send_passing(ada)
    deliver()
    assert len(signed()) == 1
    failed = Delivery.objects.get(state="failed")
    assert (failed.award.template, bool(failed.last_error)) == (broken, True)


def test_its_page_is_known_to_the_admin(template: BadgeTemplate, ada: Any) -> None:
    send_passing(ada)
    award = BadgeAward.objects.get()
    backend = registry.get("open_badges")
    assert backend.badge_url(award) == ""
    deliver()
    assert backend.badge_url(award) == signed()[0].url
