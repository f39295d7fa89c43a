"""Give an active badge to learners who had done everything before: in parts, as long as somebody waits for the page.

What was given stays given, and who has the badge is not listed any more. So whoever comes back goes on where the page
before ended, or where an activation was interrupted. Up to 5,000 learners are looked at for each line.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from badges_plugin.backfill import recorded
from badges_plugin.counting import in_thousands
from badges_plugin.models import BadgeTemplate
from badges_plugin.web.desk import links
from badges_plugin.web.desk.badge import saving, wording
from badges_plugin.web.desk.badge.dry_run import named, who_would_have
from badges_plugin.web.desk.badge.fields import is_only_given
from badges_plugin.web.desk.badge.permitted import MAY_SWITCH, to_change
from badges_plugin.web.desk.badge.places import trail_to
from badges_plugin.web.desk.giving.working import SECONDS
from badges_plugin.web.desk.site import desk_page, page


class Given(NamedTuple):
    """How many learners were awarded, and how many were not looked at because the time was over."""

    awarded: int
    left: int


def give(request: HttpRequest, template: BadgeTemplate, users: Sequence[int]) -> Given:
    """Give a badge to users who have done everything, for some seconds; note in its history how many got it."""
    until, awarded, done = time.monotonic() + SECONDS, 0, 0
    try:
        while done < len(users) and (not done or time.monotonic() < until):
            some = users[done : done + recorded.AT_ONCE]
            awarded += recorded.award_recorded(template, some)
            done += len(some)
    finally:  # what was given before an error stays given
        if awarded:
            text = ngettext(
                "Given to %d learner who had done everything.", "Given to %d learners who had done everything.", awarded
            )
            saving.note(request, template, text % awarded)
    return Given(awarded, len(users) - done)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MAY_SWITCH)
def catch_up(request: HttpRequest, template_id: int) -> HttpResponse:
    """Show who has done everything and never got the badge, and give it to them."""
    template = to_change(request, template_id)
    if not template.is_active or is_only_given(template):
        return HttpResponseRedirect(links.badge_url(template.pk))
    found = who_would_have(template)
    if request.method == "POST" and found.can_be_applied and found.users:
        given = give(request, template, found.users)
        tell(request, given)
        here = reverse("badges_web:desk_catch_up", args=[template.pk])
        return HttpResponseRedirect(here if given.left or found.is_cut else links.badge_url(template.pk))
    context = {
        "template": template,
        "sentence": wording.paragraph(template),
        "dry_run": found,
        "named": named(request, found),
        "badge_url": links.badge_url(template.pk),
    }
    return page(
        request, "badge_catch_up", title=_("Who has done it already"), trail=trail_to(template), context=context
    )


def tell(request: HttpRequest, given: Given) -> None:
    """Say how many learners got the badge, and that there are more."""
    text = ngettext("%s learner got the badge.", "%s learners got the badge.", given.awarded)
    text %= in_thousands(given.awarded)
    if given.left:
        messages.warning(request, _("%s There are more, who are listed here: go on.") % text)
    elif given.awarded:
        messages.success(request, text)
    else:
        messages.info(request, _("Nobody got the badge: what is on record of them has changed, or they were retired."))
