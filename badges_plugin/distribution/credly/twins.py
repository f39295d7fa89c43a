"""Credly's badge templates that the host's built-in badges app has as well."""

from __future__ import annotations

from django.db.models import Q

from badges_plugin.distribution.credly.models import CredlyBadgeTemplate


def twins() -> Q:
    """Select the built-in app's Credly templates that are active here: both keep Credly's id as ``uuid``."""
    active = CredlyBadgeTemplate.objects.filter(is_active=True)
    return Q(uuid__in=list(active.values_list("uuid", flat=True)))
