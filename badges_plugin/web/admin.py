"""Mails in the admin: what sites say in their own words, and what was sent."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin import conf
from badges_plugin.admin import cells
from badges_plugin.admin.award_rows import AwardRowAdmin
from badges_plugin.admin.badge_filter import TemplateFilter
from badges_plugin.admin.base import ModelAdmin, ModelForm
from badges_plugin.web.conf import usable_pages
from badges_plugin.web.desk.giving import actions
from badges_plugin.web.mails.texts import clean
from badges_plugin.web.models import Collection
from badges_plugin.web.notes import MailNote, MailState, MailText

SHAPES = {
    MailState.WAITING: cells.CARE,
    MailState.SENDING: cells.CARE,
    MailState.SENT: cells.GOOD,
    MailState.SKIPPED: cells.OVER,
    MailState.FAILED: cells.BAD,
    MailState.UNKNOWN: cells.CARE,
}


class MailTextForm(ModelForm[MailText]):
    class Meta:
        model = MailText
        fields = ("site", "kind", "language", "subject", "text")

    def clean_language(self) -> str:
        language = str(self.cleaned_data["language"] or "").strip().lower()
        if language and language not in {code.lower() for code, _name in settings.LANGUAGES}:
            raise forms.ValidationError(_("This service has no language with this code."))
        return language

    def clean_subject(self) -> str:
        return " ".join(str(self.cleaned_data["subject"] or "").split())

    def clean_text(self) -> str:
        """Keep the allowed tags only, so that staff see what learners will."""
        return clean(str(self.cleaned_data["text"] or ""))


class MailTextAdmin(ModelAdmin[MailText]):
    """What a site adds to its mails."""

    form = MailTextForm
    list_display = ("kind", "site", "language", "subject")
    list_filter = ("kind", "site")
    list_select_related = ("site",)
    ordering = ("site", "kind", "language")


class MailNoteAdmin(AwardRowAdmin[MailNote]):
    """Which mails were sent, and why others were not. Read-only."""

    list_display = ("user", "template", "standing", "reason", "kind", "created", "settled_at")
    list_display_links = ("standing",)
    list_filter = ("kind", "state", ("award__progress__template", TemplateFilter))
    search_fields = (
        "award__progress__user__username",
        "=award__progress__user__email",
        "award__progress__user__full_name",
    )
    search_help_text = gettext_lazy("A learner’s user name, full name or complete e-mail address.")
    fields = readonly_fields = (
        "award_link",
        "user",
        "template",
        "kind",
        "state",
        "reason",
        "attempts",
        "due_at",
        "created",
        "settled_at",
    )

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def standing(self, note: MailNote) -> str:
        return cells.state(SHAPES[MailState(note.state)], note.get_state_display())

    def heading(self, obj: MailNote) -> str:
        return f"{obj.award.user.get_username()}: {obj.get_kind_display()}"


class CollectionAdmin(ModelAdmin[Collection]):
    """What learners say about their collections. Staff can hide one; they cannot write in a learner's name."""

    list_display = ("title", "user", "state", "published_at")
    list_filter = ("is_hidden",)
    list_select_related = ("user",)
    search_fields = ("title", "user__username", "user__email", "user__full_name")
    search_help_text = gettext_lazy("The title, or a learner’s user name, e-mail address or full name.")
    readonly_fields = ("user", "title", "introduction", "name_shown", "state", "published_at", "link")
    fields = (*readonly_fields, "is_hidden", "hidden_reason")
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collection]:
        # Of a learner who was erased only the link is left, and nothing to look at.
        return super().get_queryset(request).filter(user__isnull=False)

    @admin.display(description=gettext_lazy("who can see it"))
    def state(self, obj: Collection) -> str:
        if obj.is_hidden:
            return _("only the learner: hidden by staff")
        return _("anyone with the link") if obj.is_published else _("only the learner")

    @admin.display(description=gettext_lazy("page"))
    def link(self, obj: Collection) -> str:
        url = reverse("badges_web:collection", args=[obj.uuid])
        return format_html('<a href="{0}" dir="ltr">{0}</a>', url) if obj.is_public else "-"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Collection | None = None) -> bool:
        return False


def register() -> None:
    """Show the pages, unless badges are switched off."""
    if conf.is_enabled():
        admin.site.register(MailText, MailTextAdmin)
        admin.site.register(MailNote, MailNoteAdmin)
        if usable_pages().enabled:
            admin.site.register(Collection, CollectionAdmin)
        actions.add_to(admin.site)


register()
