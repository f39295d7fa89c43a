"""Say what badges ask for: a sentence for each requirement, group and penalty, and how long a badge is valid."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from badges_plugin import catalog
from badges_plugin.exceptions import InvalidRule, UnusableEventType
from badges_plugin.host import course_titles
from badges_plugin.models import BadgePenalty, BadgeRequirement, BadgeTemplate
from badges_plugin.models.conditions import EventCondition
from badges_plugin.models.key_paths import compile_for
from badges_plugin.models.validity import RuleText
from badges_plugin.reading.composing import Facts, courses_in, phrase, programs_in, rule_key, whole_courses_in
from badges_plugin.reading.phrases import Phrase, group_sentence
from badges_plugin.reading.words import event_label, rule_sentence, rules_sentence
from badges_plugin.rules import Rule
from badges_plugin.ruleset import grouped

Condition = BadgeRequirement | BadgePenalty


@dataclass(frozen=True)
class RequirementText:
    """One requirement. ``sentence`` is staff's description where they wrote one."""

    id: int
    sentence: str
    rules: str
    """The data rules as staff entered them, in words."""
    event: str


@dataclass(frozen=True)
class GroupText:
    """Requirements of which ``needed`` are enough. ``name`` is empty for a requirement that stands alone."""

    name: str
    needed: int
    sentence: str
    requirements: tuple[RequirementText, ...]


@dataclass(frozen=True)
class PenaltyText:
    """One penalty. ``takes_away`` are the sentences of the requirements that it resets."""

    id: int
    sentence: str
    rules: str
    event: str
    takes_away: tuple[str, ...]


@dataclass(frozen=True)
class CriteriaText:
    """All that a badge asks for. Every group is needed; ``in_order``: one after another, as they stand here."""

    template_id: int
    name: str
    description: str
    in_order: bool
    groups: tuple[GroupText, ...]
    penalties: tuple[PenaltyText, ...]
    validity: tuple[str, ...]
    """How long the badge is valid, and when it can be renewed. Empty: it does not expire."""
    is_given_by_staff: bool = False

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return everything in the order in which people read it, a sentence each."""
        return (*self.steps, *self.conditions)

    @property
    def steps(self) -> tuple[str, ...]:
        """Return what has to be done, a sentence for each group; or that staff award a badge that asks for nothing."""
        steps = [group.sentence for group in self.groups]
        if not steps and self.is_given_by_staff:
            steps = [_("Awarded by staff")]
        if self.in_order and len(steps) > 1:
            first, *others = steps
            then = _("Then: %(sentence)s")
            steps = [_("First: %(sentence)s") % {"sentence": first}, *[then % {"sentence": each} for each in others]]
        return tuple(steps)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Return what takes the badge away, and how long it is valid, a sentence each."""
        return (*(penalty.sentence for penalty in self.penalties), *self.validity)


def criteria(template_ids: Collection[int]) -> dict[int, CriteriaText]:
    """Return what badge templates ask for, by their keys. At most seven queries for any number of them."""
    templates = with_requirements(template_ids).prefetch_related(
        Prefetch("penalties", BadgePenalty.objects.order_by("pk")),
        "penalties__rules",
        "penalties__requirements",
    )
    rows = list(templates)
    said = Said(conditions_of(rows))
    return {row.pk: criteria_of(row, said) for row in rows}


def with_requirements(template_ids: Collection[int]) -> QuerySet[BadgeTemplate]:
    """Return badge templates with their requirements and these' rules. Three queries."""
    requirements = BadgeRequirement.objects.select_related("group", "needs_badge").order_by("pk")
    return BadgeTemplate.objects.filter(pk__in=template_ids).prefetch_related(
        Prefetch("requirements", requirements), "requirements__rules"
    )


def conditions_of(templates: Iterable[BadgeTemplate]) -> list[Condition]:
    """Return the requirements and penalties of templates. No query if prefetched."""
    found: list[Condition] = []
    for template in templates:
        found += template.requirements.all()
        found += template.penalties.all()
    return found


def sentences(conditions: Iterable[Condition]) -> dict[int, str]:
    """Return one sentence each, by primary key, for conditions of one model whose rules are prefetched."""
    rows = list(conditions)
    said = Said(rows)
    return {row.pk: said.sentence(row) for row in rows}


def key_sentence(condition: EventCondition) -> str:
    """Return the sentence of one condition, with courses by their keys, for warnings about its rules.

    No query where its rules, and the badge that it needs, are loaded.
    """
    if isinstance(condition, BadgeRequirement | BadgePenalty):
        return str(phrase(_facts(condition), {}))
    return str(condition)


def plain_sentence(condition: Condition, rules: Iterable[RuleText]) -> str:
    """Return the event and these rules in words, whatever staff have written: to compare them before and after."""
    return str(phrase(_bare_facts(condition, rules_sentence(rules)), {}))


