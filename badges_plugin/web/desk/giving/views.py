"""The pages on which staff give a badge by hand: who gets it, a look at the list, the report, and the undoing."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, QuerySet, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from badges_plugin import api, retirement
from badges_plugin.counting import count_up_to
from badges_plugin.distribution.api import provider_name
from badges_plugin.host import User
from badges_plugin.models import BadgeTemplate, ManualAwardLine, ManualAwardList
from badges_plugin.reasons import MAX_LENGTH
from badges_plugin.times import site_day
from badges_plugin.web.desk import site
from badges_plugin.web.desk.giving import csv_files
from badges_plugin.web.desk.giving.drafting import draft
from badges_plugin.web.desk.giving.forms import MOST_OFFERED, GiveForm, heading_told
from badges_plugin.web.desk.giving.lines import GETTING, counts, name_of, number_undeliverable, numbers_getting, rows
from badges_plugin.web.desk.giving.working import change, log, person, work
from badges_plugin.web.desk.reached import desk_url

MAY_GIVE = "badges_plugin.award_by_hand"
MAY_LOOK = "badges_plugin.view_badgeaward"

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
        by=person(request),
    )
    if form.heading:
        messages.info(request, heading_told(form.heading))
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
    found = _list(request, pk)
    if request.method == "POST":
        if not request.user.has_perm(MAY_GIVE):
            raise PermissionDenied
        return change(request, found)
    if found.state == _State.DRAFT and not request.user.has_perm(MAY_GIVE):
        raise PermissionDenied
    may_give = request.user.has_perm(MAY_GIVE)
    if "csv" in request.GET and may_give:
        log(request, found, _("Downloaded as CSV."))
        return csv_files.of_list(found)
    which = request.GET.get("show", "")
    lines = _shown(found, which)
    page = Paginator(lines, ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "list": found,
        "State": _State,
        "counts": counts(found),
        "which": which,
        "page": page,
        # Who may only look at awards does not see addresses there either.
        "rows": rows(found, list(page), with_addresses=may_give, request=request),
        "given_by": name_of(found.given_by),
        "undone_by": name_of(found.undone_by),
        # All learners of the list are read for it, so that the pages after the first one do not say it.
        "undeliverable": number_undeliverable(found) if page.number == 1 and not which else 0,
        "may_give": may_give,
        "refusal": api.award_refusal(found.template, found.awarded_at) if found.state == _State.DRAFT else "",
        "badge_url": desk_url(request, "desk_badge", found.template_id),
    }
    return site.page(request, "gift_list", title=_("Award by hand"), trail=_trail(request, found), context=context)


@site.desk_page(MAY_GIVE)
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, and then take back what was given by a list."""
    found = _list(request, pk)
    if request.method == "POST":
        reason = _text(request, "reason")[:MAX_LENGTH]
        if api.start_undoing(found, by=person(request), reason=reason):
            log(request, found, _("The list of awards by hand was undone."))
            work(found)
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
    # Who may not open the page of a learner must not learn here who has which key.
    if learner is not None and desk_url(request, "desk_learner", learner):
        user = User.objects.filter(pk=learner).first()
        if user is not None and not retirement.is_gone(user):
            values["learners"] = user.get_username()
    if again is not None:
        former = _drafts_of(request).filter(pk=again).first()
        if former is not None:
            written = former.lines.order_by("number").values_list("written", flat=True)
            values |= {"badge": former.template_id, "reason": former.reason, "learners": "\n".join(written)}
            if former.awarded_at is not None:
                values["day"] = site_day(former.awarded_at).isoformat()
    return values


def _today() -> dict[str, str]:
    return {"day": site_day(timezone.now()).isoformat()}


def _shown(found: ManualAwardList, which: str) -> QuerySet[ManualAwardLine]:
    # First what may have to be corrected.
    is_getting = Case(When(outcome__in=GETTING, then=1), default=0, output_field=IntegerField())
    lines = found.lines.select_related("user__badges_learner", "award").order_by(is_getting, "number")
    if which == "getting":
        return lines.filter(outcome__in=GETTING)
    return lines.exclude(outcome__in=GETTING) if which == "others" else lines


def _list(request: HttpRequest, pk: int) -> ManualAwardList:
    """Return a list. A draft is for those who made it only: nobody gives badges in the name of somebody else."""
    found = get_object_or_404(ManualAwardList.objects.select_related("template", "given_by", "undone_by"), pk=pk)
    if found.state == _State.DRAFT and found.given_by_id != request.user.pk:
        raise Http404
    return found


def _drafts_of(request: HttpRequest) -> QuerySet[ManualAwardList]:
    return ManualAwardList.objects.filter(state=_State.DRAFT, given_by=person(request))


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
