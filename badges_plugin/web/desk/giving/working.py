"""What staff do with a list: correct a line, give the badge, and go on with what was interrupted."""

from __future__ import annotations

import time
from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from badges_plugin import api, retirement, staff_log
from badges_plugin.database import is_transient
from badges_plugin.host import User
from badges_plugin.logs import get_logger
from badges_plugin.models import ManualAwardLine, ManualAwardList
from badges_plugin.redaction import describe
from badges_plugin.web.desk.giving.drafting import correct
from badges_plugin.web.desk.giving.suggesting import accepted

logger = get_logger(__name__)

SECONDS = 8.0
"""How long a page works on a list. The worker does the rest."""

_State = ManualAwardList.State


def change(request: HttpRequest, found: ManualAwardList) -> HttpResponse:
    """Do what a button on the page of a list says, and show the page again."""
    if "correct" in request.POST:
        _correct(request, found)
    elif "give" in request.POST:
        if found.state == _State.DRAFT and (problem := api.award_refusal(found.template, found.awarded_at)):
            messages.error(request, problem)
        elif api.start_giving(found, by=person(request)):
            log(request, found, _("The list of awards by hand was given."))
            work(found)
    elif "go_on" in request.POST:
        work(found)
    return redirect("badges_web:desk_gift_list", found.pk)


def work(found: ManualAwardList) -> None:
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


def person(request: HttpRequest) -> User:
    """Return who asks."""
    return cast("User", request.user)  # who is not logged in does not come here


def log(request: HttpRequest, found: ManualAwardList, said: str) -> None:
    """Write to the log of the admin what somebody did with a list."""
    staff_log.note(person(request).pk, ManualAwardList, [found], said, named=lambda each: each.template)


def _correct(request: HttpRequest, found: ManualAwardList) -> None:
    """Let a line mean the learner who was suggested for it, and nobody else."""
    keys = accepted(request.POST["correct"])
    if keys is None:
        raise Http404
    line_id, user_id = keys
    line = get_object_or_404(ManualAwardLine.objects.select_related("list__template"), pk=line_id, list=found)
    user = get_object_or_404(User, pk=user_id)
    if not retirement.is_gone(user):
        correct(line, user)
