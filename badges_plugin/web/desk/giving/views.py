"""The pages on which staff give a badge by hand: who gets it, a look at the list, the report, and the undoing."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any, cast

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from badges_plugin import api
from badges_plugin.counting import count_up_to
from badges_plugin.database import is_transient
from badges_plugin.distribution.api import provider_name
from badges_plugin.host import User
from badges_plugin.logs import get_logger
from badges_plugin.models import BadgeTemplate, ManualAwardLine, ManualAwardList
from badges_plugin.reasons import MAX_LENGTH
from badges_plugin.redaction import describe
from badges_plugin.times import site_day
from badges_plugin.web.desk import site
from badges_plugin.web.desk.allowed import desk_url
from badges_plugin.web.desk.giving import csv_files
from badges_plugin.web.desk.giving.drafting import correct, draft
from badges_plugin.web.desk.giving.forms import MOST_OFFERED, GiveForm
from badges_plugin.web.desk.giving.lines import GETTING, counts, name_of, numbers_getting, rows, undeliverable

logger = get_logger(__name__)

MAY_GIVE = "badges_plugin.award_by_hand"
MAY_LOOK = "badges_plugin.view_badgeaward"

SECONDS = 8.0
"""How long a page works on a list. The worker does the rest."""
ON_A_PAGE = 25
_MOST_SELECTED = 10_000
_MOST_FOUND = 20
_TOO_LONG = 10
"""Digits that a key of a user, a badge or a list never has."""

_State = ManualAwardList.State
_Outcome = ManualAwardLine.Outcome


@site.desk_page(MAY_GIVE)
@require_http_methods(["GET", "HEAD", "POST"])
def give(request: HttpRequest) -> HttpResponse:
    """Ask who gets a badge. "Look at the list" saves a draft and leads to it; nothing is given here."""
    if request.method != "POST":
        return _ask(request, GiveForm(initial=_initial(request)))
    form = GiveForm(request.POST, request.FILES)
    if "look" not in request.POST:  # another badge is looked for: what was typed stays, and nothing is wrong yet
        return _ask(request, GiveForm(initial=request.POST.dict()))
    if not form.is_valid():
        return _ask(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    made = draft(
        form.cleaned_data["badge"],
        form.entries,
        reason=form.cleaned_data["reason"],
        awarded_at=form.awarded_at,
        by=_person(request),
    )
    return redirect("badges_web:desk_gift_list", made.pk)


@site.desk_page()
@require_safe
def gift_lists(request: HttpRequest) -> HttpResponse:
    """Show the lists, the newest first."""
    _must_may_look(request)
    newest = ManualAwardList.objects.exclude(state=_State.DRAFT).select_related("template", "given_by")
    page = Paginator(newest.order_by("-pk"), ON_A_PAGE).get_page(request.GET.get("page"))
    getting = numbers_getting([each.pk for each in page])
    shown = [(each, getting.get(each.pk, 0), name_of(each.given_by)) for each in page]
    context = {"page": page, "lists": shown, "may_give": request.user.has_perm(MAY_GIVE)}
    return site.page(request, "gift_lists", title=_("Lists of awards by hand"), context=context)


@site.desk_page()
@require_http_methods(["GET", "HEAD", "POST"])
def gift_list(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a list: what will happen, how far it is, or what happened. POST gives the badge, or corrects a line."""
    _must_may_look(request)
    found = _list(pk)
    if request.method == "POST":
        if not request.user.has_perm(MAY_GIVE):
            raise PermissionDenied
        return _change(request, found)
    if found.state == _State.DRAFT and not request.user.has_perm(MAY_GIVE):
        raise PermissionDenied
    may_give = request.user.has_perm(MAY_GIVE)
    if "csv" in request.GET and may_give:
        return csv_files.of_list(found)
    number = counts(found)
    which = request.GET.get("show", "")
    lines = _shown(found, which)
    page = Paginator(lines, ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "list": found,
        "State": _State,
        "counts": number,
        "which": which,
        "page": page,
        # Who may only look at awards does not see addresses there either.
        "rows": rows(found, list(page), with_addresses=may_give, request=request),
        "given_by": name_of(found.given_by),
        "undone_by": name_of(found.undone_by),
        "undeliverable": len(undeliverable(found)) if found.state in (_State.DRAFT, _State.GIVEN) else 0,
        "may_give": may_give,
        "refusal": api.award_refusal(found.template, found.awarded_at) if found.state == _State.DRAFT else "",
        "badge_url": desk_url(request, "desk_badge", found.template_id),
    }
    return site.page(request, "gift_list", title=_("Award by hand"), trail=_trail(request, found), context=context)


