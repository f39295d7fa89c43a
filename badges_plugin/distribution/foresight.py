"""What would become of a badge at its providers, said before it is awarded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from badges_plugin.distribution import registry
from badges_plugin.distribution.recipients import has_name
from badges_plugin.models import BadgeTemplate


def provider_name(template: BadgeTemplate) -> str:
    """Return the name of the provider that a badge comes from; empty for one of this site. No query."""
    names = (str(backend.name) for backend in registry.responsible_for(template) if backend.slug == template.origin)
    return next(names, "")


def obstacles(template: BadgeTemplate, users: Iterable[Any]) -> dict[int, str]:
    """Return, by user, in a phrase for staff, why a badge could not be delivered; nothing of those whom it reaches.

    No query where the users come with their ``badges_learner``.
    """
    backends = [each for each in registry.responsible_for(template) if each.needs_email or each.needs_name]
    if not backends:
        return {}
    found: dict[int, str] = {}
    for user in users:
        for backend in backends:
            if backend.needs_email and "@" not in (user.email or ""):
                found[user.pk] = _("cannot be delivered to %(provider)s without an e-mail address") % {
                    "provider": backend.name
                }
            elif backend.needs_name and not has_name(user):
                found[user.pk] = _("is delivered to %(provider)s only once the learner has a name") % {
                    "provider": backend.name
                }
    return found
