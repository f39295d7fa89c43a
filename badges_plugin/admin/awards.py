"""Badges that learners were awarded, how they ended, and what staff may correct. The facts themselves are read only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from badges_plugin import api, reading
from badges_plugin.admin import cells, links
from badges_plugin.admin.asking import AskingAdmin, Button
from badges_plugin.admin.badge_filter import TemplateFilter
from badges_plugin.admin.core_exports import AWARDS
from badges_plugin.admin.correcting import GiveBack, Revoke
from badges_plugin.admin.large import LargeTableAdmin, people
from badges_plugin.models import BadgeAward, BadgeTemplate, Ending
from badges_plugin.reading import event_label, moment
from badges_plugin.times import day_text

CHECK = "check"


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, object]]:  # type: ignore[override]
        return [
            ("held", _("held")),
            ("ended", _("ended")),
            (CHECK, _("to check: earned anew since it was revoked")),
            *((word.value, word.label) for word in Ending if word is not Ending.ERASED),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BadgeAward]) -> QuerySet[BadgeAward]:
        value = self.value()
        if value in ("held", "ended"):
            return queryset.filter(revoked_at__isnull=value == "held")
        if value == CHECK:
            return queryset.filter(pk__in=reading.to_check(timezone.now()))
        return queryset.filter(ended_by=value) if value in Ending.values else queryset


class ExpiryFilter(admin.SimpleListFilter):
    """By the date on which awards that are held expire."""

    title = gettext_lazy("expiry")
    parameter_name = "expiry"
    SPANS = (30, 90, 365)

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, object]]:  # type: ignore[override]
        spans = [(str(days), _("expires within %d days") % days) for days in self.SPANS]
        return [*spans, ("never", _("does not expire"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BadgeAward]) -> QuerySet[BadgeAward]:
        if self.value() == "never":
            return queryset.filter(expires_at=None)
        for days in self.SPANS:
            if self.value() == str(days):
                return queryset.filter(revoked_at=None, expires_at__lte=timezone.now() + timedelta(days=days))
        return queryset


class BadgeAwardAdmin(AskingAdmin, LargeTableAdmin[BadgeAward]):
    """One row for each award; a badge that is earned again has another row.

    The host's own page of user credentials shows a badge of ours and does not save it, so revoking is an action here.
    """

    change_form_template = "badges_plugin/admin/asking_form.html"
    questions = (Revoke, GiveBack)
    export = AWARDS
    empty_text = gettext_lazy("Nobody has or had a badge.")
    list_display = ("learner", "template", "standing", "ending", "awarded_on", "expires_on", "number")
    list_display_links = ("standing",)
    list_filter = (StateFilter, ExpiryFilter, "awarded_at", ("progress__template", TemplateFilter))
    list_select_related = ("progress__user", "progress__template")
    search_fields = (
        "progress__user__username",
        # As a whole only: the page does not show it, and nobody shall find it out letter by letter.
        "=progress__user__email",
        "progress__user__full_name",
        "progress__template__name",
    )
    search_help_text = gettext_lazy(
        "A learner’s user name, full name or complete e-mail address, or the name of a badge."
    )
    fields = (
        "learner_link",
        "template_link",
        "story_link",
        "number",
        "standing",
        "awarded_at",
        "recorded_at",
        "event_list",
        "expires_at",
        "renewal",
        "revoked_at",
        "revocation_recorded_at",
        "ending",
        "ending_event",
        "corrected",
        "credential_uuid",
    )
    readonly_fields = fields
    actions = ("revoke", "give_back", "correct_credentials")

    def learner_of(self, row: BadgeAward) -> Any:
        return row.user

    def found_by(self, request: HttpRequest, term: str) -> Iterator[Q]:
        if users := people(request, term):
            yield Q(progress__user__in=users)
        if templates := list(BadgeTemplate.objects.filter(name__icontains=term).values_list("pk", flat=True)):
            yield Q(progress__template__in=templates)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say what there is to check, where that is shown."""
        notes = []
        if request.GET.get(StateFilter.parameter_name) == CHECK:
            text = _(
                "These badges were revoked and stay so. Since then their learners have done everything again. "
                "Open one to give it back or to let the learner start again."
            )
            notes = [{"text": text}]
        return super().changelist_view(request, {"notes": notes, **(extra_context or {})})

    def heading(self, obj: BadgeAward) -> str:
        return f"{obj.user.get_username()}: {obj.template} #{obj.number}"

    @admin.display(description=gettext_lazy("learner"), ordering="progress__user__username")
    def learner(self, award: BadgeAward) -> str:
        return cells.learner(award, award.user)

    @admin.display(description=gettext_lazy("badge"), ordering="progress__template__name")
    def template(self, award: BadgeAward) -> str:
        return cells.badge(award, award.template)

    @admin.display(description=gettext_lazy("learner"))
    def learner_link(self, award: BadgeAward) -> str:
        return links.learner(self.admin_site, award, award.user)

    @admin.display(description=gettext_lazy("badge template"))
    def template_link(self, award: BadgeAward) -> str:
        model = links.template_model(self.admin_site, award.template)
        return links.link_to(self.admin_site, model, award.template.pk, award.template)

    @admin.display(description=gettext_lazy("state"), ordering="ended_by")
    def standing(self, award: BadgeAward) -> str:
        return cells.award(award)

    @admin.display(description=gettext_lazy("awarded"), ordering="awarded_at")
    def awarded_on(self, award: BadgeAward) -> str:
        return day_text(award.awarded_at)

    @admin.display(description=gettext_lazy("expires"), ordering="expires_at")
    def expires_on(self, award: BadgeAward) -> str:
        return _("never") if award.expires_at is None else day_text(award.expires_at)

    @admin.display(description=gettext_lazy("reason"))
    def ending(self, award: BadgeAward) -> str:
        return award.reason

    @admin.display(description=gettext_lazy("event that ended it"))
    def ending_event(self, award: BadgeAward) -> str:
        event = award.ending_facts.get("event", {})
        told = [event_label(event["type"])] if "type" in event else []
        told += [moment(event["time"])] if "time" in event else []
        return ", ".join([*told, event["id"]]) if "id" in event else "-"

    @admin.display(description=gettext_lazy("what staff did"))
    def corrected(self, award: BadgeAward) -> str:
        said = reading.corrections([award.progress_id])[award.progress_id]
        own = [(each.text,) for each in said if each.award_id == award.pk]
        return format_html("<div>{}</div>", format_html_join("", "{}<br>", own)) if own else "-"

    @admin.display(description=gettext_lazy("renewal opens"))
    def renewal(self, award: BadgeAward) -> str:
        return "-" if award.remind_on is None else date_format(award.remind_on, "DATE_FORMAT")

    @admin.display(description=gettext_lazy("story"))
    def story_link(self, award: BadgeAward) -> str:
        return links.story(award, _("Events, deliveries and what staff did")) or "-"

    @admin.display(description=gettext_lazy("user credential"))
    def credential_uuid(self, award: BadgeAward) -> str:
        return f"{award.credential.uuid} ({award.credential.get_status_display()})"

    @admin.display(description=gettext_lazy("based on events"))
    def event_list(self, award: BadgeAward) -> str:
        rows = ((event_label(event["type"]), moment(event["time"]), event["id"]) for event in award.events)
        return format_html("<div>{}</div>", format_html_join("", "{}, {}, {}<br>", rows))

    @admin.action(description=gettext_lazy("Revoke selected badges…"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[BadgeAward]) -> HttpResponse | None:
        return self.ask_about(request, queryset, Revoke)

    @admin.action(description=gettext_lazy("Give selected badges back…"), permissions=["change"])
    def give_back(self, request: HttpRequest, queryset: QuerySet[BadgeAward]) -> HttpResponse | None:
        return self.ask_about(request, queryset, GiveBack)

    @admin.action(description=gettext_lazy("Correct the user credentials of selected badges"), permissions=["change"])
    def correct_credentials(self, request: HttpRequest, queryset: QuerySet[BadgeAward]) -> None:
        """Make the host's rows say what the awards say, where somebody else has changed them."""
        corrected = 0
        for award in queryset.select_related(*self.list_select_related):
            if api.restore_credential(award):
                self.log_change(request, award, _("User credential corrected."))
                corrected += 1
        text = ngettext("%d credential was corrected.", "%d credentials were corrected.", corrected) % corrected
        self.message_user(request, text, messages.SUCCESS)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        award = kwargs.get("obj")
        if award is not None and self.has_change_permission(request):
            context["buttons"] = self._buttons(award)
        return super().render_change_form(request, context, *args, **kwargs)

    def _buttons(self, award: BadgeAward) -> list[Button]:
        more = self.offered_buttons(award)
        if award.revoked_at is None:
            return [self.button(Revoke, _("Revoke…"), award, "desk-danger"), *more]
        if not api.give_back_refusal(award):
            return [self.button(GiveBack, _("Give back…"), award, "default"), *more]
        return more