@site.desk_page(MAY_GIVE)
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, and then take back what was given by a list."""
    found = _list(pk)
    if request.method == "POST":
        reason = _text(request, "reason")[:MAX_LENGTH]
        if api.start_undoing(found, by=_person(request), reason=reason):
            _log(request, found, _("The list of awards by hand was undone."))
            _work(found)
        elif found.state == _State.DRAFT:
            messages.info(request, _("Nothing was given yet."))
        else:
            messages.info(request, _already_undone(found))
        return redirect("badges_web:desk_gift_list", found.pk)
    if found.state not in (_State.GIVING, _State.GIVEN):
        return redirect("badges_web:desk_gift_list", found.pk)
    context = {
        "list": found,
        "counts": counts(found),
        "most": MAX_LENGTH,
        "provider": provider_name(found.template),
    }
    trail = [*_trail(request, found), (reverse("badges_web:desk_gift_list", args=[found.pk]), _("Award by hand"))]
    return site.page(request, "gift_undo", title=_("Undo the whole list"), trail=trail, context=context)


def ask_about(request: HttpRequest, users: QuerySet[Any], *, badge: int | None = None) -> HttpResponse | None:
    """Answer an admin action: ask which badge these users get. None, with a message, when they are too many."""
    names = list(users.order_by("username").values_list("username", flat=True)[: _MOST_SELECTED + 1])
    if len(names) > _MOST_SELECTED:
        messages.error(request, _("Select at most %d learners at once.") % _MOST_SELECTED)
        return None
    return _ask(request, GiveForm(initial={"badge": badge, "learners": "\n".join(names), **_today()}))


def _ask(request: HttpRequest, form: GiveForm, *, status: int = HTTPStatus.OK) -> HttpResponse:
    typed = {name: form[name].value() or "" for name in ("badge", "learners", "reason", "day")}
    sought = _text(request, "sought")
    chosen = None if "another" in request.POST else _badge(form, typed["badge"])
    many = chosen is None and count_up_to(form.active, MOST_OFFERED) > MOST_OFFERED
    offered = form.active.filter(name__icontains=sought)[:_MOST_FOUND] if many and sought else ()
    context = {
        "form": form,
        "typed": typed,
        "chosen": chosen,
        "is_sought": many,
        "sought": sought,
        "offered": list(offered),
        "badges": () if many or chosen else form.active.only("pk", "name"),
        "none_active": not many and chosen is None and not form.active.exists(),
    }
    trail = [] if chosen is None else _trail_of(request, chosen)
    return site.page(request, "give", title=_("Award by hand"), trail=trail, context=context, status=status)


def _badge(form: GiveForm, pk: Any) -> BadgeTemplate | None:
    key = _key(pk)
    return form.active.filter(pk=key).first() if key is not None else None


def _key(text: object) -> int | None:
    """Return a primary key that stands in a request; None for anything that no table could have."""
    digits = str(text)
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < _TOO_LONG else None


def _text(request: HttpRequest, name: str) -> str:
    """Return what was typed in one line, without what no database takes."""
    return " ".join(request.POST.get(name, "").replace("\0", "").split())


def _initial(request: HttpRequest) -> dict[str, Any]:
    """Return what the form begins with: a badge and a learner that a link names, or a draft that is written anew."""
    values: dict[str, Any] = {**_today(), "badge": request.GET.get("badge") or request.GET.get("template", "")}
    learner, again = _key(request.GET.get("learner", "")), _key(request.GET.get("from", ""))
    if learner is not None and (user := User.objects.filter(pk=learner).first()):
        values["learners"] = user.get_username()
    if again is not None:
        former = ManualAwardList.objects.filter(pk=again, state=_State.DRAFT).first()
        if former is not None:
            written = former.lines.order_by("number").values_list("written", flat=True)
            values |= {"badge": former.template_id, "reason": former.reason, "learners": "\n".join(written)}
            if former.awarded_at is not None:
                values["day"] = site_day(former.awarded_at).isoformat()
    return values


def _today() -> dict[str, str]:
    return {"day": site_day(timezone.now()).isoformat()}


def _change(request: HttpRequest, found: ManualAwardList) -> HttpResponse:
    line, user = map(_key, request.POST.get("correct", ":").partition(":")[::2])
    if line is not None and user is not None:
        row = get_object_or_404(ManualAwardLine.objects.select_related("list__template"), pk=line, list=found)
        correct(row, get_object_or_404(User, pk=user))
    elif "give" in request.POST:
        if found.state == _State.DRAFT and (problem := api.award_refusal(found.template, found.awarded_at)):
            messages.error(request, problem)
        elif api.start_giving(found):
            _log(request, found, _("The list of awards by hand was given."))
            _work(found)
    elif "go_on" in request.POST:
        _work(found)
    return redirect("badges_web:desk_gift_list", found.pk)


def _work(found: ManualAwardList) -> None:
    """Work on a list as long as somebody waits for a page."""
    until = time.monotonic() + SECONDS
    try:
        while api.go_on_with_list(found.pk) and time.monotonic() < until:
            pass
    except Exception as error:
        if not is_transient(error):
            raise
        # Nothing of the step was done; the worker does it, and the page says so.
        logger.warning("List %s of awards by hand waits for the worker: %s", found.pk, describe(error))


def _shown(found: ManualAwardList, which: str) -> QuerySet[ManualAwardLine]:
    # First what may have to be corrected.
    is_getting = Case(When(outcome__in=GETTING, then=1), default=0, output_field=IntegerField())
    lines = found.lines.select_related("user__badges_learner", "award").order_by(is_getting, "number")
    if which == "getting":
        return lines.filter(outcome__in=GETTING)
    return lines.exclude(outcome__in=GETTING) if which == "others" else lines


def _list(pk: int) -> ManualAwardList:
    return get_object_or_404(ManualAwardList.objects.select_related("template", "given_by", "undone_by"), pk=pk)


def _already_undone(found: ManualAwardList) -> str:
    return _("Already undone by %s.") % name_of(found.undone_by) if found.undone_by else _("Already undone.")


def _trail(request: HttpRequest, found: ManualAwardList) -> list[tuple[str, str]]:
    lists = reverse("badges_web:desk_gift_lists")
    return [*_trail_of(request, found.template), (lists, _("Lists of awards by hand"))]


def _trail_of(request: HttpRequest, template: BadgeTemplate) -> list[tuple[str, str]]:
    address = desk_url(request, "desk_badge", template.pk)
    return [(address, template.name)] if address else []


def _must_may_look(request: HttpRequest) -> None:
    if not (request.user.has_perm(MAY_GIVE) or request.user.has_perm(MAY_LOOK)):
        raise PermissionDenied


def _person(request: HttpRequest) -> User:
    return cast("User", request.user)  # who is not logged in does not come here


def _log(request: HttpRequest, found: ManualAwardList, said: str) -> None:
    LogEntry.objects.create(
        user=_person(request),
        content_type=ContentType.objects.get_for_model(ManualAwardList),
        object_id=str(found.pk),
        object_repr=str(found.template)[:200],
        action_flag=CHANGE,
        change_message=said,
    )
