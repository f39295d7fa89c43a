"""What staff may do to a delivery, on its page and from the list, and what its page says first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from badges_plugin.admin.asking import Question, question_url
from badges_plugin.distribution import channels, deciding, registry
from badges_plugin.distribution.data import Action
from badges_plugin.distribution.models import Channel, Decision, Delivery, DeliveryDecision
from badges_plugin.distribution.reasons import localized
from badges_plugin.distribution.retry import OPEN, State
from badges_plugin.models import BadgeAward
from badges_plugin.reading.people import name_of
from badges_plugin.retirement import is_gone

_SHOWN = ("award__progress__user", "award__progress__template", "channel")


class TryAgain(Question[Delivery]):
    name = "try_again"

    @classmethod
    def choose(cls, rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
        return rows.filter(state__in=OPEN).select_related(*_SHOWN)

    @classmethod
    def nothing(cls) -> str:
        return _("Nothing to try again: this is delivered, given up, cancelled or being sent.")

    def act(self, answer: dict[str, Any]) -> None:
        keys = deciding.try_again([row.pk for row in self.rows], by=self.staff)
        self.admin.log_each(self.request, keys, _("Tried again."))
        if not keys:
            self.say(self.nothing(), messages.WARNING)
            return
        text = ngettext("%d delivery is due now.", "%d deliveries are due now.", len(keys)) % len(keys)
        self.say(text)
        for text in told_of_paused({row.channel for row in self.rows}):
            self.say(text, messages.WARNING)


class GiveUpForm(forms.Form):
    because = forms.CharField(
        label=gettext_lazy("Why (colleagues see it, with your name)"),
        max_length=DeliveryDecision.MAX_LENGTH,
        widget=forms.TextInput(attrs={"class": "desk-wide", "aria-describedby": "id_because_helptext"}),
        help_text=gettext_lazy("For example: left the university."),
    )


class GiveUp(Question[Delivery]):
    name = "give_up"
    template = "badges_distribution/admin/give_up.html"
    form_class = GiveUpForm

    choose: ClassVar[Any] = TryAgain.choose

    @classmethod
    def nothing(cls) -> str:
        return _("Nothing to give up: this is delivered, given up, cancelled or being sent.")

    def title(self) -> str:
        if len(self.rows) > 1:
            number = len(self.rows)
            return ngettext("Give up %d delivery?", "Give up %d deliveries?", number) % number
        award, names = self.rows[0].award, {"badge": self.rows[0].award.template, "learner": _name(self.rows[0].award)}
        if self.rows[0].action == Action.CORRECT:
            return _("Give up the corrected name of “%(badge)s” of %(learner)s?") % names
        if self.rows[0].action == Action.ISSUE:
            return _("Give up the delivery of “%(badge)s” to %(learner)s?") % names
        return _("Give up the revocation of “%(badge)s” of %(learner)s?") % {**names, "learner": _name(award)}

    def context(self) -> dict[str, Any]:
        first = self.rows[0]
        for row in self.rows:
            vars(row)["reason_text"] = localized(row.last_error)
        return {
            "only": len(self.rows) == 1,
            "is_issue": first.action == Action.ISSUE,
            "is_name": first.action == Action.CORRECT,
            "is_in_doubt": first.in_doubt,
            "learner": _name(first.award),
            "provider": registry.name_of(first.backend),
            "reason": _sentence(localized(first.last_error)),
            "try_again_url": question_url(self.admin.admin_site, Delivery, TryAgain.name),
        }

    def act(self, answer: dict[str, Any]) -> None:
        given_up = deciding.give_up([row.pk for row in self.rows], by=self.staff, because=answer["because"])
        self.admin.log_each(self.request, given_up, _("Given up."))
        if not given_up:
            self.say(self.nothing(), messages.WARNING)
            return
        text = ngettext(
            "%d delivery was given up. Later deliveries of the same badge continue.",
            "%d deliveries were given up. Later deliveries of the same badges continue.",
            len(given_up),
        )
        self.say(text % len(given_up))


class TakeUp(Question[Delivery]):
    name = "take_up"

    @classmethod
    def choose(cls, rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
        return rows.filter(state=State.GIVEN_UP).select_related(*_SHOWN)

    @classmethod
    def nothing(cls) -> str:
        return _("Nothing to take up again: this was not given up.")

    def act(self, answer: dict[str, Any]) -> None:
        keys = deciding.take_up([row.pk for row in self.rows], by=self.staff)
        self.admin.log_each(self.request, keys, _("Taken up again."))
        if keys:
            text = ngettext("%d delivery is due now.", "%d deliveries are due now.", len(keys)) % len(keys)
            self.say(text)
        for row in self.rows:
            if row.pk not in keys:
                self.say(deciding.obstacle(row) or self.nothing(), messages.WARNING)


def told_of_paused(concerned: Iterable[Channel]) -> list[str]:
    """Return a sentence for each account, of those that deliveries need, that is on hold."""
    text = _("The channel “%s” is paused, so nothing is sent. Correct its API key first.")
    paused = sorted((each for each in concerned if each.paused_reason), key=lambda each: each.pk)
    return [text % channels.name(each) for each in paused]


def standing_in_words(delivery: Delivery) -> dict[str, Any]:
    """Return what the page of a delivery says first: its state and reason, and what follows. Two queries at most."""
    reason, provider = _sentence(localized(delivery.last_error)), registry.name_of(delivery.backend)
    last = _("Last reason: %s") % reason if reason else ""
    match delivery.state:
        case State.DONE:
            return {"lines": [_done(delivery) % provider], "style": "desk-good"}
        case State.FAILED:
            first = _("%s does not have this yet: somebody must act.") % provider
            then = _("It is not tried again by itself.")
            if delivery.awaits_name:
                then = _("It goes on by itself once the learner has a name.")
            return {"lines": _filled(first, reason, then), "style": "desk-stop"}
        case State.GIVEN_UP:
            why = deciding.obstacle(delivery)
            return {"lines": _filled(_given_up(delivery), last, why), "style": ""}
        case State.CANCELLED:
            return {"lines": _filled(_("Nothing is sent."), reason), "style": ""}
        case State.SENDING:
            return {"lines": _filled(_("It is being sent now."), last), "style": ""}
    if delivery.backend not in registry.slugs():
        gone = _("Nothing is sent: the provider “%s” is not installed any more.") % delivery.backend
        return {"lines": _filled(gone, last), "style": "desk-stop"}
    if delivery.channel.paused_reason:
        held = _("On hold: it goes on by itself once the account “%s” works.") % channels.name(delivery.channel)
        return {"lines": _filled(held, _sentence(localized(delivery.channel.paused_reason))), "style": ""}
    due = date_format(timezone.localtime(delivery.next_attempt_at), "DATETIME_FORMAT")
    return {"lines": _filled(_("Waiting. Next attempt: %s.") % due, last), "style": ""}


def _done(delivery: Delivery) -> str:
    match delivery.action:
        case Action.REVOKE:
            return _("Revoked at %s.")
        case Action.CORRECT:
            return _("The name was corrected at %s.")
    return _("Issued by %s.")


def _given_up(delivery: Delivery) -> str:
    decisions = delivery.decisions.filter(decision=Decision.GIVEN_UP).select_related("by").order_by("-pk")
    decision = decisions.first()
    if decision is None:
        return _("Given up.")
    facts = {
        "who": person(decision),
        "day": date_format(timezone.localtime(decision.at), "DATE_FORMAT"),
        "why": decision.because,
    }
    if decision.because:
        return _("Given up by %(who)s on %(day)s: “%(why)s”") % facts
    return _("Given up by %(who)s on %(day)s.") % facts


def person(decision: DeliveryDecision) -> str:
    """Return the name of who decided, for colleagues."""
    return _("somebody") if decision.by is None else name_of(decision.by, otherwise=_("somebody"))


def _name(award: BadgeAward) -> str:
    return name_of(award.user, is_gone=is_gone(award.user), otherwise=award.user.get_username())


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def _filled(*lines: str) -> list[str]:
    return [line for line in lines if line]
