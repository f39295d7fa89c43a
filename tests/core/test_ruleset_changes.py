"""A ruleset is brought up to date by what changed, and is then the one that would be compiled anew."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.core import serializers
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from badges_plugin import api
from badges_plugin.data import BadgingEvent
from badges_plugin.exceptions import ConfigurationChanged
from badges_plugin.models import (
    BadgePenalty,
    BadgeRequirement,
    BadgeTemplate,
    DataRule,
    PenaltyDataRule,
    RequirementGroup,
    RulesetChange,
    RulesetVersion,
    versions,
)
from badges_plugin.ruleset import OWN_TEMPLATE, Ruleset, compile_ruleset, current_ruleset
from tests.factories import (
    AWARDED_TYPE,
    PASSING,
    at,
    make_template,
    metadata,
    needs_badge,
    passing_data,
    penalizes_failing,
    requires,
    requires_course,
    user_data,
)
from tests.limits import Lower

pytestmark = pytest.mark.django_db

COURSES = [f"course-v1:Demo+{name}+1" for name in "ABC"]


def passing(course: str, *, is_passing: bool = True) -> BadgingEvent:
    data = passing_data(user_data(), course, is_passing=is_passing)
    return api.read_event(PASSING, metadata(time=at(0)), {"course_passing_status": data})


def awarded(template_id: int) -> BadgingEvent:
    return BadgingEvent(
        AWARDED_TYPE, passing(COURSES[0]).stamp, passing(COURSES[0]).learner, {OWN_TEMPLATE: template_id}
    )


def meaning(ruleset: Ruleset) -> dict[str, Any]:
    """Return all that a ruleset says."""
    events = [passing(course, is_passing=is_passing) for course in COURSES for is_passing in (True, False)]
    events += [awarded(pk) for pk in range(max(ruleset.templates, default=0) + 2)]
    matches = [ruleset.match(event) for event in events]
    columns = [field.attname for field in BadgeTemplate._meta.concrete_fields]
    return {
        "token": ruleset.token,
        "matches": [(match.fulfilled, match.penalized) for match in matches],
        "templates": {
            pk: (template.criteria, template.needs, [getattr(template.row, name) for name in columns])
            for pk, template in ruleset.templates.items()
        },
    }


class Staff:
    """Changes the configuration at random, in every way in which it can be changed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        for _ in range(3):
            self.new_template()

    def act(self) -> None:
        actions = [
            self.new_template, self.rename, self.switch, self.new_requirement, self.change_rule, self.delete_rule,
            self.delete_requirement, self.penalize, self.unlink, self.regroup, self.need, self.delete_template,
            self.decide, self.move, self.undo, self.all_at_once,
        ]  # fmt: skip
        self.random.choice(actions)()

    def one(self, model: type[Any]) -> Any:
        rows = list(model.objects.order_by("pk"))
        return self.random.choice(rows) if rows else None

    def course(self) -> str:
        return self.random.choice(COURSES)

    def new_template(self) -> None:
        requires_course(make_template(in_order=self.random.random() < 0.5), self.course())

    def rename(self) -> None:
        BadgeTemplate.objects.filter(pk=self.one(BadgeTemplate).pk).update(name=f"Renamed {self.random.random()}")

    def switch(self) -> None:
        template = self.one(BadgeTemplate)
        template.is_active = not template.is_active
        template.save(update_fields=["is_active", "modified"])

    def new_requirement(self) -> None:
        requires_course(self.one(BadgeTemplate), self.course(), group=self.random.choice(["", "either"]))

    def change_rule(self) -> None:
        if rule := self.one(DataRule):
            rule.value = self.course() if "course" in rule.key_path else self.random.choice(["true", "false"])
            rule.save()

    def delete_rule(self) -> None:
        if rule := self.one(DataRule):
            DataRule.objects.filter(pk=rule.pk).delete()

    def delete_requirement(self) -> None:
        if requirement := self.one(BadgeRequirement):
            requirement.delete()

    def penalize(self) -> None:
        if requirement := self.one(BadgeRequirement):
            penalizes_failing(requirement.template, requirement, self.course())

    def unlink(self) -> None:
        if penalty := self.one(BadgePenalty):
            penalty.requirements.clear()

    def regroup(self) -> None:
        if group := self.one(RequirementGroup):
            group.position, group.needed = self.random.randrange(3), self.random.randrange(1, 3)
            group.save()

    def need(self) -> None:
        template, needed = self.one(BadgeTemplate), self.one(BadgeTemplate)
        if template != needed:
            needs_badge(template, needed)

    def delete_template(self) -> None:
        template = self.one(BadgeTemplate)
        if not template.needed_by.exists() and BadgeTemplate.objects.count() > 2:
            template.delete()

    def decide(self) -> None:
        if requirement := self.one(BadgeRequirement):
            requirement.forgotten_rules = {requirement.digest(): self.random.randrange(3)}
            requirement.save(update_fields=["forgotten_rules"])

    def move(self) -> None:
        if requirement := self.one(BadgeRequirement):
            requirement.group, requirement.template = None, self.one(BadgeTemplate)
            if requirement.needs_badge_id != requirement.template_id:
                requirement.save()

    def undo(self) -> None:
        """A change that this process has compiled, and that is rolled back."""
        with transaction.atomic():
            self.new_requirement()
            current_ruleset()
            transaction.set_rollback(True)

    def all_at_once(self) -> None:
        BadgeRequirement.objects.update(position=self.random.randrange(3))


