"""Store what the form says of a badge: only what differs from what is stored, so that learners' progress stays.

A line that was there before keeps its requirement, changed or not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.admin.models import ADDITION, CHANGE
from django.db import transaction
from django.db.models import Prefetch
from django.http import HttpRequest
from django.utils.translation import gettext as _

from badges_plugin import api, staff_log
from badges_plugin.criteria import way_of
from badges_plugin.models import (
    BadgePenalty,
    BadgeRequirement,
    BadgeTemplate,
    DataRule,
    PenaltyDataRule,
    RequirementGroup,
    RulesetVersion,
)
from badges_plugin.models.requirements import meaning_of
from badges_plugin.models.validity import digest
from badges_plugin.web.desk.badge.encoding import Asked, penalties_of, requirement_of
from badges_plugin.web.desk.badge.memory import vars_of
from badges_plugin.web.desk.badge.setup import Block, Setup, Stored, Terms


def loaded(template_id: int) -> BadgeTemplate | None:
    """Return a template with all that belongs to it, None if there is none. Eight queries at most."""
    rows = BadgeTemplate.objects.filter(pk=template_id).prefetch_related(
        Prefetch("requirements", BadgeRequirement.objects.select_related("group", "needs_badge").order_by("pk")),
        "requirements__rules",
        Prefetch("penalties", BadgePenalty.objects.order_by("pk")),
        "penalties__rules",
        "penalties__requirements",
        Prefetch("groups", RequirementGroup.objects.order_by("position", "pk")),
    )
    return rows.first()


def version_of(template: BadgeTemplate) -> str:
    """Return what is the same as long as nobody changes what a form shows of a loaded template."""
    facts = [
        template.name,
        template.description,
        template.valid_days,
        template.can_be_reawarded,
        template.is_given_by_staff,
        [
            [each.pk, each.digest(), each.count, each.group_id, each.group.needed if each.group else 0]
            for each in template.requirements.all()
        ],
        [[each.pk, each.digest()] for each in template.penalties.all()],
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Change:
    """A requirement whose rules change, or that goes away (``after`` is None)."""

    requirement: BadgeRequirement
    after: Asked | None
    digest: str = ""
    """That of the new rules."""


def changes(template: BadgeTemplate, setup: Setup) -> list[Change]:
    """Return what a setup changes about the requirements of a loaded template that are there already. No query."""
    wanted = {stored.requirement_id: stored.line for stored in setup.lines}
    found = []
    for requirement in template.requirements.all():
        line = wanted.get(requirement.pk)
        after = requirement_of(line, setup.terms) if line is not None else None
        if after is None or _digest(after) != requirement.digest() or after.count != requirement.count:
            found.append(Change(requirement, after, _digest(after) if after is not None else ""))
    return found


def save(template: BadgeTemplate, setup: Setup, *, forget: bool = False) -> None:
    """Store what a setup asks for; the template itself is stored already, and loaded.

    ``forget``: what learners did for a line that is changed does not count any more; otherwise it is kept. Raises
    ValidationError for what cannot be stored.
    """
    with transaction.atomic():
        RulesetVersion.hold()
        _Saving(template, setup.terms, forget=forget).blocks(setup.blocks)


class _Saving:
    def __init__(self, template: BadgeTemplate, terms: Terms, *, forget: bool) -> None:
        self._template, self._terms, self._forget = template, terms, forget
        self._requirements = {each.pk: each for each in template.requirements.all()}
        self._groups = {each.pk: each for each in template.groups.all()}
        self._penalties: dict[tuple[frozenset[int], str], list[BadgePenalty]] = {}
        for penalty in template.penalties.all():
            linked = frozenset(each.pk for each in penalty.requirements.all())
            self._penalties.setdefault((linked, penalty.digest()), []).append(penalty)

    def blocks(self, blocks: Iterable[Block]) -> None:
        """Store the blocks in an order in which no row stands in the way of another."""
        kept: set[int] = set()
        groups: set[int] = set()
        for block in blocks:
            group = self._group(block)
            if group is not None:
                groups.add(group.pk)
            kept |= {self._line(stored, group) for stored in block.lines}
        for penalty in [each for rows in self._penalties.values() for each in rows]:
            penalty.delete()
        for pk, requirement in self._requirements.items():
            if pk not in kept:
                requirement.delete()
        for pk, row in self._groups.items():
            if pk not in groups:
                row.delete()

    def _group(self, block: Block) -> RequirementGroup | None:
        if block.needed is None:
            return None
        group = self._groups.get(block.group_id or 0)
        if group is None:
            return RequirementGroup.objects.create(
                template=self._template, name=self._free_name(), needed=block.needed, position=len(self._groups)
            )
        if group.needed != block.needed:
            group.needed = block.needed
            group.save()
        return group

    def _free_name(self) -> str:
        taken = set(RequirementGroup.objects.filter(template=self._template).values_list("name", flat=True))
        return next(name for number in range(1, 10_000) if (name := _("Block %d") % number) not in taken)

    def _line(self, stored: Stored, group: RequirementGroup | None) -> int:
        """Store a line, and return the primary key of its requirement."""
        asked = requirement_of(stored.line, self._terms)
        requirement = self._requirements.get(stored.requirement_id or 0)
        if requirement is None:
            requirement = BadgeRequirement(template=self._template, group=group)
            _put(requirement, asked)
            requirement.save()
            _add_rules(requirement, asked)
        else:
            self._update(requirement, asked, group)
        for penalty in penalties_of(stored.line, self._terms):
            self._penalty(penalty, requirement)
        return requirement.pk

    def _update(self, requirement: BadgeRequirement, asked: Asked, group: RequirementGroup | None) -> None:
        before = requirement.validity().current
        is_changed = _digest(asked) != requirement.digest()
        if is_changed:
            requirement.rules.all().delete()
            requirement = BadgeRequirement.objects.get(pk=requirement.pk)  # without the rules that it had
            requirement.description = ""  # it told the old rules
        elif requirement.group_id == (group.pk if group else None) and requirement.count == asked.count:
            return
        requirement.group = group
        _put(requirement, asked)
        requirement.save()
        if is_changed:
            _add_rules(requirement, asked)
            decide = api.forget_fulfillments if self._forget else api.keep_fulfillments
            decide(requirement, before=before)

    def _penalty(self, asked: Asked, requirement: BadgeRequirement) -> None:
        """Store a penalty unless there is one that does the same."""
        same = self._penalties.get((frozenset({requirement.pk}), digest(asked.event_type, asked.rules)))
        if same:
            same.pop()
            return
        penalty = BadgePenalty.objects.create(template=self._template, event_type=asked.event_type)
        penalty.requirements.set([requirement])
        for rule in asked.rules:
            PenaltyDataRule(penalty=penalty, **vars_of(rule)).save()


def _put(requirement: BadgeRequirement, asked: Asked) -> None:
    requirement.event_type, requirement.count = asked.event_type, asked.count
    requirement.counted_by = asked.counted_by
    requirement.needs_badge_id = asked.needs_badge_id


def _add_rules(requirement: BadgeRequirement, asked: Asked) -> None:
    for rule in asked.rules:
        DataRule(requirement=requirement, **vars_of(rule)).save()


def _digest(asked: Asked) -> str:
    return meaning_of(asked.event_type, asked.rules, way_of(asked.count, asked.counted_by), asked.needs_badge_id)


def note(request: HttpRequest, template: BadgeTemplate, text: str, *, is_new: bool = False) -> None:
    """Note in the history of a badge who did what, in words."""
    staff = request.user.pk or 0  # nobody gets here without having signed in
    staff_log.note(staff, BadgeTemplate, [template], text, flag=ADDITION if is_new else CHANGE)
