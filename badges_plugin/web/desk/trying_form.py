"""The form of *Try it*: an event in words, or a pasted one; of which learner; and for which badge."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin.data import BadgingEvent
from badges_plugin.host import User
from badges_plugin.models import BadgeTemplate
from badges_plugin.reading import learners_called
from badges_plugin.web.desk.trial_events import MAX_PASTED, NoEventError, about_course, course_key, pasted

MOST_BADGES = 200
"""Badges that can be chosen on the page; the page of each other one leads here."""

KINDS = [
    ("pass", gettext_lazy("passes the course")),
    ("fail", gettext_lazy("fails the course, or drops below passing")),
    ("grade", gettext_lazy("gets a grade in the course")),
    ("certificate", gettext_lazy("gets the certificate of the course")),
    ("paste", gettext_lazy("something else: an event that I paste")),
]


class TrialForm(forms.Form):
    """Makes the event that is tried. ``event`` is there after ``is_valid``."""

    learner = forms.CharField(
        label=gettext_lazy("Learner"),
        required=False,
        max_length=254,
        help_text=gettext_lazy("User name or e-mail address. Empty: somebody who has done nothing so far."),
        widget=forms.TextInput(attrs={"class": "desk-wide"}),
    )
    badge = forms.TypedChoiceField(
        label=gettext_lazy("Badge"), required=False, coerce=int, empty_value=None, choices=()
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("What the learner does"), choices=KINDS, initial="pass", widget=forms.RadioSelect
    )
    course = forms.CharField(
        label=gettext_lazy("Course"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("The key of a course run, or the address of a page of it."),
        widget=forms.TextInput(attrs={"class": "desk-wide", "dir": "ltr"}),
    )
    grade = forms.FloatField(
        label=gettext_lazy("Grade in percent"),
        required=False,
        min_value=0,
        max_value=100,
        widget=forms.NumberInput(attrs={"class": "desk-num"}),
    )
    at = forms.DateTimeField(
        label=gettext_lazy("When"),
        required=False,
        help_text=gettext_lazy("Empty: now. By the clocks of this site."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    content = forms.CharField(
        label=gettext_lazy("Event"),
        required=False,
        max_length=MAX_PASTED,
        help_text=gettext_lazy(
            "JSON with “type” and “data”, as events cross the bus; “time” and “id” may be left out. Who it names "
            "counts only if no learner is given above."
        ),
        widget=forms.Textarea(attrs={"rows": 6, "dir": "ltr", "class": "desk-key", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, badge_id: int | None = None, may_see_learners: bool = True, **kwargs: Any) -> None:
        """``may_see_learners``: whether the answer may say what a learner has done."""
        super().__init__(*args, **kwargs)
        self._may_see_learners = may_see_learners
        if not may_see_learners:
            del self.fields["learner"]
        self.user: User | None = None
        self.event: BadgingEvent | None = None
        self.fields["badge"].choices = _badges(badge_id)  # type: ignore[attr-defined]

    def clean_learner(self) -> str:
        name = str(self.cleaned_data["learner"]).strip()
        if name:
            found = learners_called(name)
            if not found:
                raise forms.ValidationError(_("Nobody here has this name or address."))
            users = list(User.objects.filter(pk__in=found).order_by("pk"))
            if len({user.lms_user_id or -user.pk for user in users}) > 1:
                raise forms.ValidationError(_("Several learners have this address. Give the user name."))
            self.user = users[0]
        return name

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if not self.errors:
            at: datetime = given.get("at") or timezone.now()
            field = "content" if given["kind"] == "paste" else "course"
            try:
                self.event = self._event(given, at)
            except NoEventError as error:
                self.add_error(field, str(error))
        return given

    @property
    def is_of_nobody(self) -> bool:
        """Whether the event is about somebody who did nothing so far."""
        return not self._may_see_learners or (self.user is None and self.cleaned_data["kind"] != "paste")

    def _event(self, given: dict[str, Any], at: datetime) -> BadgingEvent | None:
        if given["kind"] == "paste":
            return pasted(given["content"], user=self.user, at=at)
        if not given["course"].strip():
            raise NoEventError(_("Choose a course."))
        if given["kind"] == "grade" and given.get("grade") is None:
            self.add_error("grade", _("Give the grade."))
            return None
        return about_course(
            given["kind"], course_key(given["course"]), user=self.user, at=at, percent=given.get("grade") or 0.0
        )


def _badges(badge_id: int | None) -> list[tuple[object, str]]:
    """Return the badges that can be chosen: the active ones by name and, of any state, the one that is asked for."""
    rows = list(
        BadgeTemplate.objects.filter(is_active=True).order_by("name", "pk").values_list("pk", "name")[:MOST_BADGES]
    )
    if badge_id is not None and badge_id not in dict(rows):
        rows += BadgeTemplate.objects.filter(pk=badge_id).values_list("pk", "name")
    return [("", _("Every active badge")), *rows]
