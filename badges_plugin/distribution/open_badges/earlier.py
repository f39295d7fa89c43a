"""Awards that were made before this site signed badges of their templates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.models import Q, QuerySet
from django.utils import timezone

from badges_plugin.distribution.api import BadgeAward, BadgeTemplate, is_queued, queue_earlier
from badges_plugin.distribution.open_badges.models import SLUG

AT_ONCE = 500


def count(templates: Sequence[BadgeTemplate]) -> int:
    """Return how many held badges of templates are not queued to be signed."""
    return _left(templates).count()


def queue(templates: Sequence[BadgeTemplate]) -> Iterator[int]:
    """Queue the held badges of templates, and yield how many, some at a time, each in a transaction of its own."""
    last = 0
    while awards := _some(templates, after=last):
        last = awards[-1].pk
        yield queue_earlier(awards, SLUG)


def _some(templates: Sequence[BadgeTemplate], *, after: int) -> list[BadgeAward]:
    rows = _left(templates).filter(pk__gt=after).select_related("progress__template")
    return list(rows.order_by("pk")[:AT_ONCE])


def _left(templates: Sequence[BadgeTemplate]) -> QuerySet[BadgeAward]:
    valid = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    held = BadgeAward.objects.filter(valid, revoked_at=None, progress__template__in=[each.pk for each in templates])
    return held.exclude(is_queued(SLUG))
