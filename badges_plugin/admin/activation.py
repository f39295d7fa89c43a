"""Activate and deactivate badge templates, and show what the core says about it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from badges_plugin import api
from badges_plugin.exceptions import ActivationRefused
from badges_plugin.models import BadgeTemplate


def activate(request: HttpRequest, template: BadgeTemplate) -> bool:
    """Activate a template and show its warnings, or show why it cannot be. Returns whether it is active now.

    The page has asked for the confirmations before.
    """
    try:
        api.activate_template(template, confirmed=True)
    except ActivationRefused:
        for problem in api.activation_problems(template):
            messages.error(request, _named(template, problem))
        return False
    tell_warnings(request, template)
    return True


def deactivate(request: HttpRequest, template: BadgeTemplate) -> None:
    """Deactivate a template; warn when others need it."""
    api.deactivate_template(template)
    for warning in api.deactivation_warnings(template):
        messages.warning(request, _named(template, warning))


def tell_warnings(request: HttpRequest, template: BadgeTemplate) -> None:
    """Show what is allowed but may surprise."""
    for warning in api.activation_warnings(template):
        messages.warning(request, _named(template, warning))


def tell_state(request: HttpRequest, template_id: int, *, was_active: bool) -> None:
    """Show what a change of requirements or penalties means for their template. An inactive one is still being set up.

    ``was_active``: before the change. Deleting the last requirement deactivates the template.
    """
    template = BadgeTemplate.objects.get(pk=template_id)
    if template.is_active:
        for problem in api.activation_problems(template):
            messages.error(request, _named(template, problem))
        tell_warnings(request, template)
    elif was_active:
        messages.warning(
            request, _named(template, _("The badge template was deactivated because it has no requirements left."))
        )


def _named(template: BadgeTemplate, text: str) -> str:
    return _("%(template)s: %(text)s") % {"template": template, "text": text}
