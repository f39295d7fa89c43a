"""What becomes of learners while their deliveries wait: they are retired, or have a name at last."""

from __future__ import annotations

import time
from itertools import groupby
from typing import Any

from badges_plugin import api
from badges_plugin.distribution import people, registry
from badges_plugin.distribution.data import Action
from badges_plugin.distribution.delivery import withdraw_retired
from badges_plugin.distribution.models import Delivery, DeliveryAttempt
from badges_plugin.distribution.orders import retired
from badges_plugin.distribution.queueing import retry_now, settle
from badges_plugin.distribution.retry import State

SWEEP_SECONDS = 300.0
"""Looking for the retired reads all users, and is not what keeps anything from being sent to them."""
NAMES_SECONDS = 60.0


class Attendance:
    """What a worker does about learners now and then, however often it asks."""

    def __init__(self) -> None:
        self._next_sweep = self._next_names = 0.0

    def attend(self) -> None:
        """Withdraw what is at hand for learners who were retired; from time to time, erase what is kept of them."""
        withdraw_retired()
        now = time.monotonic()
        if now >= self._next_sweep:
            # More than fit into one round follow in the next.
            self._next_sweep = now if api.sweep_retired() else now + SWEEP_SECONDS
        if now >= self._next_names:
            self._next_names = now + NAMES_SECONDS
            resume_named()


def resume_named() -> int:
    """Make due again what waited for a name that the learner has now. Returns how many there were."""
    waiting = Delivery.objects.filter(state=State.FAILED, awaits_name=True).order_by("pk")
    learners = waiting.select_related("award__progress__user__badges_learner")
    named = [delivery.pk for delivery in learners if people.has_name(delivery.award.user)]
    return retry_now(Delivery.objects.filter(pk__in=named)) if named else 0


def forget(sender: object, user: Any, **kwargs: object) -> None:
    """
    Settle what was to be sent for a user who was retired, and erase what deliveries keep of them.

    What may have been sent is still looked up, without their address, so that it is known what the provider has.
    """
    deliveries = list(Delivery.objects.filter(award__progress__user=user).select_related("award").order_by("pk"))
    mine = Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries])
    settle(mine.filter(state__in=(State.PENDING, State.FAILED), in_doubt=False), State.CANCELLED, reason=retired())
    retry_now(mine.filter(state=State.FAILED, in_doubt=True))
    mine.update(recipient_email="")
    mine.exclude(state=State.CANCELLED).update(last_error="")
    DeliveryAttempt.objects.filter(delivery__in=[delivery.pk for delivery in deliveries]).update(reason="")
    issues = sorted((each for each in deliveries if each.action == Action.ISSUE), key=lambda each: each.backend)
    for slug, group in groupby(issues, key=lambda each: each.backend):
        if slug in registry.slugs():
            registry.get(slug).forget([each.award for each in group])
