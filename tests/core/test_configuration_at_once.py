"""The configuration is changed in two places at the same instant: the changes come one after the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection, transaction

from badges_plugin.models import BadgePenalty, BadgeRequirement, BadgeTemplate
from tests.factories import make_template, penalizes, requires_course
from tests.meanwhile import meanwhile

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]


def writes(word: str, model: type[BadgeTemplate] | type[BadgeRequirement]) -> Callable[[str], bool]:
    table = connection.ops.quote_name(model._meta.db_table)
    return lambda sql: sql.startswith(word) and table in sql


def rename(template: BadgeTemplate) -> None:
    """As a synchronization does."""
    template = BadgeTemplate.objects.get(pk=template.pk)
    template.name = "Renamed"
    template.save(update_fields=["name", "modified"])


def describe(requirement: BadgeRequirement) -> None:
    """As a page of the admin does, in whose transaction more follows."""
    with transaction.atomic():
        requirement = BadgeRequirement.objects.get(pk=requirement.pk)
        requirement.description = "Described"
        requirement.save()


def test_the_last_requirement_is_deleted_while_the_template_is_saved() -> None:
    template = make_template()
    last = requires_course(template)

    # The deletion has written what compiles the rules anew, and is about to deactivate the template.
    with meanwhile(lambda: rename(template), before=writes("UPDATE", BadgeTemplate)) as saved:
        last.delete()
    saved()

    template.refresh_from_db()
    assert (template.name, template.is_active) == ("Renamed", False)


def test_the_last_requirement_is_deleted_while_another_is_added() -> None:
    template = make_template()
    last = requires_course(template)

    with meanwhile(lambda: requires_course(template), before=writes("UPDATE", BadgeTemplate)) as added:
        last.delete()

    assert list(template.requirements.all()) == [added()]


@pytest.mark.parametrize("change", [describe, lambda requirement: requirement.delete()])
def test_a_requirement_is_changed_while_a_penalty_takes_it_up(change: Callable[[BadgeRequirement], None]) -> None:
    template = make_template()
    requires_course(template)
    requirement, penalty = requires_course(template), penalizes(template, [])

    def is_linking(sql: str) -> bool:
        return sql.startswith("INSERT") and BadgePenalty.requirements.through._meta.db_table in sql

    with meanwhile(lambda: change(requirement), before=is_linking) as changed, transaction.atomic():
        penalty.save()
        penalty.requirements.add(requirement)
    changed()

    assert template.requirements.count() == penalty.requirements.count() + 1
