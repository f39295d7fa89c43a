"""What becomes of learners while their deliveries wait: they are retired, or have a name at last."""

from __future__ import annotations

import time

from badges_plugin import api
from badges_plugin.distribution import recipients
from badges_plugin.distribution.delivery import withdraw_retired
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.queueing import retry_now
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
    named = [delivery.pk for delivery in learners if recipients.has_name(delivery.award.user)]
    return retry_now(Delivery.objects.filter(pk__in=named)) if named else 0
