"""Chores about learners whose deliveries wait: they are retired, or have a name at last."""

from __future__ import annotations

from datetime import datetime

from badges_plugin import api
from badges_plugin.distribution import recipients
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.queueing import retry_now
from badges_plugin.distribution.retry import State


def sweep_a_batch(now: datetime) -> bool:
    """Erase what is kept of some retired learners. Return whether there may be more."""
    return api.sweep_retired() > 0


def resume_named(now: datetime) -> bool:
    """Make deliveries due that waited for a name which the learner has now. Return whether there is more: never."""
    waiting = Delivery.objects.filter(state=State.FAILED, awaits_name=True).order_by("pk")
    learners = waiting.select_related("award__progress__user__badges_learner")
    named = [delivery.pk for delivery in learners if recipients.has_name(delivery.award.user)]
    if named:
        retry_now(Delivery.objects.filter(pk__in=named))
    return False
