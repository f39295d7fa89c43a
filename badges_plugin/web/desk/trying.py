"""*Try it*: what an event would do, for a learner or for anybody, in words. Nothing is written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from badges_plugin import api
from badges_plugin.admin import links
from badges_plugin.api import BadgeEffect, Effect, Rehearsal
from badges_plugin.data import BadgingEvent
from badges_plugin.host import User, course_titles
from badges_plugin.models import DataRule, FailedEvent, PenaltyDataRule
from badges_plugin.reading.event_words import event_sentence, subject_key
from badges_plugin.reading.trying import BadgeTried, ConditionTried, tried
from badges_plugin.rules import Operator
from badges_plugin.web.desk import persons, reached
from badges_plugin.web.desk.cards import Standing
from badges_plugin.web.desk.learner import MAY_SEE
from badges_plugin.web.desk.links import learner_url
from badges_plugin.web.desk.site import desk_page, page
from badges_plugin.web.desk.trying_form import TrialForm

MOST_SHOWN = 20
"""Badges that are told in full."""


@dataclass(frozen=True)
class Verdict:
    """What an event would do about one badge, in words, and why."""

    badge: BadgeTried
    url: str
    standing: Standing
    detail: str
    conditions: tuple[tuple[Standing, ConditionTried], ...]
    others: tuple[ConditionTried, ...]
    """Conditions that go by something else."""


@dataclass(frozen=True)
class Result:
    """All that is said of an event that was tried."""

    sentence: str
    learner: persons.Person | None
    learner_url: str
    is_new: bool
    """Whether the event names somebody whom the service does not know yet."""
    ignored: str
    verdicts: tuple[Verdict, ...]
    left_out: int


@desk_page("badges_plugin.view_badgetemplate")
def try_it(request: HttpRequest) -> HttpResponse:
    """Ask for an event; once there is one, say what it would do.

    Who may not see learners tries it with somebody who has done nothing, whomever an event names.
    """
    given = request.POST or request.GET
    badge_id = _number(given.get("badge") or given.get("template", ""))  # as the badge's page names it
    may_see = request.user.has_perms(MAY_SEE)
    courses = _courses_of(badge_id)
    initial = _initial(request, badge_id, courses)
    form = TrialForm(request.POST or None, initial=initial, badge_id=badge_id, may_see_learners=may_see)
    result = None
    if request.method == "POST" and form.is_valid() and form.event is not None:
        result = _result(request, form.event, form)
    context = {"form": form, "result": result, "courses": courses, "may_see_learners": may_see}
    return page(request, "try", title=_("Try an event"), context=context)


def _initial(request: HttpRequest, badge_id: int | None, courses: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return what an address asks for: a learner, a badge, or a failed event, if its content is for whoever asks."""
    initial: dict[str, Any] = {"learner": request.GET.get("learner", ""), "badge": badge_id or "", "kind": "pass"}
    if courses:
        initial["course"] = courses[0][0]
    failed_id = _number(request.GET.get("failed", ""))
    if failed_id is not None and links.may(request, "change", FailedEvent):
        failed = FailedEvent.objects.filter(pk=failed_id).first()
        if failed is not None and isinstance(failed.payload, Mapping):
            initial |= {"kind": "paste", "content": _as_text(failed)}
    return initial


def _as_text(failed: FailedEvent) -> str:
    time = failed.event_time.isoformat() if failed.event_time else None
    told = {"type": failed.event_type, "id": failed.event_id, "time": time, "data": failed.payload}
    return json.dumps({name: value for name, value in told.items() if value}, indent=2, ensure_ascii=False)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _courses_of(badge_id: int | None) -> list[tuple[str, str]]:
    """Return the keys and titles of the courses that a badge names, to choose from."""
    if badge_id is None:
        return []
    rules = DataRule.objects.filter(
        requirement__template=badge_id,
        key_path__in=("course.course_key", "course.ccx_course_key"),
        operator__in=(Operator.EQUAL, Operator.ONE_OF),
    )
    values = rules.order_by("pk").values_list("value", flat=True)
    keys = list(dict.fromkeys(line.strip() for value in values for line in value.splitlines() if line.strip()))
    titles = course_titles(keys[:MOST_SHOWN])
    return [(key, titles.get(key, "")) for key in keys[:MOST_SHOWN]]


