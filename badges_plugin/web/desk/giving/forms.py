"""The form that asks who gets a badge, and why."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, cast

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin import api
from badges_plugin.models import BadgeTemplate
from badges_plugin.reasons import MAX_LENGTH
from badges_plugin.times import EARLIEST_YEAR, site_day, site_midnight
from badges_plugin.web.desk.giving.parsing import MOST_BYTES, Entry, UnreadableList, read_file, read_lines

MOST_OFFERED = 200
"""Badges that are offered in a list. Of more, staff choose one by search."""


class GiveForm(forms.Form):
    """Who gets a badge, and why. Its entries are those of the file, or else those of the text."""

    badge = forms.ModelChoiceField(
        BadgeTemplate.objects.none(),
        label=gettext_lazy("Badge"),
        empty_label=gettext_lazy("Choose a badge"),
        error_messages={
            "required": gettext_lazy("Choose a badge."),
            "invalid_choice": gettext_lazy("Choose an active badge."),
        },
    )
    learners = forms.CharField(
        label=gettext_lazy("Who gets it"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "dir": "auto", "spellcheck": "false"}),
    )
    file = forms.FileField(
        label=gettext_lazy("CSV file with the learners"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=MAX_LENGTH,
        widget=forms.TextInput(attrs={"class": "desk-wide", "dir": "auto"}),
        error_messages={"required": gettext_lazy("Say why: the reason is kept with the award.")},
    )
    day = forms.DateField(
        label=gettext_lazy("Day of the award"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": gettext_lazy("Write the day as year, month and day: 2027-05-19.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.active = BadgeTemplate.objects.filter(is_active=True).order_by("name", "pk")
        cast("forms.ModelChoiceField[BadgeTemplate]", self.fields["badge"]).queryset = self.active
        self.entries: list[Entry] = []
        self.heading = ""
        for name, bound in self.fields.items():
            if self.is_bound and self.errors.get(name):
                bound.widget.attrs |= {"aria-invalid": "true", "aria-describedby": f"error_{name}"}

    @property
    def awarded_at(self) -> datetime | None:
        """Return the beginning of the day; None for today: the badge is dated when it is given."""
        day: date | None = self.cleaned_data.get("day")
        return None if day is None or day == site_day(timezone.now()) else site_midnight(day)

    def clean_day(self) -> date | None:
        """Refuse a mistyped year."""
        day: date | None = self.cleaned_data["day"]
        if day is not None and day.year < EARLIEST_YEAR:
            raise forms.ValidationError(_("This day is too long ago."))
        return day

    def clean(self) -> dict[str, Any]:
        """Read the list, and refuse a day on which the badge cannot be given."""
        values = super().clean() or self.cleaned_data
        try:
            upload = values.get("file")
            self.entries, self.heading = (
                read_file(upload.read(MOST_BYTES + 1)) if upload else read_lines(values.get("learners") or "")
            )
        except UnreadableList as error:
            self.add_error("file" if values.get("file") else "learners", str(error))
        else:
            if not self.entries:
                self.add_error("learners", _("Name at least one learner."))
        if (badge := values.get("badge")) and (problem := api.award_refusal(badge, self.awarded_at)):
            self.add_error("day", problem)
        return values


def heading_told(heading: str) -> str:
    """Return what staff are told of a first line that may be a user name, and was taken for a heading."""
    told = _("The first line, “%s”, was taken for a heading. If it is a user name, write it on another line.")
    return told % heading
