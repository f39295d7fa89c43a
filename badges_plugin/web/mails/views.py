"""Stop mails by the link in one, without signing in; and choose which mails come, when signed in."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from badges_plugin.host import User
from badges_plugin.retirement import is_gone
from badges_plugin.web.mails import links, wishes
from badges_plugin.web.mails.conf import kinds_sent
from badges_plugin.web.notes import MailKind
from badges_plugin.web.pages.answers import gone, not_found, see_other
from badges_plugin.web.pages.limits import limited
from badges_plugin.web.pages.rendering import page
from badges_plugin.web.pages.serving import language_of_page, served

_LABELS = {
    MailKind.AWARDED: _("When I earn a badge"),
    MailKind.REVOKED: _("When a badge of mine is revoked"),
    MailKind.EXPIRING: _("Before a badge of mine expires"),
    MailKind.PENDING: _("When a badge is still waiting for me to accept it"),
}


@csrf_exempt
@served
@limited("mails", lambda settings: settings.public_rate)
@require_http_methods(["GET", "HEAD", "POST"])
def off(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to stop all mails about badges, and stop them.

    Reading the page changes nothing: mail programs and filters open links by themselves. The link itself is the proof,
    so a mail program may post to it with one click (RFC 8058), without a token against forged forms.
    """
    user = User.objects.filter(pk=links.user_of(token) or 0).first()
    if user is None:
        return not_found(request)
    if is_gone(user):
        return gone(request)
    is_off = request.method == "POST"
    if is_off:
        wishes.stop(user)
    return page(request, "mails_off", {"is_off": is_off})


@served
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mails(request: HttpRequest) -> HttpResponse:
    """Show and save which mails a learner wants. The language in which they save it is that of the mails."""
    user = request.user
    if not isinstance(user, User) or is_gone(user):
        return gone(request)
    kinds = [kind for kind in MailKind if kind in kinds_sent()]
    if request.method == "POST":
        wishes.save(
            user, {kind.value: kind.value in request.POST.getlist("wanted") for kind in kinds}, language_of_page()
        )
        return see_other(f"{reverse('badges_web:mails')}?saved=1")
    unwanted = wishes.wishes_of(user).unwanted
    context = {
        "choices": [(kind.value, _LABELS[kind], kind not in unwanted) for kind in kinds],
        "address": user.email,
        "is_saved": "saved" in request.GET,
    }
    return page(request, "mails", context, current="mails", has_form=True)