@pytest.mark.parametrize("seed", [1, 2])
def test_after_any_changes_it_is_what_would_be_compiled_anew(seed: int) -> None:
    staff = Staff(seed)
    for _ in range(30):
        for _ in range(staff.random.randrange(1, 3)):
            staff.act()
        assert meaning(current_ruleset()) == meaning(compile_ruleset(RulesetVersion.current()))


def test_what_a_batch_began_with_stays_as_it_is() -> None:
    template = make_template()
    requirement = requires_course(template, COURSES[0])
    penalizes_failing(template, requirement, COURSES[0])
    begun = current_ruleset()
    before = meaning(begun)
    requires_course(make_template(), COURSES[0])
    requirement.delete()
    assert meaning(current_ruleset()) != before
    assert meaning(begun) == before


def test_every_change_names_its_template() -> None:
    template, other = make_template(), make_template()
    requirement, penalty = requires_course(template), penalizes_failing(template, requires_course(template))
    group, rule = RequirementGroup.named(template, "either"), requirement.rules.get(key_path="course.course_key")
    mine, both = {template.pk}, {template.pk, other.pk}
    bulk = DataRule(requirement=requirement, key_path="is_passing", operator="eq", value="true")

    def move(to: BadgeTemplate) -> None:
        requirement.template = to
        requirement.save()

    changes: list[tuple[Callable[[], Any], set[int] | None]] = [
        (template.save, mine),
        (lambda: api.deactivate_template(template), mine),
        (group.save, mine),
        (requirement.save, mine),
        (rule.save, mine),
        (penalty.save, mine),
        (penalty.rules.get(key_path="course.course_key").save, mine),
        (lambda: penalty.requirements.add(requirement), mine),
        (lambda: requirement.penalties.clear(), mine),
        (lambda: BadgeTemplate.objects.update(name="Both"), both),
        (lambda: BadgeTemplate.objects.filter(pk=0).update(name="None"), set()),
        (lambda: BadgeRequirement.objects.filter(pk=requirement.pk).update(position=1), mine),
        (lambda: BadgeRequirement.objects.bulk_update([requirement], ["position"]), mine),
        (lambda: DataRule.objects.bulk_create([bulk]), mine),
        (rule.delete, mine),
        (lambda: move(other), both),
        (lambda: move(template), both),
        # Where the rows come from and where they go would be two questions.
        (lambda: BadgeRequirement.objects.filter(pk=requirement.pk).update(template=template), None),
        (lambda: PenaltyDataRule.objects.all().delete(), mine),
        (penalty.delete, mine),
        (requirement.delete, mine),
        (lambda: BadgeTemplate.objects.filter(pk=template.pk).delete(), None),
    ]
    for number, (change, expected) in enumerate(changes):
        before = RulesetVersion.current()
        assert before is not None
        change()
        named = RulesetChange.since(before)
        assert named == expected or (expected is None and named in (None, mine)), number


def test_only_what_changed_is_compiled_and_only_once() -> None:
    for course in COURSES:
        requires_course(make_template(), course)
    known = current_ruleset()
    changed = make_template()
    requires_course(changed, COURSES[0])
    new = current_ruleset()
    assert new.templates.keys() - known.templates.keys() == {changed.pk}
    assert all(new.templates[pk] is known.templates[pk] for pk in known.templates)
    with CaptureQueriesContext(connection) as queries:
        assert current_ruleset() is new
    assert len(queries) == 1


