"""Mails in the admin: what sites say in their own words, and what was sent."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin import conf
from badges_plugin.admin import cells
from badges_plugin.admin.award_rows import AwardRowAdmin
from badges_plugin.admin.badge_filter import TemplateFilter
from badges_plugin.admin.base import ModelAdmin, ModelForm
from badges_plugin.web.mails.texts import clean
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


def register() -> None:
    """Show the pages, unless badges are switched off."""
    if conf.is_enabled():
        admin.site.register(MailText, MailTextAdmin)
        admin.site.register(MailNote, MailNoteAdmin)


register()
