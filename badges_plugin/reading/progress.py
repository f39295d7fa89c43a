"""How far learners are: what is done, what is missing, and which event said so last.

Whether something counts is decided by ``badges_plugin.criteria`` alone, here as where events are applied.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from badges_plugin.criteria import GroupStanding, Register, Registers, Tally, by_requirement, stamp_of
from badges_plugin.models import BadgeProgress, BadgeRequirement, Fulfillment
from badges_plugin.reading.asking import GroupText, RequirementText, Said, group_text, with_requirements
from badges_plugin.reading.awards import Award, awards_of_progress
from badges_plugin.reading.composing import is_course_path
from badges_plugin.reading.standing import BadgeState, GroupProgress, LastEvent, LearnerProgress, RequirementProgress
from badges_plugin.rules import Rule
from badges_plugin.ruleset import criteria_of, grouped


def progress(user_ids: Collection[int], template_ids: Collection[int]) -> dict[tuple[int, int], LearnerProgress]:
    """Return how far each of these learners is with each of these badges, by user id and template id.

    Those with whom nothing happened yet are there, too. At most seven queries, for any number of either.
    """
    rows = list(BadgeProgress.objects.filter(user__in=user_ids, template__in=template_ids))
    templates = _Templates(template_ids, rows)
    stored = {(row.user_id, row.template_id): row for row in rows}
    return {
        (user_id, template_id): templates.progress(user_id, template_id, stored.get((user_id, template_id)))
        for user_id in user_ids
        for template_id in templates.rows
    }


def progress_rows(progress_ids: Collection[int]) -> dict[int, LearnerProgress]:
    """Return how far stored progress is, by its key. At most seven queries, for any number of rows."""
    rows = list(BadgeProgress.objects.filter(pk__in=progress_ids))
    templates = _Templates({row.template_id for row in rows}, rows)
    return {row.pk: templates.progress(row.user_id, row.template_id, row) for row in rows}


class _Templates:
    """Everything that is known of some badge templates, and of some learners' progress on them."""

    def __init__(self, template_ids: Collection[int], rows: Sequence[BadgeProgress]) -> None:
        self.rows = {row.pk: row for row in with_requirements(template_ids)}
        keys = [row.pk for row in rows]
        self._registers: dict[int, list[Fulfillment]] = defaultdict(list)
        for register in Fulfillment.objects.filter(progress__in=keys):
            self._registers[register.progress_id].append(register)
        self._awards = awards_of_progress(keys)
        requirements = [each for row in self.rows.values() for each in row.requirements.all()]
        counted_by = {each.pk: is_course_path(each.event_type, each.counted_by) for each in requirements}
        values = {
            register.value
            for registers in self._registers.values()
            for register in registers
            if register.value and counted_by.get(register.requirement_id)
        }
        self._said = Said(requirements, values)
        self._criteria = {
            row.pk: criteria_of(row.requirements.all(), in_order=row.in_order) for row in self.rows.values()
        }
        # The same for every learner.
        self._groups = {
            row.pk: [(members, group_text(members, self._said)) for members in grouped(row.requirements.all())]
            for row in self.rows.values()
        }

    def progress(self, user_id: int, template_id: int, row: BadgeProgress | None) -> LearnerProgress:
        template, criteria = self.rows[template_id], self._criteria[template_id]
        row = row or BadgeProgress()  # nothing happened yet
        stored = self._registers[row.pk] if row.pk else []
        standing = criteria.standing(stored, counts_from=row.counts_from)
        registers = by_requirement(stored)
        open_group = next((group for group in standing.groups if not group.is_fulfilled), None)
        awards = self._awards.get(row.pk, ())
        return LearnerProgress(
            id=row.pk,
            user_id=user_id,
            template_id=template_id,
            template_name=template.name,
            is_active=template.is_active,
            state=_state(awards),
            is_complete=standing.is_complete,
            completed_at=standing.completed_at,
            groups=tuple(
                self._group(members, text, group, registers, is_next=template.in_order and group is open_group)
                for (members, text), group in zip(self._groups[template_id], standing.groups, strict=True)
            ),
            awards=awards,
        )

    def _group(
        self,
        requirements: Sequence[BadgeRequirement],
        text: GroupText,
        standing: GroupStanding,
        registers: Registers,
        *,
        is_next: bool,
    ) -> GroupProgress:
        return GroupProgress(
            name=text.name,
            sentence=text.sentence,
            needed=standing.group.needed,
            done=min(standing.number, standing.group.needed),
            is_fulfilled=standing.is_fulfilled,
            is_next=is_next,
            requirements=tuple(
                self._requirement(requirement, each, tally, registers.get(requirement.pk, ()))
                for requirement, each, tally in zip(requirements, text.requirements, standing.tallies, strict=True)
            ),
        )

    def _requirement(
        self, requirement: BadgeRequirement, text: RequirementText, tally: Tally, registers: Sequence[Register]
    ) -> RequirementProgress:
        rules = tally.criterion.rules
        uncounted = [row for row in registers if row.is_fulfilled and not rules.covers(row.made_under)]
        forgotten = sum(rules.is_forgotten(row.made_under) for row in uncounted)
        held = [held.register.value for held in tally.held if held.register.value]
        listed = _listed(requirement.counted_by, self._said.facts(requirement).rules or ())
        counts_courses = is_course_path(requirement.event_type, requirement.counted_by)
        missing = [] if tally.is_fulfilled else sorted(listed - set(held))
        return RequirementProgress(
            id=requirement.pk,
            sentence=text.sentence,
            needed=requirement.count,
            done=min(tally.number, requirement.count),
            is_fulfilled=tally.is_fulfilled,
            since=tally.completed_at,
            counted=tuple(self._said.title(value) for value in held),
            missing=tuple(self._said.title(value) for value in missing),
            events=tuple(held.register.event_id for held in tally.held),
            earlier_events=tuple(row.event_id for row in sorted(uncounted, key=stamp_of)),
            last_event=self._last_event(registers),
            undecided=len(uncounted) - forgotten,
            forgotten=forgotten,
            counts_courses=counts_courses,
        )

    def _last_event(self, registers: Sequence[Register]) -> LastEvent | None:
        newest = max(registers, key=stamp_of, default=None)
        if newest is None:
            return None
        value = self._said.title(newest.value)
        return LastEvent(newest.event_id, newest.event_type, newest.event_time, value, newest.is_fulfilled)


def _listed(counted_by: str, rules: Iterable[Rule]) -> set[str]:
    """Return the values that the rules list for what is counted; empty where they list none."""
    if not counted_by:
        return set()
    return {str(value) for rule in rules if rule.key_path == counted_by for value in rule.equal_to or ()}


def _state(awards: Sequence[Award]) -> BadgeState:
    return BadgeState(awards[-1].state.value) if awards else BadgeState.ON_THE_WAY
