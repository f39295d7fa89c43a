"""Groups of requirements are rows: a typing error makes no second one, and none disappears without a question."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import RestrictedError
from django.test import Client

from badges_plugin.models import BadgeRequirement, RequirementGroup, RulesetVersion
from badges_plugin.ruleset import compile_ruleset
from tests.core.admin_pages import PASSES, errors, rules, staff, submit, text, url
from tests.factories import PASSING, make_template, requires_course

OTHER = "course-v1:Demo+Other+1"


@pytest.fixture
def client() -> Client:
    return staff(superuser=True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("language", "language", True),
        ("Group A", "group a", True),
        ("Group A", "  Group \t A\n", True),
        ("Group A", "Group\u00a0A", True),
        ("Group A", "Gr\u200boup A", True),
        ("Straße", "STRASSE", True),
        ("\uff21", "a", True),
        ("e\u0301te\u0301", "été", True),
        ("language", "languages", False),
        ("resume", "résumé", False),
        ("A 1", "A1", False),
    ],
)
def test_e6_names_that_people_read_as_the_same_are_the_same(first: str, second: str, same: bool) -> None:
    template = make_template()
    one = RequirementGroup.named(template, first)
    assert (RequirementGroup.named(template, second) == one) is same
    assert RequirementGroup.named(make_template(), first) != one
    if same:
        with pytest.raises(ValidationError, match="already"):
            RequirementGroup.objects.create(template=template, name=second)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "  \t", "\u200b"])
def test_e6_a_group_has_a_name(name: str) -> None:
    with pytest.raises(ValidationError, match="Give the group a name"):
        RequirementGroup.objects.create(template=make_template(), name=name)


@pytest.mark.django_db
def test_e6_a_renamed_group_keeps_its_requirements_and_its_name_to_itself() -> None:
    template = make_template()
    requirement = requires_course(template, group="langauge")
    group = requirement.group
    assert group is not None
    group.name = " Language "
    group.save(update_fields=["name"])
    assert RequirementGroup.named(template, "language") == group
    assert str(RequirementGroup.objects.get()) == "Language"


@pytest.mark.django_db
def test_e6_the_group_of_another_template_is_refused() -> None:
    foreign = RequirementGroup.named(make_template(), "A")
    requirement = requires_course(make_template())
    requirement.group = foreign
    for refuse in (requirement.full_clean, requirement.save):
        with pytest.raises(ValidationError, match="another badge template"):
            refuse()
    member = requires_course(foreign.template, group="A")
    foreign.template = requirement.template
    with pytest.raises(ValidationError, match="another badge template"):
        foreign.save()
    assert member.group == foreign


@pytest.mark.django_db
def test_e6_deleting_a_group_never_makes_conditions_of_alternatives() -> None:
    template = make_template()
    requires_course(template, group="either")
    requires_course(template, OTHER, group="either")
    with pytest.raises(RestrictedError):
        RequirementGroup.objects.get().delete()
    with pytest.raises(RestrictedError):
        RequirementGroup.objects.all().delete()
    assert len(compile_ruleset().templates[template.pk].criteria.groups) == 1
    template.delete()
    assert not RequirementGroup.objects.exists()


@pytest.mark.django_db
def test_e6_groups_renew_the_ruleset() -> None:
    template = make_template()
    for change in (
        lambda: RequirementGroup.named(template, "A"),
        lambda: RequirementGroup.objects.update(name="B"),
        lambda: RequirementGroup.objects.all().delete(),
    ):
        before = RulesetVersion.current()
        change()
        assert RulesetVersion.current() != before


@pytest.mark.django_db
def test_e6_a_group_and_a_requirement_of_the_same_number_are_two_things() -> None:
    template = make_template()
    alone = requires_course(template)
    group = RequirementGroup(pk=alone.pk, template=template, name="A")
    group.save(force_insert=True)
    grouped = BadgeRequirement.objects.create(template=template, event_type=PASSING, group=group)
    groups = compile_ruleset().templates[template.pk].criteria.groups
    assert [[criterion.id for criterion in group.criteria] for group in groups] == [[alone.pk], [grouped.pk]]


@pytest.mark.django_db
def test_e6_staff_choose_a_group_or_make_one(client: Client) -> None:
    template, other = make_template(is_active=False), make_template(is_active=False)
    foreign = RequirementGroup.named(other, "Foreign")
    address = f"{url('badgerequirement', 'add')}?template={template.pk}"

    def add(**changes: Any) -> Any:
        return submit(client, address, rules(*PASSES), event_type=PASSING, **changes)

    add(new_group="Language")
    group = template.groups.get()
    assert "Foreign" not in text(client.get(address))
    add(group=group.pk)
    add(new_group=" language")
    assert template.groups.count() == 1
    assert "not both" in errors(add(group=group.pk, new_group="Another"))
    assert "Select a valid choice" in errors(add(group=foreign.pk))
    page = add(new_group="Languages")
    assert "“Languages” is now a group in addition to “Language”. Learners must fulfill both." in errors(page)
    assert [requirement.group_id == group.pk for requirement in template.requirements.order_by("pk")] == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.django_db
def test_e6_staff_rename_a_group_and_delete_an_empty_one(client: Client) -> None:
    template = make_template(is_active=False)
    requires_course(template, group="langauge")
    group, empty = template.groups.get(), RequirementGroup.named(template, "empty")
    assert "already" in errors(submit(client, url("requirementgroup", "change", group.pk), name="Empty "))
    submit(client, url("requirementgroup", "change", group.pk), name="language")
    for each in (group, empty):
        client.post(url("requirementgroup", "delete", each.pk), {"post": "yes"})
    assert [each.name for each in template.groups.all()] == ["language"]
