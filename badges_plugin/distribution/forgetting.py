"""Erase what deliveries keep of retired learners."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any

from badges_plugin.distribution import registry
from badges_plugin.distribution.models import Delivery, DeliveryAttempt, DeliveryDecision
from badges_plugin.distribution.queueing import retry_now, settle
from badges_plugin.distribution.requests import RETIRED
from badges_plugin.distribution.retry import OPEN, State
from badges_plugin.models import BadgeAward


def forget(sender: object, user: Any, **kwargs: object) -> None:
    """Settle what was to be sent for a retired user, and erase what deliveries keep of them.

    A delivery in doubt is still looked up, without the e-mail address, so that it is known what the provider has.
    """
    deliveries = list(Delivery.objects.filter(award__progress__user=user).select_related("award").order_by("pk"))
    erase(deliveries)
    _erase_where_deliveries_are_gone(user, {(each.backend, each.award_id) for each in deliveries})


def erase(deliveries: Sequence[Delivery]) -> None:
    """Do the same for some deliveries of retired learners."""
    mine = Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries])
    settle(mine.filter(state__in=OPEN, in_doubt=False), State.CANCELLED, reason=RETIRED)
    retry_now(mine.filter(state=State.FAILED, in_doubt=True))
    mine.update(recipient_email="")
    mine.exclude(state=State.CANCELLED).update(last_error="")
    DeliveryAttempt.objects.filter(delivery__in=[delivery.pk for delivery in deliveries]).update(reason="")
    # Text that staff wrote may name them.
    DeliveryDecision.objects.filter(delivery__in=[delivery.pk for delivery in deliveries]).update(because="")
    # Not only issues: the reply to a revocation contains the URL of the badge as well.
    by_backend = sorted(deliveries, key=lambda each: each.backend)
    for slug, group in groupby(by_backend, key=lambda each: each.backend):
        if slug in registry.slugs():
            registry.get(slug).forget([each.award for each in group])


def _erase_where_deliveries_are_gone(user: Any, told: Collection[tuple[str, int]]) -> None:
    """Tell backends of the awards whose deliveries were deleted as too old: what backends keep of them is still there.

    ``told`` are the slugs and awards of which they know.
    """
    awards = BadgeAward.objects.filter(progress__user=user).select_related("progress__template").order_by("pk")
    for backend, own in registry.by_backend(list(awards), registry.formerly_responsible_for):
        if left := [award for award in own if (backend.slug, award.pk) not in told]:
            backend.forget(left)
