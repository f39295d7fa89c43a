"""What is asked for a badge and who has it: the lower half of a badge template's page."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.admin import AdminSite
from django.db.models import F
from django.http import HttpRequest

from badges_plugin.admin import links
from badges_plugin.admin.sentences import condition_sentence, event_label, rules_sentence
from badges_plugin.models import BadgeAward, BadgePenalty, BadgeProgress, BadgeRequirement, BadgeTemplate
from badges_plugin.ruleset import grouped


@dataclass(frozen=True)
class Row:
    """A requirement or penalty in words. ``url`` is empty for those who may not see its page."""

    title: str
    """What staff called it, or its rules."""
    rules: str
    """Its rules, where the title says something else."""
    event: str
    url: str
    takes_away: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Alternatives: one of the rows is enough. ``name`` is empty for a requirement that stands alone."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Overview:
    """Addresses are empty for those who may not go there."""

    groups: tuple[Group, ...]
    penalties: tuple[Row, ...]
    add_requirement_url: str
    add_penalty_url: str
    learners: int
    learners_url: str
    holders: int
    holders_url: str


def overview(site: AdminSite, request: HttpRequest, template: BadgeTemplate) -> Overview:
    """Describe a template's requirements by group, its penalties and its learners. A fixed number of queries."""
    by_group = F("group__name").asc(nulls_first=True)  # databases disagree where nothing comes
    requirements = template.requirements.select_related("group").prefetch_related("rules").order_by(by_group, "pk")
    penalties = template.penalties.prefetch_related("rules", "requirements__rules").order_by("pk")

    def url(model: type[BadgeRequirement] | type[BadgePenalty], pk: int) -> str:
        return links.page_url(site, model, "change", pk) if links.may(request, "view", model) else ""

    def add_url(model: type[BadgeRequirement] | type[BadgePenalty]) -> str:
        return links.page_url(site, model, "add", template=template.pk) if links.may(request, "add", model) else ""

    def list_url(model: type[BadgeProgress] | type[BadgeAward], **query: object) -> str:
        return links.page_url(site, model, "changelist", **query) if links.may(request, "view", model) else ""

    return Overview(
        groups=tuple(
            Group(str(group[0].group or ""), tuple(_row(each, url(BadgeRequirement, each.pk)) for each in group))
            for group in grouped(requirements)
        ),
        penalties=tuple(
            _row(
                penalty,
                url(BadgePenalty, penalty.pk),
                takes_away=tuple(condition_sentence(each) for each in penalty.requirements.all()),
            )
            for penalty in penalties
        ),
        add_requirement_url=add_url(BadgeRequirement),
        add_penalty_url=add_url(BadgePenalty),
        learners=BadgeProgress.objects.filter(template=template.pk).count(),
        learners_url=list_url(BadgeProgress, template__id__exact=template.pk),
        holders=BadgeAward.objects.filter(progress__template=template.pk, revoked_at=None).count(),
        holders_url=list_url(BadgeAward, progress__template__id__exact=template.pk, state="held"),
    )


def _row(condition: BadgeRequirement | BadgePenalty, url: str, takes_away: tuple[str, ...] = ()) -> Row:
    rules, event = rules_sentence(condition.rules.all()), event_label(condition.event_type)
    if condition.description:
        return Row(condition.description, rules, event, url, takes_away)
    return Row(rules, "", event, url, takes_away)
