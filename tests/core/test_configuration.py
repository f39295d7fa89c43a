"""What staff may save: bad rules, empty templates and the like are refused with the reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db.models import ProtectedError

from badges_plugin import api, conf
from badges_plugin.exceptions import ActivationRefused
from badges_plugin.models import (
    BadgeProgress,
    BadgeRequirement,
    BadgeTemplate,
    DataRule,
    PenaltyDataRule,
    RulesetVersion,
)
from tests.factories import (
    CCX_PASSING,
    ENROLLMENT,
    PASSING,
    PenaltyFactory,
    RequirementFactory,
    make_template,
    make_user,
    penalizes,
    requires,
    requires_course,
    send_passing,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("key_path", "operator", "value", "reason"),
    [
        ("course.nope", "eq", "x", "no usable value"),
        ("course", "eq", "x", "no usable value"),
        ("", "eq", "x", "no usable value"),
        ("user.pii.email", "eq", "ann@example.org", "no usable value"),
        ("course.course_key", "regex", "x", "no operator"),
        ("course.course_key", "eq", "", "value is empty"),
        ("is_passing", "eq", "maybe", "not a boolean"),
        ("is_passing", "gt", "true", "cannot compare a boolean"),
        ("course.start", "gt", "soon", "not a date"),
    ],
)
@pytest.mark.parametrize("kind", ["requirement", "penalty"])
def test_a_rule_that_cannot_work_is_refused_when_saved(
    kind: str, key_path: str, operator: str, value: str, reason: str
) -> None:
    rule: Any
    if kind == "requirement":
        rule = DataRule(requirement=RequirementFactory.create(), key_path=key_path, operator=operator, value=value)
    else:
        rule = PenaltyDataRule(penalty=PenaltyFactory.create(), key_path=key_path, operator=operator, value=value)
    for refuse in (rule.clean, rule.save):
        with pytest.raises(ValidationError, match=reason):
            refuse()
    assert rule.pk is None


def test_an_event_type_that_the_rules_cannot_work_with_is_refused() -> None:
    requirement = requires_course(make_template())
    requirement.event_type = CCX_PASSING
    with pytest.raises(ValidationError, match="no usable value"):
        requirement.full_clean()


@pytest.mark.parametrize("event_type", ["", "nothing", "org.openedx.content_authoring.xblock.created.v1"])
def test_an_event_type_without_a_learner_is_refused(event_type: str) -> None:
    with pytest.raises(ValidationError, match="event_type"):
        BadgeRequirement(template=make_template(), event_type=event_type).full_clean()


def test_a_template_without_requirements_cannot_be_active() -> None:
    template = make_template(is_active=False)
    template.is_active = True
    with pytest.raises(ValidationError, match="without requirements"):
        template.full_clean()
    with pytest.raises(ValidationError, match="without requirements"):
        BadgeTemplate(site=template.site, name="New", is_active=True).full_clean()
    with pytest.raises(ActivationRefused, match="no requirements"):
        api.activate_template(template)
    assert not BadgeTemplate.objects.filter(is_active=True).exists()


def test_activation_gives_every_reason_against_it() -> None:
    template = make_template(is_active=False)
    requirement = requires_course(template)
    DataRule.objects.filter(requirement=requirement, key_path="is_passing").update(value="maybe")
    penalizes(template, [])
    assert [problem.split(":")[-1].strip() for problem in api.activation_problems(template)] == [
        "write true or false.",
        f"Penalty “{template.penalties.get()}” has no rules.",
        f"Penalty “{template.penalties.get()}” resets no requirement.",
    ]


def test_activation_warns_of_what_may_surprise() -> None:
    template = make_template(is_active=False)
    requires(template)
    requires(template, event_type=ENROLLMENT)
    api.activate_template(template, confirmed=True)
    assert template.is_active
    without_rules, also_without_rules, not_configured = api.activation_warnings(template)
    assert "every event of its type" in without_rules
    assert "every event of its type" in also_without_rules
    assert ENROLLMENT in not_configured


@pytest.mark.parametrize(
    ("event_type", "rule", "impossible"),
    [
        (PASSING, ("course.course_key", "eq", "course-v1:Org+Course+Run"), []),
        (PASSING, ("course.course_key", "eq", "Org/Course/Run"), []),  # as old courses have it
        (PASSING, ("course.course_key", "eq", "course-v1:Org+Course"), ["course-v1:Org+Course"]),
        (PASSING, ("course.course_key", "eq", "course-v1:Org%2BCourse%2BRun"), ["course-v1:Org%2BCourse%2BRun"]),
        (PASSING, ("course.course_key", "eq", "https://lms.example/courses/course-v1:Org+Course+Run/about"), ["https"]),
        (PASSING, ("course.course_key", "in", "course-v1:O+C+R, Python, SQL"), ["Python", "SQL"]),
        (PASSING, ("course.course_key", "glob", "course-v1:Org+*"), []),
        (PASSING, ("course.course_key", "startswith", "course-v1:Org"), []),
        (PASSING, ("course.display_name", "eq", "Python"), []),
        (PASSING, ("is_passing", "eq", "true"), []),
        (CCX_PASSING, ("course.ccx_course_key", "eq", "ccx-v1:Org+Course+Run+ccx@1"), []),
        (CCX_PASSING, ("course.ccx_course_key", "eq", "course-v1:Org+Course+Run"), ["course-v1:Org+Course+Run"]),
        (ENROLLMENT, ("course.course_key", "eq", "Python"), ["Python"]),
    ],
)
def test_activation_warns_of_what_should_be_a_key_and_is_none(
    settings: Any, event_type: str, rule: tuple[str, str, str], impossible: list[str]
) -> None:
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "events": [PASSING, CCX_PASSING, ENROLLMENT]}
    template = make_template(is_active=False)
    requirement = requires(template, rule, event_type=event_type)
    penalizes(template, [requirement], rule, event_type=event_type)
    warnings = [text for text in api.activation_warnings(template) if "no event has that there" in text]
    assert len(warnings) == 2 * len(impossible)
    for value, warning in zip(2 * impossible, warnings, strict=True):
        assert f"“{value}" in warning
        assert "course-v1:Org+Course+Run" in warning
    api.activate_template(template, confirmed=True)
    assert template.is_active


def test_a_template_with_progress_is_not_deleted() -> None:
    template = make_template()
    requires_course(template)
    send_passing(make_user())
    with pytest.raises(ProtectedError):
        template.delete()
    assert BadgeProgress.objects.exists()


def test_every_change_of_configuration_renews_the_version() -> None:
    template = make_template(is_active=False)
    requirement = requires_course(template)
    penalty = penalizes(template, [requirement], ("is_passing", "eq", "false"))
    rule = requirement.rules.get(key_path="course.course_key")
    changes: list[Any] = [
        template.save,
        lambda: api.activate_template(template),
        lambda: BadgeTemplate.objects.filter(pk=template.pk).update(name="Renamed"),
        lambda: BadgeTemplate.objects.bulk_create([BadgeTemplate(site=template.site, name="Bulk")]),
        rule.save,
        rule.delete,
        lambda: penalty.requirements.clear(),
        lambda: penalty.requirements.add(requirement),
        lambda: requirement.penalties.clear(),
        lambda: PenaltyDataRule.objects.all().delete(),
        penalty.delete,
        lambda: BadgeRequirement.objects.bulk_update([requirement], ["group"]),
        requirement.delete,
        template.delete,
    ]
    for change in changes:
        before = RulesetVersion.current()
        change()
        assert RulesetVersion.current() != before, change


def test_processing_renews_no_version() -> None:
    requires_course(make_template())
    before = RulesetVersion.current()
    send_passing(make_user())
    assert RulesetVersion.current() == before


def test_settings_have_defaults_and_are_merged(settings: Any) -> None:
    settings.BADGES_CONFIG = {}
    assert conf.config().events == conf.DEFAULT_EVENTS
    assert conf.config().ignored_keypaths == conf.DEFAULT_IGNORED_KEYPATHS
    settings.BADGES_CONFIG = {"events": [PASSING, PASSING], "rules": {}, "processing": {"future_tolerance_seconds": 5}}
    assert conf.config().events == (PASSING,)
    assert conf.config().ignored_keypaths == conf.DEFAULT_IGNORED_KEYPATHS
    assert conf.config().future_tolerance.total_seconds() == 5
    assert conf.section("credly", {"USE_SANDBOX": False}) == {"USE_SANDBOX": False}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], None),
        (None, None),
        (["x"], "BADGES_CONFIG must be a dictionary"),
        ({"events": PASSING}, "list of strings"),
        ({"events": [1]}, "list of strings"),
        ({"rules": []}, "must be a dictionary"),
        ({"rules": {"ignored_keypaths": "user.id"}}, "list of strings"),
        # A misspelled key would leave the default in force, and nobody would know
        ({"rules": {"ignored_keypath": []}}, "unknown keys: ignored_keypath"),
        ({"processing": {"future_tolerance": 5}}, "unknown keys: future_tolerance"),
        ({"processing": {"future_tolerance_seconds": "10"}}, "number of seconds"),
        ({"processing": {"future_tolerance_seconds": -1}}, "number of seconds"),
        ({"processing": {"future_tolerance_seconds": True}}, "number of seconds"),
    ],
)
def test_settings_of_the_wrong_shape_are_refused(settings: Any, given: Any, reason: str | None) -> None:
    settings.BADGES_CONFIG = given
    if reason is None:
        assert conf.config().events == conf.DEFAULT_EVENTS
    else:
        with pytest.raises(ImproperlyConfigured, match=reason):
            conf.config()
