"""Adopt from the real built-in app: three organizations, forty templates, 5,000 progress records, 800 badges.

Every row is accounted for, no request is made, nobody hears of it, and a second run changes nothing.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.utils import timezone

from badges_plugin import host
from badges_plugin.adoption.report import Kind, Topic
from badges_plugin.distribution.accounts.models import Account
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleBadge
from badges_plugin.distribution.credly.models import CredlyBadge, CredlyOrganization
from badges_plugin.distribution.models import Delivery
from badges_plugin.doctor import Level, people_probes
from badges_plugin.host import UserCredential
from badges_plugin.models import (
    BadgeAward,
    BadgePenalty,
    BadgeProgress,
    BadgeRequirement,
    BadgeTemplate,
    DataRule,
    Fulfillment,
    Learner,
    RequirementGroup,
)
from sandbox.accredible import DEMO_KEY as ACCREDIBLE_KEY
from sandbox.accredible import AccredibleSimulator
from sandbox.credly import DEMO_KEY, CredlySimulator
from tests.adoption.world import Builtin, run
from tests.core.conftest import Heard, heard
from tests.distribution.worlds import deliver
from tests.factories import COURSE, EPOCH, make_user
from tests.host.test_builtin_app import _is_real

__all__ = ["heard"]

pytestmark = [
    pytest.mark.skipif(not _is_real(), reason="the host has no built-in badges app, or is the stand-in"),
    pytest.mark.django_db(transaction=True),
]

OUTCOMES = {
    ("awarded", "pending"): "adopted",
    ("awarded", "accepted"): "adopted",
    ("awarded", "rejected"): "adopted",
    ("awarded", "created"): "adopted, perhaps never delivered",
    ("awarded", "error"): "adopted, perhaps never delivered",
    ("revoked", "revoked"): "adopted as revoked",
    ("revoked", "expired"): "adopted as revoked",
    ("revoked", "error"): "adopted as revoked, perhaps not at the provider",
    ("revoked", "created"): "never awarded",
}
# For each template, twice: what the built-in app makes, as host and provider say it; and whose it is.
BADGES = [
    ("awarded", "pending", True, "known"),
    ("awarded", "accepted", True, "known"),
    ("awarded", "rejected", True, "known"),
    ("awarded", "created", False, "known"),
    ("awarded", "error", False, "known"),
    ("revoked", "revoked", True, "known"),
    ("revoked", "error", True, "known"),
    ("revoked", "created", False, "known"),
    ("awarded", "pending", True, "unknown"),
    ("awarded", "accepted", True, "retired"),
]
ACCREDIBLE_STATES = {"pending": "accepted", "rejected": "accepted", "revoked": "expired"}
PASSES = ("is_passing", "eq", "True")
FIRST, SECOND = ("course.course_key", "eq", COURSE), ("course.course_key", "eq", "course-v1:Demo+Other+1")
# By kind of template: rules and groups of its requirements where it is not to pass one course; and what is told of it.
REQUIREMENTS: dict[int, list[tuple[list[Any], str | None]]] = {
    1: [([FIRST, PASSES], "A"), ([SECOND, PASSES], "B")],
    2: [([FIRST, PASSES], "A"), ([SECOND, PASSES], "A")],
    3: [([FIRST, PASSES], None), ([SECOND, PASSES], None)],
    4: [([FIRST, PASSES], "A"), ([], "B")],
    5: [([("course.course_key", "eq", f"{COURSE} "), PASSES], None)],
    8: [],
    9: [([FIRST], None)],
}
TOPICS = {2: "GROUPS", 3: "GROUPS", 4: "RULES", 5: "RULES", 8: "PROBLEM", 9: "PROBLEM"}


@pytest.fixture
def simulators(credly: CredlySimulator, settings: Any) -> Iterator[list[Any]]:
    """Both providers, ready to answer."""
    if "AccredibleGroup" not in host.builtin_models():
        pytest.skip("this release's badges app knows no Accredible")
    with AccredibleSimulator() as accredible:
        accredible_settings = {"ACCREDIBLE_API_BASE_URL": accredible.url, "REQUESTS_PER_MINUTE": 0}
        settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "accredible": accredible_settings}
        yield [credly, accredible]


class Scene:
    """A site that has used the built-in app, and what adoption should say of it."""

    def __init__(self) -> None:
        self.builtin = Builtin()
        self.badges: Counter[str] = Counter()
        self.active: set[str] = set()
        self.topics: Counter[str] = Counter()
        # So long ago that learners are reminded of a badge that they have not accepted.
        self.minute = (timezone.now() - timedelta(days=8) - EPOCH) / timedelta(minutes=1)
        organizations = [self.builtin.organization(f"Organization {number}", DEMO_KEY) for number in range(3)]
        config = self.builtin.config("Department", ACCREDIBLE_KEY)
        self.names = {
            "known": [make_user(username=f"learner-{number}").username for number in range(200)],
            "retired": [make_user(username=f"retired__user_{number}").username for number in range(20)],
            "unknown": [f"nobody-{number}" for number in range(20)],
        }
        for number in range(40):
            if number < 30:
                template = self.builtin.credly(f"Badge {number}", organization=organizations[number % 3])
            else:
                template = self.builtin.accredible(f"Badge {number}", config=config)
            requirements = self._rules(number, template)
            self._learners(number, template, requirements)
        self._orphans()
        self._empty_progress(5_000)

    def _rules(self, number: int, template: Any) -> list[Any]:
        """Set up one of ten kinds of templates."""
        kind = number % 10
        topic = TOPICS.get(kind)
        if kind == 7 and number < 30:  # archived at Credly; Accredible archives nothing
            self.builtin.models.BadgeTemplate.objects.filter(pk=template.pk).update(state="archived")
            topic = "PROBLEM"
        if kind == 6:
            self.builtin.models.BadgeTemplate.objects.filter(pk=template.pk).update(is_active=False)
        elif topic is None:
            self.active.add(template.name)
        else:
            self.topics[topic] += 1
        made = [
            self.builtin.requirement(template, rules=rules, group=group)
            for rules, group in REQUIREMENTS.get(kind, [([FIRST, PASSES], None)])
        ]
        if kind == 1:
            self.builtin.penalty(template, made)
        return made

    def _learners(self, number: int, template: Any, requirements: list[Any]) -> None:
        builtin = self.builtin
        for place, (status, state, is_known, whose) in enumerate(BADGES * 2):
            name = self.names[whose][(number * 7 + place) % len(self.names[whose])]
            is_credly = number < 30
            told = state if is_credly else ACCREDIBLE_STATES.get(state, state)
            external: Any = None
            if is_known:
                external = uuid.uuid4() if is_credly else 1_000_000 + number * 100 + place
            builtin.badge(template, name, status, told, external, minute=self.minute)
            outcome = {"unknown": "of an unknown learner", "retired": "of a retired learner"}
            self.badges[outcome.get(whose) or OUTCOMES[status, told]] += 1
            builtin.progress(template, name, *requirements[: 1 + place % 2])
            if place == 3:
                builtin.progress(template, name, *requirements[:1], None)

    def _orphans(self) -> None:
        """Leave what stays when a template is deleted."""
        model = self.builtin.models.CredlyBadge
        for badge in model.objects.filter(status="awarded", state="accepted", username__startswith="l")[:5]:
            UserCredential.objects.filter(pk=badge.pk).update(credential_id=4_000_000 + badge.pk)
            self.badges["adopted"] -= 1
            self.badges["of a deleted badge"] += 1
        for name in self.names["known"][:50]:
            self.builtin.progress(None, name, None)

    def _empty_progress(self, total: int) -> None:
        """Fill up with what the app writes for every event: progress in which nothing is fulfilled."""
        model, templates = self.builtin.models.BadgeProgress, list(self.builtin.models.BadgeTemplate.objects.all())
        left = total - model.objects.count()
        model.objects.bulk_create(
            model(username=f"passer-by-{number}", template=templates[number % 40]) for number in range(left)
        )


OURS: tuple[type[Model], ...] = (
    BadgeTemplate, BadgeRequirement, BadgePenalty, DataRule, RequirementGroup, BadgeProgress, Fulfillment, BadgeAward,
    Learner, Delivery, CredlyBadge, AccredibleBadge, CredlyOrganization, AccredibleApiConfig, UserCredential,
)  # fmt: skip


def everything() -> dict[str, list[Any]]:
    """Return all rows of ours and of the built-in app."""
    models = [*OURS, *host.builtin_models().values()]
    return {model._meta.label: list(model._base_manager.order_by("pk").values_list()) for model in models}


def keys(model: type[Account]) -> set[str]:
    return {account.api_key for account in model._default_manager.all()}


def test_a_site_is_adopted(simulators: list[Any], heard: Heard, mailoutbox: list[Any]) -> None:
    scene = Scene()
    credentials = dict(UserCredential.objects.values_list("pk", "uuid"))
    untouched = everything()
    tried = run(dry_run=True)
    assert everything() == untouched

    report = run()
    assert tried.counts == report.counts
    assert {kind: report.total(kind) for kind in (Kind.TEMPLATES, Kind.PROGRESS, Kind.BADGES)} == {
        Kind.TEMPLATES: 40,
        Kind.PROGRESS: 5_000,
        Kind.BADGES: 800,
    }
    assert report.counts[Kind.ACCOUNTS] == {"adopted": 4}
    assert report.counts[Kind.BADGES] == scene.badges
    assert report.counts[Kind.TEMPLATES] == {"adopted": 40}
    assert set(BadgeTemplate.objects.filter(is_active=True).values_list("name", flat=True)) == scene.active
    assert {topic.name: len(report.findings[topic]) for topic in (Topic.GROUPS, Topic.RULES, Topic.PROBLEM)} == (
        scene.topics
    )
    assert not scene.builtin.models.BadgeTemplate.objects.filter(is_active=True).exists()
    assert (keys(CredlyOrganization), keys(AccredibleApiConfig)) == ({DEMO_KEY}, {ACCREDIBLE_KEY})

    # What was counted is there, in the rows that were there before.
    assert dict(UserCredential.objects.values_list("pk", "uuid")) == credentials
    adopted = [number for outcome, number in scene.badges.items() if outcome.startswith("adopted")]
    assert BadgeAward.objects.count() == sum(adopted)
    assert CredlyBadge.objects.count() + AccredibleBadge.objects.count() == sum(adopted)
    assert Fulfillment.objects.filter(is_fulfilled=True).count() == report.counts[Kind.FULFILLMENTS]["adopted"]
    left = scene.builtin.models.CredlyBadge.objects.count() + scene.builtin.models.AccredibleBadge.objects.count()
    assert left == 800 - sum(adopted)
    attention = Delivery.objects.filter(state="failed", in_doubt=True)
    assert attention.count() == (
        scene.badges["adopted, perhaps never delivered"]
        + scene.badges["adopted as revoked, perhaps not at the provider"]
    )

    # Nobody hears of it, whatever runs afterwards.
    assert deliver(chores=True) == {}
    credly, accredible = simulators
    assert (credly.requests(), accredible.asked) == ([], [])
    assert (heard.awarded, heard.revoked, heard.public, mailoutbox) == ([], [], [], [])

    assert [finding.level for finding in people_probes.credentials()] == [Level.OK]

    before = everything()
    again = run()
    assert everything() == before
    assert not any("adopted" in outcome.split() and "not" not in outcome for outcome in again.counts[Kind.BADGES])
