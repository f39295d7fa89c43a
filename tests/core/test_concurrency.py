"""Two processes and one learner, at the same instant, on a database server.

Each case is a race of 200 rounds with a new learner each. What must hold afterwards is the same for all: one
progress, one fulfillment for each requirement, one award, one delivery, and no error on the way.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count

from badges_plugin import api
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.distribution.models import Delivery
from badges_plugin.host import User, UserCredential
from badges_plugin.models import BadgeAward, BadgeProgress, Fulfillment, Learner
from tests.core.racers import Round, race
from tests.factories import COURSE, make_template, make_user, penalizes_failing, requires_course, send_passing

pytestmark = [pytest.mark.concurrency, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ROUNDS = 200
OTHER = "course-v1:Demo+Other+1"


@pytest.fixture
def template(settings: Any) -> CredlyBadgeTemplate:
    """A Credly template with two requirements; nothing is delivered, so that the deliveries can be counted."""
    organization = CredlyOrganization.objects.create(uuid=uuid.uuid4(), name="Race")
    template = CredlyBadgeTemplate.objects.create(
        site=make_template(is_active=False).site,
        name="Race",
        organization=organization,
        state="active",
        origin="credly",
    )
    requires_course(template)
    requires_course(template, OTHER)
    api.activate_template(template)
    return template


def event(learner: int, course: str, minute: float, event_id: uuid.UUID | None = None) -> Round:
    return Round(learner, f"racer{learner}", course, str(event_id or uuid.uuid1()), minute)


def test_the_same_event_in_two_processes_while_the_learner_is_unknown(template: CredlyBadgeTemplate) -> None:
    heats = []
    for learner in range(1, ROUNDS + 1):
        same = uuid.uuid1()
        heats.append([event(learner, COURSE, 1, same), event(learner, COURSE, 1, same)])
    run(heats)
    assert_everything_once(template, fulfilled=1, awards=0)


def test_the_same_completing_event_in_two_processes(template: CredlyBadgeTemplate) -> None:
    heats = []
    for learner in range(1, ROUNDS + 1):
        same = uuid.uuid1()
        user = make_user(lms_user_id=learner, username=f"racer{learner}")
        send_passing(user, OTHER)
        heats.append([event(learner, COURSE, 1, same), event(learner, COURSE, 1, same)])
    run(heats)
    assert_everything_once(template, fulfilled=2, awards=1)


def test_two_different_events_of_one_unknown_learner(template: CredlyBadgeTemplate) -> None:
    run([[event(learner, COURSE, 1), event(learner, OTHER, 1)] for learner in range(1, ROUNDS + 1)])
    assert_everything_once(template, fulfilled=2, awards=1)


def test_two_different_events_of_one_known_learner(template: CredlyBadgeTemplate) -> None:
    for learner in range(1, ROUNDS + 1):
        make_user(lms_user_id=learner, username=f"racer{learner}")
    run([[event(learner, COURSE, 1), event(learner, OTHER, 1)] for learner in range(1, ROUNDS + 1)])
    assert_everything_once(template, fulfilled=2, awards=1)


def test_passing_and_failing_at_once_end_as_the_newer_event_says(template: CredlyBadgeTemplate) -> None:
    penalizes_failing(template, template.requirements.get(rules__value=COURSE))
    heats = []
    for learner in range(1, ROUNDS + 1):
        send_passing(make_user(lms_user_id=learner, username=f"racer{learner}"), OTHER)
        failed = Round(learner, f"racer{learner}", COURSE, str(uuid.uuid1()), 2, is_passing=False)
        heats.append([event(learner, COURSE, 1), failed])
    run(heats)
    assert BadgeProgress.objects.filter(template=template).count() == ROUNDS
    assert Fulfillment.objects.filter(is_fulfilled=True).count() == ROUNDS
    assert not BadgeAward.objects.filter(revoked_at=None).exists()
    assert not UserCredential.objects.filter(status="awarded").exists()
    # Whoever was awarded in between was revoked; an issue and a revocation each, or an issue that was cancelled.
    for award in BadgeAward.objects.annotate(deliveries_of_it=Count("deliveries")):
        assert award.deliveries.filter(action="issue").count() == 1


def test_b4_two_names_of_one_unknown_learner(template: CredlyBadgeTemplate) -> None:
    """The learner is renamed in the LMS between two events, and two consumers meet them at once."""
    heats = []
    for learner in range(1, ROUNDS + 1):
        renamed = Round(learner, f"racer{learner}-renamed", OTHER, str(uuid.uuid1()), 2)
        heats.append([event(learner, COURSE, 1), renamed])
    run(heats)
    assert_everything_once(template, fulfilled=2, awards=1)


def test_b4_two_names_of_one_learner_who_is_known_by_one_of_them_alone(template: CredlyBadgeTemplate) -> None:
    """A user from the time before the host kept LMS user ids gets the id, or another one does, but not both."""
    heats = []
    for learner in range(1, ROUNDS + 1):
        make_user(lms_user_id=None, username=f"racer{learner}")
        renamed = Round(learner, f"renamed{learner}", OTHER, str(uuid.uuid1()), 2)
        heats.append([event(learner, COURSE, 1), renamed])
    run(heats)
    ids = User.objects.filter(lms_user_id__isnull=False).order_by("lms_user_id").values_list("lms_user_id", flat=True)
    assert list(ids) == list(range(1, ROUNDS + 1))
    assert BadgeProgress.objects.count() == Learner.objects.count() == BadgeAward.objects.count() == ROUNDS


def run(heats: list[list[Round]]) -> None:
    results = race(str(connection.settings_dict["NAME"]), heats)
    errors = [result for heat in results for result in heat if result != "ok"]
    assert errors == []


def assert_everything_once(template: CredlyBadgeTemplate, *, fulfilled: int, awards: int) -> None:
    racers = User.objects.filter(username__startswith="racer")
    assert racers.count() == ROUNDS
    progresses = BadgeProgress.objects.annotate(parts=Count("fulfillments", distinct=True))
    assert sorted(progresses.values_list("user_id", flat=True)) == sorted(racers.values_list("pk", flat=True))
    assert set(progresses.values_list("parts", flat=True)) == {fulfilled}
    assert not Fulfillment.objects.filter(is_fulfilled=False).exists()
    assert BadgeAward.objects.count() == awards * ROUNDS
    assert UserCredential.objects.count() == awards * ROUNDS
    assert Delivery.objects.count() == awards * ROUNDS
    assert not BadgeAward.objects.exclude(number=1).exists()
