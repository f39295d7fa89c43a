"""Whether a badge template can be active, and what follows when it becomes so or stops being so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from badges_plugin import dependencies, earlier, surprises
from badges_plugin.dependencies import Graph
from badges_plugin.exceptions import ActivationRefused, ConfirmationNeeded
from badges_plugin.logs import get_logger
from badges_plugin.models import (
    BadgePenalty,
    BadgeProgress,
    BadgeRequirement,
    BadgeTemplate,
    RequirementGroup,
    RulesetVersion,
)
from badges_plugin.models.validity import RuleText
from badges_plugin.reading.asking import with_requirements
from badges_plugin.spellings import other_spellings
from badges_plugin.surprises import Judged

logger = get_logger(__name__)

REVIEWED_AT_ONCE = 200
"""Templates whose requirements are in memory together."""

_refusals: dict[str, Callable[[BadgeTemplate], str]] = {}


class Review(NamedTuple):
    """What is to be said, in sentences for staff, about a template."""

    template_id: int
    problems: list[str]
    """See ``activation_problems``."""
    warnings: list[str]
    """See ``activation_confirmations`` and ``activation_warnings``."""


def register_refusal(origin: str, ask: Callable[[BadgeTemplate], str]) -> None:
    """Ask also whoever templates of an origin come from before one is activated.

    ``ask`` gets the template as it is stored, and returns why no badges of it can be issued, in a sentence for staff;
    empty where they can. The last one that is registered for an origin counts.
    """
    _refusals[origin] = ask


def refusal_of(template: BadgeTemplate) -> str:
    """Return why whoever a stored template comes from would issue no badges of it; empty where they would."""
    ask = _refusals.get(template.origin)
    return ask(template) if ask is not None else ""


def activate_template(template: BadgeTemplate, *, confirmed: bool = False) -> None:
    """Start processing a template.

    Raises ActivationRefused with every reason why it cannot work, and ConfirmationNeeded for what somebody must want
    (see ``activation_confirmations``), unless it is ``confirmed``.
    """
    with transaction.atomic():
        RulesetVersion.hold()  # two badges that need each other, activated at the same instant
        problems = activation_problems(template)
        if problems:
            raise ActivationRefused(" ".join(problems))
        if not confirmed and (unconfirmed := activation_confirmations(template)):
            raise ConfirmationNeeded(" ".join(unconfirmed))
        _set_active(template, True)


def deactivate_template(template: BadgeTemplate) -> None:
    """Stop processing a template. Learners keep what they have. See ``deactivation_warnings``."""
    _set_active(template, False)


def activation_problems(template: BadgeTemplate) -> list[str]:
    """Return, in sentences for staff, why the template as it is stored cannot be active. Empty: it can."""
    stored = _loaded(template)
    refusal, problems = refusal_of(stored), _problems(stored, dependencies.stored_graph())
    return [refusal, *problems] if refusal else problems


def activation_warnings(template: BadgeTemplate) -> list[str]:
    """Return what is allowed but may surprise, in sentences for staff; see also ``activation_confirmations``."""
    return [text for _template, _judged, warnings in _judged_templates([_loaded(template)]) for text in warnings]


def activation_confirmations(template: BadgeTemplate) -> list[str]:
    """Return, in sentences for staff, what must be confirmed before: who fails is awarded, say. Empty: nothing."""
    return surprises.template_confirmations(surprises.judged(_loaded(template)))


def review_active() -> Iterator[Review]:
    """Review all active templates. A fixed number of queries for each 200, and some for what there is to say."""
    graph = dependencies.stored_graph()
    ids = iter(list(BadgeTemplate.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True)))
    while some := list(islice(ids, REVIEWED_AT_ONCE)):
        for template, judged, warnings in _judged_templates(_with_conditions(some)):
            confirmations = surprises.template_confirmations(judged)
            yield Review(template.pk, _problems(template, graph), [*confirmations, *warnings])


def review_unsaved(template: BadgeTemplate) -> Review:
    """Review a template as it is in memory, with its conditions and groups as if they were prefetched.

    Its ``problems`` are those of an activation; of what was done under earlier rules nothing is said. Rows that are not
    stored have negative primary keys. Six queries at most.
    """
    needs = frozenset(each.needs_badge_id for each in template.requirements.all() if each.needs_badge_id is not None)
    graph = {**dependencies.stored_graph(), template.pk: needs}
    judged = surprises.judged(template)
    warnings = surprises.template_warnings(template, judged, other_spellings(surprises.named_keys(judged.values())), {})
    confirmations = surprises.template_confirmations(judged)
    return Review(template.pk, _problems(template, graph), [*confirmations, *warnings, *_inactive_needs(template)])


def drafts() -> QuerySet[BadgeTemplate]:
    """Return the badges of this site that are not active and that nobody has begun to earn."""
    begun = BadgeProgress.objects.filter(template=OuterRef("pk"))
    return BadgeTemplate.objects.filter(~Exists(begun), origin=BadgeTemplate.ORIGIN, is_active=False)


def drafts_with_problems() -> list[int]:
    """Return the keys of drafts that ask for something and could not be activated as they are.

    Of the newest 200 drafts: what is older waits for nobody. A fixed number of queries.
    """
    keys = list(drafts().order_by("-pk").values_list("pk", flat=True)[:REVIEWED_AT_ONCE])
    if not keys:
        return []
    graph = dependencies.stored_graph()
    begun = [each for each in _with_conditions(keys) if each.requirements.all() or each.penalties.all()]
    return [each.pk for each in begun if _problems(each, graph)]


def deactivation_warnings(template: BadgeTemplate) -> list[str]:
    """Return, in a sentence for staff, which active badges nobody can earn anew while this one is inactive."""
    needing = [each for each in dependencies.badges_that_need([template])[template.pk] if each.is_active]
    if not needing:
        return []
    text = ngettext(
        "%(badges)s needs this badge. While it is inactive, nobody can earn it, and so only those who hold it "
        "can earn the other one.",
        "%(badges)s need this badge. While it is inactive, nobody can earn it, and so only those who hold it "
        "can earn the others.",
        len(needing),
    )
    return [text % {"badges": _named(needing)}]


def deletion_problems(templates: Sequence[BadgeTemplate]) -> list[str]:
    """Return, in sentences for staff, which of the templates others need, so that they cannot be deleted."""
    needing = dependencies.badges_that_need(templates)
    text = _("“%(badge)s” is needed by %(badges)s. Delete these requirements first, or deactivate it instead.")
    return [
        text % {"badge": template, "badges": _named(needing[template.pk])}
        for template in templates
        if needing[template.pk]
    ]


def dependency_problems(requirement: BadgeRequirement, rules: Iterable[RuleText]) -> list[str]:
    """Return, in sentences for staff, the circle of badges that an active template's requirement would close.

    The requirement is taken as it is now, saved or not, with these rules. Of a template that is not active nothing is
    said: its activation says it.
    """
    if not requirement.template.is_active:
        return []
    return list(_problems_of_dependencies(requirement.template_id, dependencies.graph_with(requirement, rules)))


def deactivate_emptied_template(instance: BadgeRequirement, **kwargs: object) -> None:
    """Deactivate a template that lost its last requirement: nobody could get it. Receives ``post_delete``."""
    template = BadgeTemplate.objects.filter(pk=instance.template_id, is_active=True).first()
    if template is not None and not template.is_given_by_staff and not template.requirements.exists():
        deactivate_template(template)
        logger.warning("Badge template %s was deactivated: its last requirement was deleted.", template.pk)


def _loaded(template: BadgeTemplate) -> BadgeTemplate:
    """Return the template as it is stored now, with its conditions."""
    return next(iter(_with_conditions([template.pk])), template)


def _with_conditions(template_ids: Sequence[int]) -> list[BadgeTemplate]:
    """Return templates with their requirements, penalties, these' rules, and groups. Seven queries at most."""
    rows = with_requirements(template_ids).prefetch_related(
        Prefetch("penalties", BadgePenalty.objects.order_by("pk")),
        "penalties__rules",
        "penalties__requirements",
        Prefetch("groups", RequirementGroup.objects.order_by("position", "pk")),
    )
    return list(rows.order_by("pk"))