class Said:
    """The sentences of conditions whose rules are prefetched. One query for the titles of all their courses.

    One more each where any run of a course, or a program, is asked for, and the service has a catalog.

    ``keys``: more keys of courses whose titles are asked for later.
    """

    def __init__(self, conditions: Iterable[Condition], keys: Iterable[str] = ()) -> None:
        self._facts = {(type(condition), condition.pk): _facts(condition) for condition in conditions}
        every = list(self._facts.values())
        self._titles = {
            **catalog.course_titles({key for facts in every for key in whole_courses_in(facts)}),
            **catalog.program_titles({uuid for facts in every for uuid in programs_in(facts)}),
            **course_titles({*keys, *(key for facts in every for key in courses_in(facts))}),
        }

    def facts(self, condition: Condition) -> Facts:
        return self._facts[type(condition), condition.pk]

    def phrase(self, condition: Condition) -> Phrase:
        return phrase(self.facts(condition), self._titles)

    def sentence(self, condition: Condition) -> str:
        return str(self.phrase(condition))

    def title(self, key: str) -> str:
        """Return the title of a course, or the value itself where none is known."""
        return self._titles.get(key, key)


def criteria_of(template: BadgeTemplate, said: Said) -> CriteriaText:
    """Return what a template with prefetched conditions asks for. No query."""
    sentence_of = {each.pk: said.sentence(each) for each in template.requirements.all()}
    return CriteriaText(
        template_id=template.pk,
        name=template.name,
        description=template.description,
        in_order=template.in_order,
        groups=tuple(group_text(rows, said) for rows in grouped(template.requirements.all())),
        penalties=tuple(_penalty(row, said, sentence_of) for row in template.penalties.all()),
        validity=tuple(_validity(template)),
        is_given_by_staff=template.is_given_by_staff,
    )


def group_text(rows: Sequence[BadgeRequirement], said: Said) -> GroupText:
    """Return the requirements of one group in words."""
    group = rows[0].group
    needed = group.needed if group else 1
    return GroupText(
        name=group.name if group else "",
        needed=needed,
        sentence=group_sentence([said.phrase(row) for row in rows], needed),
        requirements=tuple(
            RequirementText(row.pk, said.sentence(row), _rules(row), event_label(row.event_type)) for row in rows
        ),
    )


def _rules(row: BadgeRequirement) -> str:
    """Return the rules, and nothing for a needed badge: it has none, and not every badge counts."""
    return "" if row.needs_badge_id is not None else rules_sentence(row.existing_rules())


def _penalty(row: BadgePenalty, said: Said, sentence_of: Mapping[int, str]) -> PenaltyText:
    linked = {requirement.pk for requirement in row.requirements.all()}
    return PenaltyText(
        id=row.pk,
        sentence=said.sentence(row),
        rules=rules_sentence(row.existing_rules()),
        event=event_label(row.event_type),
        takes_away=tuple(sentence for pk, sentence in sentence_of.items() if pk in linked),
    )


DAYS_OF_A_YEAR = 365


def _validity(template: BadgeTemplate) -> Iterable[str]:
    if not template.valid_days:
        return
    days = template.valid_days
    years, rest = divmod(days, DAYS_OF_A_YEAR)
    if rest:
        yield ngettext("Valid for %(days)d day", "Valid for %(days)d days", days) % {"days": days}
    else:  # as staff choose it
        yield ngettext("Valid for %(years)d year", "Valid for %(years)d years", years) % {"years": years}
    if days := template.renewal_days:
        text = ngettext(
            "Can be renewed from %(days)d day before it expires",
            "Can be renewed from %(days)d days before it expires",
            days,
        )
        yield text % {"days": days}


def _facts(condition: Condition) -> Facts:
    rows = condition.existing_rules()
    bare = _bare_facts(condition, rules_sentence(rows))
    is_penalty = isinstance(condition, BadgePenalty)
    return with_rules(replace(bare, description=condition.description, is_penalty=is_penalty), rows)


def with_rules(bare: Facts, rows: Sequence[RuleText]) -> Facts:
    """Return what a condition says with these rules, as stored now or formerly."""
    compiled = [_compiled(bare.event_type, row) for row in rows]
    usable = [rule for rule in compiled if rule is not None]
    return replace(
        bare,
        rules=usable if len(usable) == len(rows) else None,
        said={rule_key(rule): rule_sentence(row) for rule, row in zip(compiled, rows, strict=True) if rule is not None},
    )


def _bare_facts(condition: Condition, written: str) -> Facts:
    """Return the event and how often, and no more of the rules than how they are written."""
    if isinstance(condition, BadgePenalty):
        return Facts(condition.event_type, None, written)
    needed = condition.needs_badge
    return Facts(
        condition.event_type,
        None,
        written,
        count=condition.count,
        counted_by=condition.counted_by,
        needs_badge=needed.name if needed is not None else "",
    )


def _compiled(event_type: str, row: RuleText) -> Rule | None:
    try:
        return compile_for(event_type, row)
    except (InvalidRule, UnusableEventType):
        return None
