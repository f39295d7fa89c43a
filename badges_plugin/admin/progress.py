"""Progress: how far each learner is, what is missing, and which events said so. Read only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin.admin import links
from badges_plugin.admin.base import ReadOnlyAdmin, ReadOnlyInline
from badges_plugin.admin.sentences import condition_sentence, event_label
from badges_plugin.models import BadgeAward, BadgeProgress, Fulfillment
from badges_plugin.ruleset import criteria_of, grouped


class BadgeFilter(admin.SimpleListFilter):
    """By what became of the progress."""

    title = gettext_lazy("badge")
    parameter_name = "badge"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, object]]:  # type: ignore[override]
        return [("held", _("has it")), ("revoked", _("had it, has ended")), ("never", _("never had it"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BadgeProgress]) -> QuerySet[BadgeProgress]:
        awards = BadgeAward.objects.filter(progress=OuterRef("pk"))
        held = Exists(awards.filter(revoked_at=None))
        match self.value():
            case "held":
                return queryset.filter(held)
            case "revoked":
                return queryset.filter(~held, Exists(awards))
            case "never":
                return queryset.filter(~Exists(awards))
        return queryset


class FulfillmentInline(ReadOnlyInline[Fulfillment, BadgeProgress]):
    model = Fulfillment
    fields = ("what", "is_fulfilled", "since", "rules", "event", "event_time", "event_id")
    readonly_fields = fields
    verbose_name_plural = gettext_lazy("What was heard last of each requirement")
    ordering = ("event_time",)

    @admin.display(description=gettext_lazy("requirement"))
    def what(self, fulfillment: Fulfillment) -> str:
        return condition_sentence(fulfillment.requirement)

    @admin.display(description=gettext_lazy("counts"))
    def rules(self, fulfillment: Fulfillment) -> str:
        if not fulfillment.is_fulfilled:
            return _("no")
        return _("yes") if _counts(fulfillment) else _("no: fulfilled under earlier rules")

    @admin.display(description=gettext_lazy("event"))
    def event(self, fulfillment: Fulfillment) -> str:
        return event_label(fulfillment.event_type)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fulfillment]:
        return super().get_queryset(request).select_related("requirement").prefetch_related("requirement__rules")


class AwardInline(ReadOnlyInline[BadgeAward, BadgeProgress]):
    model = BadgeAward
    fields = ("award", "awarded_at", "expires_at", "revoked_at", "ending")
    readonly_fields = fields
    verbose_name_plural = gettext_lazy("Awards")
    ordering = ("number",)

    @admin.display(description=gettext_lazy("award"))
    def award(self, award: BadgeAward) -> str:
        return links.link_to(self.admin_site, BadgeAward, award.pk, f"#{award.number}")

    @admin.display(description=gettext_lazy("how it ended"))
    def ending(self, award: BadgeAward) -> str:
        return award.reason or "-"


class BadgeProgressAdmin(ReadOnlyAdmin[BadgeProgress]):
    list_display = ("learner", "email", "template", "fulfilled", "is_complete", "has_badge")
    list_filter = (BadgeFilter, "template")
    list_select_related = ("user", "template")
    search_fields = ("user__username", "user__email", "user__full_name")
    search_help_text = gettext_lazy("User name, e-mail address or full name of a learner.")
    inlines = (FulfillmentInline, AwardInline)
    fields = ("learner_link", "email", "template_link", "fulfilled", "is_complete", "has_badge", "groups")
    readonly_fields = fields
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 50
    _prefetched: ClassVar = ("fulfillments", "awards", "template__requirements__rules", "template__requirements__group")

    def heading(self, obj: BadgeProgress) -> str:
        return f"{obj.user.get_username()}: {obj.template}"

    @admin.display(description=gettext_lazy("learner"), ordering="user__username")
    def learner(self, progress: BadgeProgress) -> str:
        return progress.user.get_username()

    @admin.display(description=gettext_lazy("e-mail address"), ordering="user__email")
    def email(self, progress: BadgeProgress) -> str:
        return progress.user.email

    @admin.display(description=gettext_lazy("learner"))
    def learner_link(self, progress: BadgeProgress) -> str:
        return links.learner(self.admin_site, progress.user)

    @admin.display(description=gettext_lazy("badge template"))
    def template_link(self, progress: BadgeProgress) -> str:
        template = progress.template
        model = links.template_model(self.admin_site, template)
        return links.link_to(self.admin_site, model, template.pk, template)

    @admin.display(description=gettext_lazy("fulfilled"))
    def fulfilled(self, progress: BadgeProgress) -> str:
        states = [is_fulfilled for is_fulfilled, _sentence in _group_states(progress)]
        return _("%(fulfilled)d of %(all)d") % {"fulfilled": sum(states), "all": len(states)}

    @admin.display(description=gettext_lazy("complete"), boolean=True)
    def is_complete(self, progress: BadgeProgress) -> bool:
        states = [is_fulfilled for is_fulfilled, _sentence in _group_states(progress)]
        return bool(states) and all(states)

    @admin.display(description=gettext_lazy("badge"), boolean=True)
    def has_badge(self, progress: BadgeProgress) -> bool:
        return any(award.revoked_at is None for award in progress.awards.all())

    @admin.display(description=gettext_lazy("what is asked for"))
    def groups(self, progress: BadgeProgress) -> str:
        """Every group, with a mark at those that are fulfilled."""
        rows = (("✔" if is_fulfilled else "✘", sentence) for is_fulfilled, sentence in _group_states(progress))
        return format_html("<div>{}</div>", format_html_join("", "{} {}<br>", rows))

    def get_queryset(self, request: HttpRequest) -> QuerySet[BadgeProgress]:
        return super().get_queryset(request).prefetch_related(*self._prefetched)


def _counts(fulfillment: Fulfillment) -> bool:
    return fulfillment.requirement.validity().covers(fulfillment.made_under)


def _group_states(progress: BadgeProgress) -> Iterator[tuple[bool, str]]:
    """Yield, for each group of the template as it is now, whether it is fulfilled and what it asks for."""
    requirements = list(progress.template.requirements.all())
    criteria = criteria_of(requirements, in_order=progress.template.in_order)
    standing = criteria.standing(progress.fulfillments.all(), counts_from=progress.counts_from)
    for members, group in zip(grouped(requirements), standing.groups, strict=True):
        yield group.is_fulfilled, _(" or ").join(condition_sentence(requirement) for requirement in members)