def _problems(template: BadgeTemplate, graph: Graph) -> list[str]:
    requirements, penalties = list(template.requirements.all()), list(template.penalties.all())
    is_obtainable = requirements or template.is_given_by_staff
    problems = [] if is_obtainable else [_("The badge template has no requirements.")]
    for condition in [*requirements, *penalties]:
        try:
            condition.clean()
        except ValidationError as error:
            problems.extend(f"{condition}: {message}" for message in error.messages)
    problems += _problems_of_penalties(penalties, requirements)
    problems += _problems_of_groups(template, requirements)
    return [*problems, *_problems_of_dependencies(template.pk, graph)]


def _judged_templates(templates: Sequence[BadgeTemplate]) -> Iterator[tuple[BadgeTemplate, Judged, list[str]]]:
    """Yield templates whose conditions are prefetched, with what is judged of each and its warnings.

    Four queries for all of them, and one for each requirement of which learners fulfilled earlier rules.
    """
    all_judged = [surprises.judged(template) for template in templates]
    others = other_spellings(surprises.named_keys(each for judged in all_judged for each in judged.values()))
    undecided = earlier.undecided(each for template in templates for each in template.requirements.all())
    for template, judged in zip(templates, all_judged, strict=True):
        warnings = surprises.template_warnings(template, judged, others, undecided)
        yield template, judged, [*warnings, *_inactive_needs(template)]


