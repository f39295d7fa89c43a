"""Progress: how far each learner is, what is missing, and which events said so. Read-only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, Value, When
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin import api, reading
from badges_plugin.admin import cells, links
from badges_plugin.admin.asking import AskingAdmin, Button, question_url
from badges_plugin.admin.badge_filter import TemplateFilter
from badges_plugin.admin.base import BaseInlineFormSet, ModelForm, ReadOnlyInline
from badges_plugin.admin.core_exports import PROGRESS
from badges_plugin.admin.correcting import GiveBack, StartAgain
from badges_plugin.admin.large import LargeList, LargeTableAdmin, newest, people
from badges_plugin.admin.nearly import done_so_far, nearly
from badges_plugin.data import is_adopted
from badges_plugin.models import BadgeAward, BadgeProgress, Fulfillment
from badges_plugin.reading import BadgeState, Corrected, LearnerProgress, RequirementProgress, event_label
from badges_plugin.retirement import retired_among


def standings() -> list[tuple[str, str]]:
    """Return what the list can be filtered by: values of ``badge``, and what they are called."""
    return [
        ("held", _("has it")),
        ("nearly", _("nearly there")),
        ("revoked", _("had it before")),
        ("never", _("never had it")),
    ]


class BadgeFilter(admin.SimpleListFilter):
    """By what became of the progress. The list applies it last, so that it decides about few rows."""

    title = gettext_lazy("state")
    parameter_name = "badge"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, object]]:  # type: ignore[override]
        return [*standings()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BadgeProgress]) -> QuerySet[BadgeProgress]:
        return queryset

    def decide(self, request: HttpRequest, rows: QuerySet[BadgeProgress]) -> QuerySet[BadgeProgress]:
        """Return those of the newest rows that are wanted."""
        wanted = {"held": False, "revoked": True, "never": None}
        if self.value() == "nearly":
            return nearly(request, rows)
        if self.value() not in wanted:
            return rows
        # Only the newest award can be held. A value is asked for, not EXISTS: MySQL would look at every award for it.
        awards = BadgeAward.objects.filter(progress=OuterRef("pk")).order_by("-number")
        has_ended = Case(When(revoked_at=None, then=Value(False)), default=Value(True))
        decided = newest(request, rows).alias(has_ended=Subquery(awards.values_list(has_ended)[:1]))
        return decided.filter(has_ended=wanted[self.value() or ""])


class FulfillmentRows(BaseInlineFormSet[Fulfillment, BadgeProgress, ModelForm[Fulfillment]]):
    """Gives every row the progress of the page, which has read how far the learner is."""

    def get_queryset(self) -> QuerySet[Fulfillment]:
        rows = super().get_queryset()
        for row in rows:
            row.progress = self.instance
        return rows


class FulfillmentInline(ReadOnlyInline[Fulfillment, BadgeProgress]):
    model = Fulfillment
    formset = FulfillmentRows
    fields = ("what", "is_fulfilled", "since", "rules", "event", "event_time", "event_id")
    readonly_fields = fields
    verbose_name_plural = gettext_lazy("Latest event for each requirement")
    ordering = ("event_time",)

    @admin.display(description=gettext_lazy("requirement"))
    def what(self, fulfillment: Fulfillment) -> str:
        found = self._found(fulfillment)
        sentence = found.sentence if found else str(fulfillment.requirement)
        if not fulfillment.value:
            return sentence
        return _("%(requirement)s: %(value)s") % {"requirement": sentence, "value": fulfillment.value}

    @admin.display(description=gettext_lazy("counts"))
    def rules(self, fulfillment: Fulfillment) -> str:
        found = self._found(fulfillment)
        if found and fulfillment.event_id in found.events:
            return _("yes")
        if found and fulfillment.event_id in found.earlier_events:
            return _("no: fulfilled under earlier rules")
        return _("no")

    @admin.display(description=gettext_lazy("event"))
    def event(self, fulfillment: Fulfillment) -> str:
        if is_adopted(fulfillment.event_id):
            return _("taken over from the service’s own badges app")
        return event_label(fulfillment.event_type)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fulfillment]:
        return super().get_queryset(request).select_related("requirement")

    def _found(self, fulfillment: Fulfillment) -> RequirementProgress | None:
        return _facts(fulfillment.progress).requirement(fulfillment.requirement_id)


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


class ProgressList(LargeList):
    """Reads how far the learners of a page are, all at once."""

    def narrowed(self, request: HttpRequest, rows: QuerySet[BadgeProgress]) -> QuerySet[BadgeProgress]:
        for each in self.filter_specs:
            if isinstance(each, BadgeFilter):
                rows = each.decide(request, rows)
        return rows

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        facts = reading.progress_rows([row.pk for row in self.result_list])
        for row in self.result_list:
            vars(row)["facts"] = facts[row.pk]
        lost = [row for row in self.result_list if facts[row.pk].state is BadgeState.REVOKED]
        corrected = reading.corrections([row.pk for row in lost])
        gone = retired_among([row.user for row in lost])
        for row in lost:
            vars(row)["after_loss"] = corrected[row.pk], row.user_id in gone


class BadgeProgressAdmin(AskingAdmin, LargeTableAdmin[BadgeProgress]):
    change_form_template = "badges_plugin/admin/asking_form.html"
    questions = (StartAgain,)
    actions = ("start_again",)
    export = PROGRESS
    empty_text = gettext_lazy("Nothing that a badge asks for has come so far.")
    list_display = ("learner", "badge", "standing", "fulfilled", "email")
    list_display_links = ("standing",)
    list_filter = (BadgeFilter, ("template", TemplateFilter))
    list_select_related = ("user", "template")
    search_fields = ("user__username", "user__email", "user__full_name")
    search_help_text = gettext_lazy("User name, e-mail address or full name of a learner.")
    inlines = (FulfillmentInline, AwardInline)
    fields = ("learner_link", "email", "template_link", "standing", "fulfilled", "groups", "corrected")
    readonly_fields = fields

    def learner_of(self, row: BadgeProgress) -> Any:
        return row.user

    def found_by(self, request: HttpRequest, term: str) -> Iterator[Q]:
        if users := people(request, term):
            yield Q(user__in=users)

    def heading(self, obj: BadgeProgress) -> str:
        return f"{obj.user.get_username()}: {obj.template}"

    @admin.display(description=gettext_lazy("learner"), ordering="user__username")
    def learner(self, progress: BadgeProgress) -> str:
        return cells.learner(progress, progress.user)

    @admin.display(description=gettext_lazy("badge"), ordering="template__name")
    def badge(self, progress: BadgeProgress) -> str:
        return cells.badge(progress, progress.template)

    @admin.display(description=gettext_lazy("e-mail address"), ordering="user__email")
    def email(self, progress: BadgeProgress) -> str:
        return progress.user.email

    @admin.display(description=gettext_lazy("learner"))
    def learner_link(self, progress: BadgeProgress) -> str:
        return links.learner(self.admin_site, progress, progress.user)

    @admin.display(description=gettext_lazy("badge template"))
    def template_link(self, progress: BadgeProgress) -> str:
        template = progress.template
        model = links.template_model(self.admin_site, template)
        return links.link_to(self.admin_site, model, template.pk, template)

    @admin.display(description=gettext_lazy("done"), ordering=done_so_far())
    def fulfilled(self, progress: BadgeProgress) -> str:
        facts = _facts(progress)
        return _("%(fulfilled)d of %(all)d") % {"fulfilled": facts.done, "all": len(facts.groups)}

    @admin.display(description=gettext_lazy("state"))
    def standing(self, progress: BadgeProgress) -> str:
        corrected, is_erased = _after_loss(progress)
        can_be_reawarded = progress.template.can_be_reawarded
        return cells.progress(_facts(progress), corrected, can_be_reawarded=can_be_reawarded, is_erased=is_erased)

    @admin.display(description=gettext_lazy("requirements"))
    def groups(self, progress: BadgeProgress) -> str:
        """Return every group and what was done for it, with a mark at those that are fulfilled."""
        lines: list[tuple[str, str, str, str]] = []
        for group in _facts(progress).groups:
            is_group = len(group.requirements) > 1
            if is_group:
                done = _("%(done)d of %(needed)d fulfilled") % {"done": group.done, "needed": group.needed}
                lines.append(("", _mark(group.is_fulfilled), group.sentence, done))
            lines += [
                ("badges-member" if is_group else "", _mark(each.is_fulfilled), each.sentence, each.explanation)
                for each in group.requirements
            ]
        rows = format_html_join("", '<li class="{}">{} {}<div class="help">{}</div></li>', lines)
        return format_html('<ul class="badges-requirements">{}</ul>', rows)

    @admin.display(description=gettext_lazy("what staff did"))
    def corrected(self, progress: BadgeProgress) -> str:
        said = [(each.text,) for each in reading.corrections([progress.pk])[progress.pk]]
        return format_html("<div>{}</div>", format_html_join("", "{}<br>", said)) if said else "-"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ProgressList

    @admin.action(description=gettext_lazy("Let selected learners start again…"), permissions=["change"])
    def start_again(self, request: HttpRequest, queryset: QuerySet[BadgeProgress]) -> HttpResponse | None:
        return self.ask_about(request, queryset, StartAgain)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        progress = kwargs.get("obj")
        if progress is not None:
            corrected = reading.corrections([progress.pk])[progress.pk]
            lines = reading.outlook(_facts(progress), corrected, can_be_reawarded=progress.template.can_be_reawarded)
            context["said"] = {"lines": lines} if lines else None
            context["buttons"] = self._buttons(request, progress)
        return super().render_change_form(request, context, *args, **kwargs)

    def _buttons(self, request: HttpRequest, progress: BadgeProgress) -> list[Button]:
        if _facts(progress).state is reading.BadgeState.HELD:
            return []
        buttons = []
        last = progress.awards.order_by("-number").first()
        if last is not None and links.may(request, "change", BadgeAward) and not api.give_back_refusal(last):
            url = question_url(self.admin_site, BadgeAward, GiveBack.name, last.pk, next=request.path)
            buttons.append(Button(_("Give back…"), url, last.pk, "default"))
        if self.has_change_permission(request):
            buttons.append(self.button(StartAgain, _("Start again…"), progress))
        return buttons


def _mark(is_fulfilled: bool) -> str:
    return "✔" if is_fulfilled else "✘"


def _facts(progress: BadgeProgress) -> LearnerProgress:
    """Return how far the learner is, which a list has read for all of its rows."""
    found: LearnerProgress | None = vars(progress).get("facts")
    if found is None:
        found = vars(progress)["facts"] = reading.progress_rows([progress.pk])[progress.pk]
    return found


def _after_loss(progress: BadgeProgress) -> tuple[Sequence[Corrected], bool]:
    """Return what staff corrected and whether the learner is erased: of a revoked badge; a list has read it."""
    found: tuple[Sequence[Corrected], bool] | None = vars(progress).get("after_loss")
    if found is not None or _facts(progress).state is not BadgeState.REVOKED:
        return found or ((), False)
    return reading.corrections([progress.pk])[progress.pk], bool(retired_among([progress.user]))
