"""Who is nearly there, as a filter and as an order of the list of progress."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Case, Count, IntegerField, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext as _

from badges_plugin import reading
from badges_plugin.admin.large import newest
from badges_plugin.counting import in_thousands
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, Fulfillment

MOST_DECIDED = 500
"""Learners of whom it is decided at most, without a badge and the newest: what they did is read for each."""


def nearly(request: HttpRequest, rows: QuerySet[BadgeProgress]) -> QuerySet[BadgeProgress]:
    """Return those of the newest rows whose learners lack one thing for a badge that can be earned, and have it not."""
    awards = BadgeAward.objects.filter(progress=OuterRef("pk")).order_by("-number")
    is_held = Case(When(revoked_at=None, then=Value(1)), default=Value(0))
    latest = Coalesce(Subquery(awards.values_list(is_held)[:1]), 0, output_field=IntegerField())
    without = newest(request, rows).alias(is_held=latest).filter(is_held=0)
    found = list(without.order_by("-pk").values_list("pk", "template")[: MOST_DECIDED + 1])
    # Not by a join: MySQL would begin with the templates, and read the learners of each.
    active = set(
        BadgeTemplate.objects.filter(pk__in={template for _pk, template in found}, is_active=True).values_list(
            "pk", flat=True
        )
    )
    if len(found) > MOST_DECIDED:
        text = _("Only the newest %s learners without the badge were looked at. Choose a badge or search.")
        messages.warning(request, text % in_thousands(MOST_DECIDED))
    keys = [pk for pk, template in found[:MOST_DECIDED] if template in active]
    return rows.filter(pk__in=reading.nearly_there(keys))


def done_so_far() -> Coalesce:
    """Return how many things are done, to sort progress by: of one badge, those who lack least come first or last."""
    done = Fulfillment.objects.filter(progress=OuterRef("pk"), is_fulfilled=True).order_by().values("progress")
    return Coalesce(Subquery(done.annotate(total=Count("pk")).values("total")), 0, output_field=IntegerField())
