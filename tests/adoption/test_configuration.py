"""Accounts, templates, requirements, groups and penalties of the built-in app become ours."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from badges_plugin import api
from badges_plugin.adoption.report import Kind
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleGroup
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.models import BadgeAward, BadgePenalty, BadgeRequirement, BadgeTemplate
from tests.adoption.world import Builtin, found, run
from tests.factories import COURSE, ENROLLMENT, make_template, make_user, requires_course, send_passing

OTHER = "course-v1:Demo+Other+1"


def holds(learner: Any) -> bool:
    return BadgeAward.objects.filter(progress__user=learner, revoked_at=None).exists()


def test_a_template_becomes_ours_and_is_switched_off_there(builtin: Builtin) -> None:
    theirs = builtin.credly("Statistics")
    requirement = builtin.requirement(theirs, description="Pass it")
    builtin.penalty(theirs, [requirement])
    report = run()
    ours = CredlyBadgeTemplate.objects.get(uuid=theirs.uuid)
    assert (ours.name, ours.description, ours.icon) == (
        "Statistics",
        "For learning.",
        "https://images.example.org/badge.png",
    )
    assert (ours.origin, ours.state, ours.site_id, ours.is_active) == ("credly", "active", theirs.site_id, True)
    assert (ours.organization.name, ours.organization.api_key) == ("Org", "secret")
    (row,) = ours.requirements.all()
    assert (row.description, row.group) == ("Pass it", None)
    rules = [("course.course_key", "eq", COURSE), ("is_passing", "eq", "true")]
    assert list(row.rules.order_by("pk").values_list("key_path", "operator", "value")) == rules
    (penalty,) = ours.penalties.all()
    assert list(penalty.requirements.all()) == [row]
    assert not builtin.models.BadgeTemplate.objects.get(pk=theirs.pk).is_active
    assert found(report) == {}
    # It works.
    learner = make_user()
    send_passing(learner)
    assert holds(learner)
    send_passing(learner, is_passing=False, minute=1)
    assert not holds(learner)


def test_a_group_of_accredible_is_known_by_its_id(builtin: Builtin) -> None:
    theirs = builtin.accredible("Logic", icon="")
    builtin.requirement(theirs)
    run()
    ours = AccredibleGroup.objects.get(group_id=theirs.pk)
    assert (ours.name, ours.origin, ours.icon, ours.is_active) == ("Logic", "accredible", "", True)
    assert ours.uuid == builtin.models.BadgeTemplate.objects.get(pk=theirs.pk).uuid
    assert ours.api_config.api_key == "secret"


def test_a_dry_run_tells_the_same_and_changes_nothing(builtin: Builtin) -> None:
    theirs = builtin.credly()
    builtin.penalty(theirs, [builtin.requirement(theirs)])
    builtin.requirement(builtin.accredible(), rules=[("course.course_key", "eq", COURSE)])
    tried = run(dry_run=True)
    assert not BadgeTemplate.objects.exists()
    assert not CredlyOrganization.objects.exists()
    assert builtin.models.BadgeTemplate.objects.filter(is_active=True).count() == 2
    done = run()
    assert tried.counts == done.counts
    assert found(tried).keys() == found(done).keys() == {"PROBLEM"}


def test_a_second_run_changes_nothing(builtin: Builtin) -> None:
    for theirs in (builtin.credly(), builtin.accredible()):
        builtin.penalty(theirs, [builtin.requirement(theirs), builtin.requirement(theirs, OTHER)])
    builtin.config(name="")
    builtin.config(name="", key="another")
    run()
    rows = list(BadgeTemplate.objects.order_by("pk").values())
    report = run()
    assert list(BadgeTemplate.objects.order_by("pk").values()) == rows
    assert (BadgeRequirement.objects.count(), BadgePenalty.objects.count()) == (4, 2)
    assert {outcome for kind in Kind for outcome in report.counts[kind]} == {"here before"}


@pytest.mark.parametrize(
    ("meaning", "sentence", "is_active"),
    [("ask", "any", False), ("any", "any", True), ("all", "all", True)],
)
def test_people_say_what_a_shared_group_means(builtin: Builtin, meaning: str, sentence: str, is_active: bool) -> None:
    theirs = builtin.credly()
    for course in (COURSE, OTHER):
        builtin.requirement(theirs, course, group="A")
    report = run(same_group=meaning)
    ours = CredlyBadgeTemplate.objects.get()
    learner = make_user()
    assert ours.is_active is is_active
    assert ("GROUPS" in found(report)) is not is_active
    if not is_active:
        api.activate_template(ours)
    send_passing(learner)
    assert holds(learner) is (sentence == "any")
    send_passing(learner, OTHER, minute=1)
    assert holds(learner)


def test_the_report_says_what_would_be_alternatives(builtin: Builtin) -> None:
    theirs = builtin.credly("Logic")
    builtin.requirement(theirs, description="Pass Algebra")
    builtin.requirement(theirs, rules=[("course.course_key", "eq", OTHER), ("is_passing", "eq", "yes")])
    builtin.requirement(theirs, group="B", description="Pass Ethics")
    sentence = f"“Pass Algebra” or “course.course_key eq {OTHER} and is_passing eq yes”"
    assert found(run(dry_run=True))["GROUPS"] == [f"“Logic”: Any of these: {sentence}."]


UNKNOWN_PATH = ("course.nope", "ne", "x")


@pytest.mark.parametrize("rules", [[], [("course.course_key", "eq", f"{COURSE} ")], [UNKNOWN_PATH]])
def test_rules_that_mean_something_else_leave_the_badge_without_any(builtin: Builtin, rules: Any) -> None:
    theirs = builtin.credly()
    builtin.requirement(theirs)
    builtin.requirement(theirs, rules=rules)
    report = run()
    ours = CredlyBadgeTemplate.objects.get()
    assert (ours.is_active, ours.requirements.count()) == (False, 0)
    assert found(report).keys() == {"RULES"}
    assert report.counts[Kind.REQUIREMENTS] == {"not copied": 2}


@pytest.mark.parametrize(
    ("changes", "rules", "reason"),
    [
        ({"state": "archived"}, None, "archived"),
        ({}, [("course.course_key", "eq", COURSE)], "Failing learners"),
    ],
)
def test_what_must_be_looked_at_stays_inactive(builtin: Builtin, changes: Any, rules: Any, reason: str) -> None:
    builtin.requirement(builtin.credly(**changes), rules=rules)
    tried, done = run(dry_run=True), run()
    assert reason in found(done)["PROBLEM"][0]
    assert found(tried) == found(done)
    assert not CredlyBadgeTemplate.objects.get().is_active


def test_a_template_that_was_not_active_stays_so(builtin: Builtin) -> None:
    builtin.requirement(builtin.credly(is_active=False))
    assert found(run()) == {}
    assert not CredlyBadgeTemplate.objects.get().is_active


def test_penalties_that_never_applied_are_left_out(builtin: Builtin) -> None:
    theirs = builtin.credly()
    requirement = builtin.requirement(theirs)
    builtin.penalty(theirs, [requirement], rules=[])
    builtin.penalty(theirs, [])
    report = run()
    assert report.counts[Kind.PENALTIES] == {"not copied": 2}
    assert len(found(report)["LEFT_OUT"]) == 2
    assert CredlyBadgeTemplate.objects.get().is_active


def test_what_staff_have_set_up_here_is_kept(builtin: Builtin) -> None:
    theirs = builtin.credly()
    builtin.requirement(theirs)
    organization = CredlyOrganization(uuid=theirs.organization.uuid, name="Ours")
    organization.set_api_key("newer")
    organization.save()
    ours = CredlyBadgeTemplate.objects.create(
        uuid=theirs.uuid, name="Ours", site=theirs.site, organization=organization, state="active"
    )
    requires_course(ours, OTHER)
    report = run()
    ours.refresh_from_db()
    assert (ours.name, ours.is_active, ours.requirements.count()) == ("Ours", False, 1)
    assert CredlyOrganization.objects.get().api_key == "newer"
    assert found(report).keys() == {"OWN_RULES"}
    assert report.counts[Kind.ACCOUNTS] == {"here before": 1}


def test_a_synchronized_template_without_rules_gets_them(builtin: Builtin) -> None:
    theirs = builtin.credly()
    builtin.requirement(theirs)
    organization = CredlyOrganization.objects.create(uuid=theirs.organization.uuid)
    ours = CredlyBadgeTemplate.objects.create(
        uuid=theirs.uuid, name="Newer name", site=theirs.site, organization=organization, state="active"
    )
    run()
    ours.refresh_from_db()
    assert (ours.name, ours.is_active, ours.requirements.count()) == ("Newer name", True, 1)
    assert CredlyOrganization.objects.get().api_key == "secret"


def test_keys_in_the_settings_are_not_copied(builtin: Builtin, settings: Any) -> None:
    organization = builtin.organization(key="old")
    settings.BADGES_CONFIG = {"credly": {"ORGANIZATIONS": {str(organization.uuid): "from settings"}}}
    run()
    ours = CredlyOrganization.objects.get()
    assert (ours.api_key, ours.encrypted_key) == ("from settings", "")


def test_configurations_of_accredible_without_a_name_of_their_own_get_one(builtin: Builtin) -> None:
    for name, key in (("Same", "1"), ("same", "2"), ("", "3"), ("", "4"), ("Same", "1")):
        builtin.config(name, key)
    run()
    accounts = {own.name: own.api_key for own in AccredibleApiConfig.objects.all()}
    assert accounts == {"Same": "1", "same (2)": "2", "Accredible": "3", "Accredible (2)": "4"}


def test_a_template_whose_identity_is_taken_is_left(builtin: Builtin) -> None:
    shared = uuid.uuid4()
    make_template(uuid=shared, name="Ours")
    theirs = builtin.credly(uuid=shared)
    builtin.penalty(theirs, [builtin.requirement(theirs)])
    builtin.progress(theirs, "ada", None)
    builtin.badge(theirs, "ada", "awarded", "pending", uuid.uuid4())
    report = run()
    assert found(report).keys() == {"NO_PROVIDER"}
    assert builtin.models.BadgeTemplate.objects.get(pk=theirs.pk).is_active
    assert report.counts[Kind.BADGES] == {"of a badge that is not adopted": 1}


def test_events_about_several_people_are_told(builtin: Builtin) -> None:
    builtin.requirement(builtin.credly(), event_type=ENROLLMENT, rules=[("course.course_key", "eq", COURSE)])
    assert "EARNERS" in found(run())