@pytest.mark.parametrize("at_once", [1, 2, 7])
def test_templates_are_read_in_parts(lower: Lower, at_once: int) -> None:
    staff = Staff(1)
    for _ in range(30):
        staff.act()
    whole = compile_ruleset()
    lower("badges_plugin.configured", AT_ONCE=at_once)
    lower("badges_plugin.configured", MOST_KEYS=at_once)
    assert meaning(compile_ruleset()) == meaning(whole)
    some = list(whole.templates)[1:]
    assert compile_ruleset(template_ids=[*some, 0]).templates.keys() == set(some)


def test_a_change_of_other_templates_is_no_reason_to_undo_work() -> None:
    mine, other = make_template(), make_template()
    ruleset = current_ruleset()
    other.save()
    ruleset.must_be_current([mine.pk])
    for template_ids in (None, [mine.pk, other.pk]):
        with pytest.raises(ConfigurationChanged):
            ruleset.must_be_current(template_ids)
    mine.save()
    with pytest.raises(ConfigurationChanged):
        ruleset.must_be_current([mine.pk])


def test_where_the_trail_does_not_reach_anything_may_have_changed(lower: Lower) -> None:
    template, other = make_template(), make_template()
    ruleset = current_ruleset()
    lower(versions, KEPT_CHANGES=3)
    for _ in range(4):
        other.save()
    RulesetChange.prune()
    assert RulesetChange.objects.count() == 3
    with pytest.raises(ConfigurationChanged):
        ruleset.must_be_current([template.pk])
    assert meaning(current_ruleset()) == meaning(compile_ruleset(RulesetVersion.current()))


def test_a_change_of_too_many_templates_names_none(lower: Lower) -> None:
    lower("badges_plugin.models.configuration", MAX_NAMED=1)
    make_template(), make_template()
    before = RulesetVersion.current()
    BadgeTemplate.objects.update(name="All")
    assert before is not None
    assert RulesetChange.since(before) is None


def test_another_setting_compiles_all_again(settings: Any) -> None:
    requires(make_template(), ("is_passing", "eq", "true"))
    assert current_ruleset().match(passing(COURSES[0]))
    settings.BADGES_CONFIG = {"rules": {"ignored_keypaths": ["is_passing"]}}
    assert not current_ruleset().match(passing(COURSES[0]))


def load(rule: DataRule, requirement: BadgeRequirement) -> None:
    """Load a fixture, as ``loaddata`` does: no method of the model runs."""
    rule.requirement = requirement
    for loaded in serializers.deserialize("json", serializers.serialize("json", [rule])):
        loaded.save()


def save_as_new(rule: DataRule, requirement: BadgeRequirement) -> None:
    """Save an object that was never read, over a row that there is."""
    values = {"key_path": rule.key_path, "operator": rule.operator, "value": rule.value}
    DataRule(pk=rule.pk, requirement=requirement, **values).save()


@pytest.mark.parametrize("move", [load, save_as_new])
def test_a_row_that_is_written_over_concerns_the_template_that_had_it(
    move: Callable[[DataRule, BadgeRequirement], None],
) -> None:
    before, after = (requires_course(make_template(), course) for course in COURSES[:2])
    current_ruleset()
    move(before.rules.get(key_path="course.course_key"), after)
    assert meaning(current_ruleset()) == meaning(compile_ruleset(RulesetVersion.current()))


def test_the_trail_is_pruned_as_fast_as_it_grows(monkeypatch: pytest.MonkeyPatch, lower: Lower) -> None:
    lower(versions, KEPT_CHANGES=10)
    tokens = iter(range(1, 1000))
    monkeypatch.setattr(versions, "new_token", lambda: next(tokens))
    for _ in range(100):
        RulesetVersion.renew(range(100))
    # Changes of many templates leave no more behind than those of one.
    assert RulesetChange.objects.count() < 1000


def test_a_trail_that_is_pruned_meanwhile_tells_nothing(lower: Lower) -> None:
    template, other = make_template(), make_template()
    ruleset = current_ruleset()
    template.save()
    for _ in range(3):
        other.save()
    lower(versions, KEPT_CHANGES=2)
    pruned: list[str] = []

    def prune(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Prune after the first question."""
        found = execute(sql, params, many, context)
        if "rulesetchange" in sql and sql.startswith("SELECT") and not pruned:
            pruned.append(sql)
            RulesetChange.prune()
        return found

    with connection.execute_wrapper(prune), pytest.raises(ConfigurationChanged):
        ruleset.must_be_current([template.pk])
    assert pruned
