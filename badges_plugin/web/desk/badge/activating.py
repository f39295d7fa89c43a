"""Activate and deactivate a badge: a page that says what follows, and asks."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from badges_plugin import api
from badges_plugin.counting import count_up_to, in_words
from badges_plugin.exceptions import ActivationRefused, ConfirmationNeeded
from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.web.desk import links
from badges_plugin.web.desk.badge import saving, wording
from badges_plugin.web.desk.badge.catching_up import give
from badges_plugin.web.desk.badge.dry_run import DryRun, named, who_would_have
from badges_plugin.web.desk.badge.fields import is_only_given
from badges_plugin.web.desk.badge.permitted import MAY_SWITCH, to_change
from badges_plugin.web.desk.badge.places import give_url, trail_to
from badges_plugin.web.desk.reached import desk_url
from badges_plugin.web.desk.site import desk_page, page

CONFIRMED = "confirmed"


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MAY_SWITCH)
def activate(request: HttpRequest, template_id: int) -> HttpResponse:
    template = to_change(request, template_id)
    if template.is_active:
        messages.info(request, _("The badge is active already."))
        return HttpResponseRedirect(links.badge_url(template.pk))
    found = None if is_only_given(template) else who_would_have(template)
    if request.method == "POST":
        try:
            with transaction.atomic():
                api.activate_template(template, confirmed=CONFIRMED in request.POST)
                saving.note(request, template, _("Activated."))
        except (ActivationRefused, ConfirmationNeeded):
            pass  # the page says why
        else:
            _tell_activated(request, template, found)
            return HttpResponseRedirect(links.badge_url(template.pk))
    context = {
        "template": template,
        "sentence": wording.paragraph(template),
        "problems": api.activation_problems(template),
        "confirmations": api.activation_confirmations(template),
        "warnings": api.activation_warnings(template),
        "dry_run": found,
        "named": named(request, found),
        "is_refused": request.method == "POST",
        "give_url": give_url(request, template),
        "badge_url": links.badge_url(template.pk),
    }
    title = _("Activate “%s”?") % template.name
    return page(request, "badge_activate", title=title, trail=trail_to(template), context=context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MAY_SWITCH)
def deactivate(request: HttpRequest, template_id: int) -> HttpResponse:
    template = to_change(request, template_id)
    if not template.is_active:
        messages.info(request, _("The badge is not active."))
        return HttpResponseRedirect(links.badge_url(template.pk))
    if request.method == "POST":
        with transaction.atomic():
            api.deactivate_template(template)
            saving.note(request, template, _("Deactivated."))
        messages.success(request, _("The badge is inactive. Learners keep what they have."))
        return HttpResponseRedirect(links.badge_url(template.pk))
    holders = count_up_to(BadgeAward.objects.filter(progress__template=template.pk, revoked_at=None))
    context = {
        "template": template,
        "sentence": wording.paragraph(template),
        "warnings": api.deactivation_warnings(template),
        "holders": holders,
        "holders_words": in_words(holders),
        "badge_url": links.badge_url(template.pk),
    }
    title = _("Deactivate “%s”?") % template.name
    return page(request, "badge_deactivate", title=title, trail=trail_to(template), context=context)


def _tell_activated(request: HttpRequest, template: BadgeTemplate, found: DryRun | None) -> None:
    """Give the badge to those who have done everything, if that was chosen, and say what happened."""
    if found is None or not found.can_be_given or request.POST.get("now") != "yes":
        messages.success(request, _("The badge is active. What learners do from now on counts."))
        return
    given = give(request, template, found.users)
    text = ngettext(
        "The badge is active. %d learner got it at once.",
        "The badge is active. %d learners got it at once.",
        given.awarded,
    )
    messages.success(request, text % given.awarded)
    if given.left:
        here = desk_url(request, "desk_catch_up", template.pk)
        text = _(
            'Not all learners who had done everything were reached in time. <a href="{}">Go on with the others</a>'
        )
        messages.warning(request, format_html(text, here))
