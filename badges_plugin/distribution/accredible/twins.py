"""Accredible's groups that the host's built-in badges app has as well."""

from __future__ import annotations

from django.db.models import Q

from badges_plugin.distribution.accredible.models import AccredibleGroup


def twins() -> Q:
    """Select the built-in app's groups that are active here: there Accredible's id is the primary key."""
    active = AccredibleGroup.objects.filter(is_active=True)
    return Q(pk__in=list(active.values_list("group_id", flat=True)))
