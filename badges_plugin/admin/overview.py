"""Requirements, penalties and learners of a badge template, the lower half of its page; and their history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse

from badges_plugin import reading
from badges_plugin.admin import links
from badges_plugin.admin.base import ModelAdmin
from badges_plugin.counting import count_up_to, in_words
from badges_plugin.models import BadgeAward, BadgePenalty, BadgeProgress, BadgeRequirement, BadgeTemplate
from badges_plugin.reading import CriteriaText, GroupText, PenaltyText, RequirementText

SHOWN = 100


@dataclass(frozen=True)
class Row:
    """A requirement or penalty in words. ``url`` is empty for those who may not see its page."""

    text: RequirementText | PenaltyText
    url: str


@dataclass(frozen=True)
class Group:
    """A group with its requirements."""

    text: GroupText
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Overview:
    """URLs are empty for those who may not go there. Learners and holders are counted by ``counting``."""

    criteria: CriteriaText
    groups: tuple[Group, ...]
    penalties: tuple[Row, ...]
    add_requirement_url: str
    add_penalty_url: str
    learners: int
    learners_url: str
    holders: int
    holders_url: str

    @property
    def learners_text(self) -> str:
        return in_words(self.learners)

    @property
    def holders_text(self) -> str:
        return in_words(self.holders)


def overview(site: AdminSite, request: HttpRequest, template: BadgeTemplate) -> Overview:
    """Describe what a template asks for and who has it. A fixed number of queries."""
    criteria = reading.criteria([template.pk])[template.pk]

    def url(model: type[BadgeRequirement] | type[BadgePenalty], pk: int) -> str:
        return links.page_url(site, model, "change", pk) if links.may(request, "view", model) else ""

    def add_url(model: type[BadgeRequirement] | type[BadgePenalty]) -> str:
        return links.page_url(site, model, "add", template=template.pk) if links.may(request, "add", model) else ""

    def list_url(model: type[BadgeProgress] | type[BadgeAward], **query: object) -> str:
        return links.page_url(site, model, "changelist", **query) if links.may(request, "view", model) else ""

    return Overview(
        criteria=criteria,
        groups=tuple(
            Group(group, tuple(Row(each, url(BadgeRequirement, each.id)) for each in group.requirements))
            for group in criteria.groups
        ),
        penalties=tuple(Row(each, url(BadgePenalty, each.id)) for each in criteria.penalties),
        add_requirement_url=add_url(BadgeRequirement),
        add_penalty_url=add_url(BadgePenalty),
        learners=count_up_to(BadgeProgress.objects.filter(template=template.pk)),
        learners_url=list_url(BadgeProgress, template__id__exact=template.pk),
        holders=count_up_to(BadgeAward.objects.filter(progress__template=template.pk, revoked_at=None)),
        holders_url=list_url(BadgeAward, progress__template__id__exact=template.pk, state="held"),
    )


class WithHistory(ModelAdmin[BadgeTemplate]):
    """Add to Django's log, which tells of the template alone, what was changed in what it asks for."""

    object_history_template = "badges_plugin/admin/template_history.html"

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        template = self.get_object(request, object_id)
        changes = reading.history_of(template.pk).changes if template is not None else ()
        context = {"changes": changes[:SHOWN], "is_cut": len(changes) > SHOWN, **(extra_context or {})}
        return super().history_view(request, object_id, context)
