"""Activate and deactivate badge templates, and show what the core says about it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from badges_plugin import api
from badges_plugin.exceptions import ActivationRefused
from badges_plugin.models import BadgeTemplate


def activate(request: HttpRequest, template: BadgeTemplate) -> bool:
    """Activate a template; show why it cannot be activated, or what may surprise. Returns whether it is active now.

    The page has asked before for what must be confirmed.
    """
    try:
        api.activate_template(template, confirmed=True)
    except ActivationRefused:
        for problem in api.activation_problems(template):
            messages.error(request, _tagged(template, problem))
        return False
    tell_warnings(request, template)
    return True


def deactivate(request: HttpRequest, template: BadgeTemplate) -> None:
    """Deactivate a template; warn when others need it."""
    api.deactivate_template(template)
    for warning in api.deactivation_warnings(template):
        messages.warning(request, _tagged(template, warning))


def tell_warnings(request: HttpRequest, template: BadgeTemplate) -> None:
    """Show what is allowed but may surprise."""
    for warning in api.activation_warnings(template):
        messages.warning(request, _tagged(template, warning))


def tell_state(request: HttpRequest, template_id: int, *, was_active: bool) -> None:
    """Show what a change of requirements or penalties did to their template. An inactive one is still being set up.

    ``was_active``: before the change. Deleting the last requirement deactivates the template.
    """
    template = BadgeTemplate.objects.get(pk=template_id)
    if template.is_active:
        for problem in api.activation_problems(template):
            messages.error(request, _tagged(template, problem))
        tell_warnings(request, template)
    elif was_active:
        messages.warning(request, _tagged(template, _("The badge template was deactivated: it has no requirements.")))


def _tagged(template: BadgeTemplate, text: str) -> str:
    return f"{template}: {text}"
