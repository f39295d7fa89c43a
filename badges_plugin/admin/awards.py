"""Badges that learners were awarded, how they ended, and revocation by hand. The facts themselves are read only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from badges_plugin import api
from badges_plugin.admin import links
from badges_plugin.admin.core_exports import AWARDS
from badges_plugin.admin.large import LargeTableAdmin, TemplateFilter, people
from badges_plugin.counting import count_up_to
from badges_plugin.models import BadgeAward, BadgeTemplate, Ending
from badges_plugin.reading import event_label, moment
from badges_plugin.reasons import MAX_LENGTH
from badges_plugin.times import day_text

# Whoever confirms a list has read it. Longer lists belong in a command.
MAX_AT_ONCE = 200


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, object]]:  # type: ignore[override]
        return [
            ("held", _("held")),
            ("ended", _("ended")),
            *((word.value, word.label) for word in Ending if word is not Ending.ERASED),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BadgeAward]) -> QuerySet[BadgeAward]:
        value = self.value()
        if value in ("held", "ended"):
            return queryset.filter(revoked_at__isnull=value == "held")
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


class RevocationForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=MAX_LENGTH,
        widget=forms.TextInput(attrs={"size": 80, "autofocus": True}),
        help_text=gettext_lazy("Stored with the badge. The learner and the provider may see it."),
    )


class BadgeAwardAdmin(LargeTableAdmin[BadgeAward]):
    """One row for each award; a badge that is earned again has another row.

    The host's own page of user credentials shows a badge of ours and does not save it, so revoking is an action here.
    """

    change_form_template = "badges_plugin/admin/award_form.html"
    export = AWARDS
    list_display = ("learner", "template", "number", "is_held", "awarded_on", "expires_on", "ending")
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
        "number",
        "is_held",
        "awarded_at",
        "recorded_at",
        "event_list",
        "expires_at",
        "renewal",
        "revoked_at",
        "revocation_recorded_at",
        "ending",
        "ending_event",
        "credential_uuid",
    )
    readonly_fields = fields
    actions = ("revoke", "correct_credentials")

    def found_by(self, request: HttpRequest, term: str) -> Iterator[Q]:
        if users := people(request, term):
            yield Q(progress__user__in=users)
        if templates := list(BadgeTemplate.objects.filter(name__icontains=term).values_list("pk", flat=True)):
            yield Q(progress__template__in=templates)

    def heading(self, obj: BadgeAward) -> str:
        return f"{obj.user.get_username()}: {obj.template} #{obj.number}"

    @admin.display(description=gettext_lazy("learner"), ordering="progress__user__username")
    def learner(self, award: BadgeAward) -> str:
        return award.user.get_username()

    @admin.display(description=gettext_lazy("badge template"), ordering="progress__template__name")
    def template(self, award: BadgeAward) -> str:
        return str(award.template)

    @admin.display(description=gettext_lazy("learner"))
    def learner_link(self, award: BadgeAward) -> str:
        return links.learner(self.admin_site, award.user)

    @admin.display(description=gettext_lazy("badge template"))
    def template_link(self, award: BadgeAward) -> str:
        model = links.template_model(self.admin_site, award.template)
        return links.link_to(self.admin_site, model, award.template.pk, award.template)

    @admin.display(description=gettext_lazy("held"), boolean=True)
    def is_held(self, award: BadgeAward) -> bool:
        return award.revoked_at is None

    @admin.display(description=gettext_lazy("awarded"), ordering="awarded_at")
    def awarded_on(self, award: BadgeAward) -> str:
        return day_text(award.awarded_at)

    @admin.display(description=gettext_lazy("expires"), ordering="expires_at")
    def expires_on(self, award: BadgeAward) -> str:
        return "-" if award.expires_at is None else day_text(award.expires_at)

    @admin.display(description=gettext_lazy("how it ended"), ordering="ended_by")
    def ending(self, award: BadgeAward) -> str:
        return award.reason or "-"

    @admin.display(description=gettext_lazy("event that ended it"))
    def ending_event(self, award: BadgeAward) -> str:
        event = award.ending_facts.get("event", {})
        told = [event_label(event["type"])] if "type" in event else []
        told += [moment(event["time"])] if "time" in event else []
        return ", ".join([*told, event["id"]]) if "id" in event else "-"

    @admin.display(description=gettext_lazy("renewal opens"))
    def renewal(self, award: BadgeAward) -> str:
        return "-" if award.remind_on is None else date_format(award.remind_on, "DATE_FORMAT")

    @admin.display(description=gettext_lazy("user credential"))
    def credential_uuid(self, award: BadgeAward) -> str:
        return f"{award.credential.uuid} ({award.credential.get_status_display()})"

    @admin.display(description=gettext_lazy("based on events"))
    def event_list(self, award: BadgeAward) -> str:
        rows = ((event_label(event["type"]), moment(event["time"]), event["id"]) for event in award.events)
        return format_html("<div>{}</div>", format_html_join("", "{}, {}, {}<br>", rows))

    @admin.action(description=gettext_lazy("Revoke selected badges"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[BadgeAward]) -> HttpResponse | None:
        """Ask for a reason on a page of its own; revoke when it is given."""
        held = queryset.filter(revoked_at=None)
        if count_up_to(held, MAX_AT_ONCE) > MAX_AT_ONCE:
            self.message_user(request, _("Select at most %d badges at once.") % MAX_AT_ONCE, messages.ERROR)
            return None
        awards = list(held.select_related(*self.list_select_related))
        if not awards:
            self.message_user(request, _("These badges have already ended."), messages.WARNING)
            return None
        form = RevocationForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            return self._confirmation(request, awards, form)
        revoked, unexplained, reason = 0, 0, form.cleaned_data["reason"]
        for award in awards:
            if api.revoke_award(award, reason=reason):
                # At once: the next one may fail, or the server give up waiting, and this one stays revoked.
                kept = award.revocation_reason
                self.log_change(request, award, _("Revoked: %s") % kept if kept else _("Revoked."))
                revoked += 1
                unexplained += not kept
        text = ngettext("%d badge was revoked.", "%d badges were revoked.", revoked) % revoked
        self.message_user(request, text, messages.SUCCESS)
        if unexplained:
            text = ngettext(
                "The reason was not stored for %d badge because its learner was retired.",
                "The reason was not stored for %d badges because their learners were retired.",
                unexplained,
            )
            self.message_user(request, text % unexplained, messages.WARNING)
        return None

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

    def _confirmation(self, request: HttpRequest, awards: list[BadgeAward], form: RevocationForm) -> TemplateResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Revoke badges"),
            "action_name": "revoke",
            "rows": awards,
            "confirmed": "confirmed",
            "form": form,
            "media": self.media,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "badges_plugin/admin/revoke.html", context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        award = kwargs.get("obj")
        if award is not None and award.revoked_at is None and links.may(request, "change", BadgeAward):
            context["revoke_url"] = links.page_url(self.admin_site, BadgeAward, "changelist")
            context["action_checkbox_name"] = ACTION_CHECKBOX_NAME
        return super().render_change_form(request, context, *args, **kwargs)
