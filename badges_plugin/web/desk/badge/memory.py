"""A badge template as a form describes it, with all that belongs to it, made in memory and never stored.

So what is said of a badge before it is saved comes from the same code as what is said of it afterwards. Rows that are
not stored yet have negative primary keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from badges_plugin.models import (
    BadgePenalty,
    BadgeRequirement,
    BadgeTemplate,
    DataRule,
    PenaltyDataRule,
    RequirementGroup,
)
from badges_plugin.web.desk.badge.encoding import Asked, penalties_of, requirement_of
from badges_plugin.web.desk.badge.setup import Setup, Stored, Terms


def made_of(template: BadgeTemplate, setup: Setup, needed_badges: dict[int, BadgeTemplate]) -> BadgeTemplate:
    """Give a template in memory, stored or not, the requirements and penalties of a setup; return it.

    ``needed_badges``: the badges that lines ask for, by primary key. No query.
    """
    if not template.pk:
        template.pk = -1
    maker = _Maker(template, setup.terms, needed_badges)
    for number, block in enumerate(setup.blocks, 1):
        group = None
        if block.needed is not None and block.lines:
            name, key = _("Block %d") % number, block.group_id or next(maker.keys)
            group = RequirementGroup(pk=key, template=template, name=name, needed=block.needed)
            maker.groups.append(group)
        for stored in block.lines:
            maker.add(stored, group)
    _prefetched(template, requirements=maker.requirements, penalties=maker.penalties, groups=maker.groups)
    return template


class _Maker:
    def __init__(self, template: BadgeTemplate, terms: Terms, needed_badges: dict[int, BadgeTemplate]) -> None:
        self._template, self._terms, self._needed_badges = template, terms, needed_badges
        # Later ones are greater, as they are in a database: what is shown keeps the order of the form.
        self.keys: Iterator[int] = count(-1_000_000)
        self.requirements: list[BadgeRequirement] = []
        self.penalties: list[BadgePenalty] = []
        self.groups: list[RequirementGroup] = []

    def add(self, stored: Stored, group: RequirementGroup | None) -> None:
        asked = requirement_of(stored.line, self._terms)
        requirement = BadgeRequirement(
            pk=stored.requirement_id or next(self.keys),
            template=self._template,
            group=group,
            event_type=asked.event_type,
            count=asked.count,
            counted_by=asked.counted_by,
        )
        if asked.needs_badge_id is not None:
            requirement.needs_badge = self._needed_badges[asked.needs_badge_id]
        rules = [
            DataRule(pk=next(self.keys), requirement=requirement, **vars_of(rule_text)) for rule_text in asked.rules
        ]
        _prefetched(requirement, rules=rules)
        self.requirements.append(requirement)
        self.penalties += [self._penalty(each, requirement) for each in penalties_of(stored.line, self._terms)]

    def _penalty(self, asked: Asked, requirement: BadgeRequirement) -> BadgePenalty:
        penalty = BadgePenalty(pk=next(self.keys), template=self._template, event_type=asked.event_type)
        rules = [PenaltyDataRule(pk=next(self.keys), penalty=penalty, **vars_of(each)) for each in asked.rules]
        _prefetched(penalty, rules=rules, requirements=[requirement])
        return penalty


def vars_of(rule: Any) -> dict[str, str]:
    """Return the columns of a rule."""
    return {"key_path": rule.key_path, "operator": rule.operator, "value": rule.value}


def _prefetched(row: models.Model, **related: list[Any]) -> None:
    """Let related managers find rows as if they had been prefetched."""
    vars(row).setdefault("_prefetched_objects_cache", {}).update(related)