def _problems_of_penalties(
    penalties: Iterable[BadgePenalty], requirements: Iterable[BadgeRequirement]
) -> Iterator[str]:
    own = {requirement.pk for requirement in requirements}
    for penalty in penalties:
        if not penalty.rules.all():
            yield _("Penalty “%(penalty)s” has no rules.") % {"penalty": penalty}
        if not {linked.pk for linked in penalty.requirements.all()} & own:
            yield _("Penalty “%(penalty)s” resets no requirement.") % {"penalty": penalty}


def _problems_of_groups(template: BadgeTemplate, requirements: Sequence[BadgeRequirement]) -> Iterator[str]:
    text = _("The group “%(group)s” asks for %(needed)d requirements and has only %(members)d.")
    for group in template.groups.all():
        members = sum(requirement.group_id == group.pk for requirement in requirements)
        if 0 < members < group.needed:
            yield text % {"group": group, "needed": group.needed, "members": members}


def _problems_of_dependencies(template_id: int, graph: Graph) -> Iterator[str]:
    if circle := dependencies.find_circle(graph, template_id):
        names = BadgeTemplate.objects.in_bulk(circle)
        needs = [
            _("“%(badge)s” needs “%(needed)s”") % {"badge": names[badge], "needed": names[needed]}
            for badge, needed in pairwise(circle)
        ]
        yield _("These badges need each other in a circle: %(needs)s. Take one of the requirements out.") % {
            "needs": ", ".join(needs)
        }
        return
    chain = dependencies.longest_chain(graph, template_id)
    if len(chain) > dependencies.MAX_CHAIN:
        names = BadgeTemplate.objects.in_bulk(chain)
        yield _("At most %(most)d badges can need one another in a row. Here there are %(number)d: %(badges)s.") % {
            "most": dependencies.MAX_CHAIN,
            "number": len(chain),
            "badges": _named([names[badge] for badge in chain]),
        }


def _inactive_needs(template: BadgeTemplate) -> list[str]:
    text = _("“%(needed)s” is needed and not active: only those who hold it can earn “%(badge)s”.")
    needed = [each.needs_badge for each in template.requirements.all() if each.needs_badge is not None]
    return [text % {"needed": each, "badge": template} for each in needed if not each.is_active]


def _named(templates: Iterable[BadgeTemplate]) -> str:
    return ", ".join(_("“%s”") % template for template in templates)


def _set_active(template: BadgeTemplate, is_active: bool) -> None:
    if template.is_active != is_active:
        template.is_active = is_active
        template.save(update_fields=["is_active", "modified"])