def _result(request: HttpRequest, event: BadgingEvent, form: TrialForm) -> Result:
    """Try an event, and say what was found."""
    badge_id = form.cleaned_data["badge"]
    wanted = None if badge_id is None else [badge_id]
    rehearsal = api.rehearse(event, template_ids=wanted, is_of_nobody=form.is_of_nobody)
    effects = {each.template_id: each for each in rehearsal.badges}
    shown = wanted or [*effects, *(pk for pk in _near(event) if pk not in effects)]
    found = tried(event, shown[:MOST_SHOWN]) if not rehearsal.ignored or wanted else {}
    user = User.objects.filter(pk=rehearsal.user_id).first() if rehearsal.user_id is not None else form.user
    key = subject_key(event.type, event.payload)
    return Result(
        sentence=event_sentence(event.type, event.payload, course_titles([key]) if key else {}),
        learner=persons.person(user) if user is not None else None,
        learner_url=learner_url(user.pk) if user is not None else "",
        is_new=user is None and not form.is_of_nobody,
        ignored=_why_ignored(rehearsal),
        verdicts=tuple(
            _verdict(request, found[pk], effects.get(pk), is_ignored=bool(rehearsal.ignored))
            for pk in shown[:MOST_SHOWN]
            if pk in found
        ),
        left_out=max(len(shown) - MOST_SHOWN, 0),
    )


def _near(event: BadgingEvent) -> list[int]:
    """Return active badges with a rule that names what an event is about, whether or not the rest matches."""
    key = subject_key(event.type, event.payload)
    if not key:
        return []
    found: set[int] = set()
    for model, of in ((DataRule, "requirement"), (PenaltyDataRule, "penalty")):
        rows = model._default_manager.filter(value__contains=key, **{f"{of}__template__is_active": True})  # noqa: SLF001
        found.update(rows.order_by("pk").values_list(f"{of}__template", flat=True)[: MOST_SHOWN + 1])
    return sorted(found)


def _why_ignored(rehearsal: Rehearsal) -> str:
    """Return why an event would not be applied, in the language of the page where the reason is a known one."""
    known = {
        "its learner was retired": _("The learner was erased: nothing is applied for them any more."),
        "the event's time is in the future, by the clock of this machine": _(
            "Its time is in the future. It would be kept, and applied then."
        ),
        "the learner is not known here and the event has no user name": _(
            "The learner is not known here, and the event has no user name. It would be kept, and tried again."
        ),
    }
    return known.get(rehearsal.ignored, rehearsal.ignored)


def _verdict(request: HttpRequest, badge: BadgeTried, effect: BadgeEffect | None, *, is_ignored: bool) -> Verdict:
    standing, detail = _words(effect)
    if is_ignored:
        standing, detail = Standing("none", _("Nothing, since the event would not be applied")), ""
    conditions = [each for each in badge.conditions if each.rules or not each.note]
    return Verdict(
        badge=badge,
        url=reached.badge_url(request, badge.template_id),
        standing=standing,
        detail=detail,
        conditions=tuple((_tried(each), each) for each in conditions),
        others=tuple(each for each in badge.conditions if each not in conditions),
    )


def _tried(condition: ConditionTried) -> Standing:
    if not condition.applies:
        return Standing("none", _("Does not match"))
    return Standing("bad", _("Matches: takes away")) if condition.is_penalty else Standing("ok", _("Matches"))


def _words(effect: BadgeEffect | None) -> tuple[Standing, str]:
    """Return what would happen, and a sentence on how far the learner would be."""
    if effect is None:
        return Standing("none", _("Nothing: the badge does not ask for this")), ""
    told = {"after": effect.after, "before": effect.before, "groups": effect.groups}
    how_far = _("Done then: %(after)d of %(groups)d. Now: %(before)d of %(groups)d.") % told
    match effect.effect:
        case Effect.AWARDS:
            return Standing("ok", _("The badge would be awarded")), how_far
        case Effect.REVOKES:
            return Standing("bad", _("The badge would be revoked")), how_far
        case Effect.EXPIRED:
            return Standing("lost", _("No badge: it would have expired by now")), how_far
        case Effect.ADDS:
            return Standing("part", _("It would count, and more is missing")), how_far
        case Effect.TAKES:
            return Standing("bad", _("It would be noted as not done")), how_far
        case Effect.KEEPS:
            return Standing("ok", _("The learner has the badge and keeps it")), how_far
        case Effect.STAYS_AWAY:
            text = _("Everything would be done, but no badge: it was revoked by a decision, or is given once only")
            return Standing("lost", text), how_far
    return Standing("none", _("Nothing new: this came before, or something newer did")), how_far
