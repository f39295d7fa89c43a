"""What staff may do to a learner's badge: revoke it, give it back, let the learner start again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic

from django import forms
from django.contrib import messages
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from badges_plugin import api, reading
from badges_plugin.admin.asking import Question
from badges_plugin.admin.base import ModelT
from badges_plugin.exceptions import AwardRefused
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeRequirement, BadgeTemplate
from badges_plugin.models.awards import RETURNABLE
from badges_plugin.reading.people import name_of
from badges_plugin.reasons import MAX_LENGTH
from badges_plugin.retirement import is_gone
from badges_plugin.times import day_text

KEEP, FORGET = "keep", "forget"
_SHOWN = ("progress__user", "progress__template")


def _choice_html(name: object, meaning: object) -> SafeString:
    return format_html("<strong>{}</strong> {}", name, meaning)


_choice = lazy(_choice_html, SafeString)


class RevocationForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why (the learner and the provider may see it)"),
        max_length=MAX_LENGTH,
        widget=forms.TextInput(attrs={"class": "desk-wide", "aria-describedby": "id_reason_helptext"}),
        help_text=gettext_lazy("For example: the wrong course was chosen."),
    )
    # Nothing is chosen beforehand: either is wrong where the other is right.
    progress = forms.ChoiceField(
        label=gettext_lazy("What was done for it"),
        choices=[
            (
                FORGET,
                _choice(
                    gettext_lazy("Forget it."),
                    gettext_lazy(
                        "The badge can be earned again from the start. Right when the rule or the grade was wrong."
                    ),
                ),
            ),
            (
                KEEP,
                _choice(
                    gettext_lazy("Keep it."),
                    gettext_lazy("The badge stays away until you give it back. Right for misconduct."),
                ),
            ),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose whether what was done for it is forgotten or kept.")},
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why (colleagues see it, with your name)"),
        max_length=MAX_LENGTH,
        widget=forms.TextInput(attrs={"class": "desk-wide"}),
    )


class _AboutBadges(Question[ModelT], Generic[ModelT]):
    """What the questions have in common: whose badge it is about."""

    def facts(self) -> dict[str, Any]:
        first: Any = self.rows[0]
        user = first.user
        return {
            "only": len(self.rows) == 1,
            "first": first,
            "learner": name_of(user, is_gone=is_gone(user), otherwise=user.get_username()),
            "badge": first.template.name,
        }

    def named(self, one: str, many: str) -> str:
        """Return the heading: ``one`` names badge and learner, ``many`` the number."""
        if len(self.rows) == 1:
            facts = self.facts()
            return one % {"badge": facts["badge"], "learner": facts["learner"]}
        return many % {"number": len(self.rows)}


class Revoke(_AboutBadges[BadgeAward]):
    name = "revoke"
    template = "badges_plugin/admin/revoke.html"
    form_class = RevocationForm

    @classmethod
    def choose(cls, rows: QuerySet[BadgeAward]) -> QuerySet[BadgeAward]:
        return rows.filter(revoked_at=None).select_related(*_SHOWN)

    @classmethod
    def nothing(cls) -> str:
        return _("These badges have already ended.")

    def title(self) -> str:
        return self.named(_("Revoke “%(badge)s” of %(learner)s?"), _("Revoke %(number)d badges?"))

    def context(self) -> dict[str, Any]:
        templates = {award.progress.template_id for award in self.rows}
        needing = BadgeRequirement.objects.filter(needs_badge__in=templates).values("template")
        return {**self.facts(), "needing": list(BadgeTemplate.objects.filter(pk__in=needing).order_by("name", "pk"))}

    def act(self, answer: dict[str, Any]) -> None:
        revoked, unexplained, forget = 0, 0, answer["progress"] == FORGET
        for award in self.rows:
            if api.revoke_award(award, reason=answer["reason"], forget=forget, by=self.staff):
                # At once: the next one may fail, or the server give up waiting, and this one stays revoked.
                kept = award.revocation_reason
                self.admin.log_change(self.request, award, _said(kept, forget=forget))
                revoked += 1
                unexplained += not kept
        self.say(ngettext("%d badge was revoked.", "%d badges were revoked.", revoked) % revoked)
        if unexplained:
            text = ngettext(
                "The reason was not stored for %d badge because its learner was retired.",
                "The reason was not stored for %d badges because their learners were retired.",
                unexplained,
            )
            self.say(text % unexplained, messages.WARNING)


class GiveBack(_AboutBadges[BadgeAward]):
    name = "give_back"
    template = "badges_plugin/admin/give_back.html"
    form_class = ReasonForm

    @classmethod
    def choose(cls, rows: QuerySet[BadgeAward]) -> QuerySet[BadgeAward]:
        later = BadgeAward.objects.filter(progress=OuterRef("progress"), number__gt=OuterRef("number"))
        lasting = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        returnable = rows.filter(lasting, ended_by__in=RETURNABLE)
        return returnable.exclude(Exists(later)).select_related(*_SHOWN)

    @classmethod
    def nothing(cls) -> str:
        return _("Nothing to give back: the badge is held, expired, was undone, or was awarded again since.")

    def title(self) -> str:
        return self.named(_("Give back “%(badge)s” to %(learner)s?"), _("Give back %(number)d badges?"))

    def context(self) -> dict[str, Any]:
        award: BadgeAward = self.rows[0]
        corrected = reading.corrections([award.progress_id])[award.progress_id]
        how = [each.text for each in corrected if each.award_id == award.pk]
        return {
            **self.facts(),
            "how": how[0] if how else award.reason,
            "is_forgotten": any(each.forgot and _was_since(each, award) for each in corrected),
            "expires_on": day_text(award.expires_at) if award.expires_at else "",
        }

    def act(self, answer: dict[str, Any]) -> None:
        given, refused = 0, []
        for award in self.rows:
            try:
                anew = api.give_back(award, reason=answer["reason"], by=self.staff)
            except AwardRefused as refusal:
                refused.append(f"{award.user.get_username()}: {refusal}")
                continue
            said = _("Given back: %s") % answer["reason"]
            self.admin.log_each(self.request, [award.pk, anew.pk], said)
            given += 1
        if given:
            self.say(ngettext("%d badge was given back.", "%d badges were given back.", given) % given)
        for text in refused:
            self.say(text, messages.WARNING)


class StartAgain(_AboutBadges[BadgeProgress]):
    name = "start_again"
    template = "badges_plugin/admin/start_again.html"
    form_class = ReasonForm

    @classmethod
    def choose(cls, rows: QuerySet[BadgeProgress]) -> QuerySet[BadgeProgress]:
        held = BadgeAward.objects.filter(progress=OuterRef("pk"), revoked_at=None)
        return rows.exclude(Exists(held)).select_related("user", "template")

    @classmethod
    def nothing(cls) -> str:
        return _("Nobody can start again: these learners have the badge. Revoke it first.")

    def title(self) -> str:
        one = _("Let %(learner)s start again with “%(badge)s”?")
        return self.named(one, _("Let %(number)d learners start again?"))

    def context(self) -> dict[str, Any]:
        facts = self.facts()
        how_far = reading.progress_rows([facts["first"].pk])[facts["first"].pk]
        return {
            **facts,
            "done": how_far.done,
            "all": len(how_far.groups),
            "was_revoked": bool(how_far.awards),
            "needs_badges": _needs_badges(self.rows),
        }

    def act(self, answer: dict[str, Any]) -> None:
        begun = [row.pk for row in self.rows if api.start_again(row, reason=answer["reason"], by=self.staff)]
        self.admin.log_each(self.request, begun, _("Started again: what was done before does not count any more."))
        if not begun:
            self.say(self.nothing(), messages.WARNING)
            return
        text = ngettext("%d learner starts again.", "%d learners start again.", len(begun))
        self.say(text % len(begun))


def _was_since(each: reading.Corrected, award: BadgeAward) -> bool:
    return each.award_id == award.pk or (award.revoked_at is not None and each.at >= award.revoked_at)


def _said(reason: str, *, forget: bool) -> str:
    said = _("Revoked: %s") % reason if reason else _("Revoked.")
    done = _("What was done is forgotten.") if forget else _("What was done is kept.")
    return f"{said} {done}"


def _needs_badges(rows: Sequence[BadgeProgress]) -> bool:
    templates = {row.template_id for row in rows}
    return BadgeRequirement.objects.filter(template__in=templates, needs_badge__isnull=False).exists()
