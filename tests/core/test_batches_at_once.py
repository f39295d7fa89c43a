"""Several processes apply batches of events of the same new learners at the same instant, on a database server.

Each process has every event of a round, in an order and in batches of its own, and some events twice. What must hold
afterwards is what one process would have made of them, without any error on the way, not even one to be repeated.
``BADGES_RACE_ROUNDS=200`` makes it a long race.
"""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count

from badges_plugin import api
from badges_plugin.distribution.credly.models import CredlyBadge, CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.distribution.models import Delivery
from badges_plugin.host import User, UserCredential
from badges_plugin.models import BadgeAward, BadgeProgress, Fulfillment, Learner
from tests.core.racers import Batches, Round, race
from tests.factories import COURSE, make_template, penalizes_failing, requires_course

pytestmark = [pytest.mark.concurrency, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ROUNDS = int(os.environ.get("BADGES_RACE_ROUNDS", "10"))
PROCESSES = 3
LEARNERS = 12
LARGEST_BATCH = 20
OTHER = "course-v1:Demo+Other+1"


@pytest.fixture
def templates() -> list[Any]:
    """Two badges for one course, of which one is Credly's, and one for another course that can be lost."""
    own, other = make_template(is_active=False), make_template(is_active=False)
    organization = CredlyOrganization.objects.create(uuid=uuid.uuid4(), name="Race")
    sold = CredlyBadgeTemplate.objects.create(
        site=own.site, name="Race", organization=organization, state="active", origin="credly"
    )
    for template, course in ((own, COURSE), (sold, COURSE), (other, OTHER)):
        requires_course(template, course)
        api.activate_template(template)
    penalizes_failing(other, other.requirements.get(), OTHER)
    return [own, sold, other]


@pytest.mark.timeout(600)
def test_batches_of_the_same_new_learners(templates: list[Any]) -> None:
    chance = random.Random(7)  # noqa: S311 - repeatable, not secret
    learners = 0
    heats: list[Sequence[Batches]] = []
    for _ in range(ROUNDS):
        events = [event for number in range(LEARNERS) for event in events_of(learners + number + 1)]
        learners += LEARNERS
        heats.append([batches(events, chance) for _ in range(PROCESSES)])

    results = [result for heat in race(str(connection.settings_dict["NAME"]), heats) for result in heat]

    assert [result for result in results if result != "ok"] == []
    assert User.objects.filter(username__startswith="racer").count() == Learner.objects.count() == learners
    for template in templates:
        progresses = BadgeProgress.objects.filter(template=template.pk).annotate(parts=Count("fulfillments"))
        assert progresses.count() == learners
        assert set(progresses.values_list("parts", flat=True)) == {1}
        held = BadgeAward.objects.filter(progress__template=template.pk, revoked_at=None)
        assert held.count() == held.values("progress").distinct().count() == learners
    assert not Fulfillment.objects.filter(is_fulfilled=False).exists()
    assert (
        not BadgeAward.objects.filter(revoked_at=None, progress__template__in=templates[:2]).exclude(number=1).exists()
    )
    assert UserCredential.objects.count() == len(templates) * learners
    assert set(UserCredential.objects.values_list("status", flat=True)) == {"awarded"}
    assert Delivery.objects.filter(backend="credly").count() == CredlyBadge.objects.count() == learners
    # The site signs the others itself, each award of them once.
    signed = Delivery.objects.filter(backend="open_badges", action="issue")
    assert signed.count() == BadgeAward.objects.exclude(progress__template__origin="credly").count()


def events_of(learner: int) -> list[Round]:
    """Return the events of a learner who passes both courses; the second is passed, failed and passed again."""
    name = f"racer{learner}"
    passed = [Round(learner, name, COURSE, str(uuid.uuid1()), minute) for minute in (1, 2)]
    swing = [Round(learner, name, OTHER, str(uuid.uuid1()), 3 + step, is_passing=step != 1) for step in range(3)]
    return [*passed, *swing]


def batches(events: Sequence[Round], chance: random.Random) -> Batches:
    """Return the events in any order, some of them twice, in batches of any size."""
    shuffled = [*events, *chance.sample(events, len(events) // 5)]
    chance.shuffle(shuffled)
    divided = []
    while shuffled:
        size = chance.randint(1, LARGEST_BATCH)
        divided.append(shuffled[:size])
        shuffled = shuffled[size:]
    return divided
