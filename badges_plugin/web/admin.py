"""Mails in the admin: what sites say in their own words, and what was sent."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin import conf
from badges_plugin.admin.award_rows import AwardRowAdmin
from badges_plugin.admin.base import ModelAdmin, ModelForm
from badges_plugin.web.desk.giving import actions
from badges_plugin.web.mails.texts import clean
from badges_plugin.web.notes import MailNote, MailText


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

    list_display = ("user", "template", "kind", "state", "created", "settled_at", "reason")
    list_filter = ("kind", "state")
    search_fields = ("award__progress__user__username", "award__progress__user__full_name")
    search_help_text = gettext_lazy("A learner’s user name or full name.")
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

    def heading(self, obj: MailNote) -> str:
        return f"{obj.award.user.get_username()}: {obj.get_kind_display()}"


def register() -> None:
    """Show the pages, unless badges are switched off."""
    if conf.is_enabled():
        admin.site.register(MailText, MailTextAdmin)
        admin.site.register(MailNote, MailNoteAdmin)
        actions.add_to(admin.site)


register()
