"""What staff decide about deliveries: try again, give up, take up again. Each decision is kept, with who made it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from badges_plugin.distribution.data import Action
from badges_plugin.distribution.models import Decision, Delivery, DeliveryDecision
from badges_plugin.distribution.queueing import give_up as settle_as_given_up
from badges_plugin.distribution.queueing import make_due, queue_correction
from badges_plugin.distribution.retry import OPEN, State
from badges_plugin.host import User
from badges_plugin.models import BadgeAward


def try_again(keys: Collection[int], *, by: User) -> list[int]:
    """Make deliveries due that failed or wait; return the keys of those that are due now."""
    return _decide(keys, OPEN, make_due, Decision.RETRIED, by)


def give_up(keys: Collection[int], *, by: User, because: str) -> list[int]:
    """Give up deliveries that failed or wait; return the keys of those that are given up now.

    Nothing is revoked, later deliveries of the same badge go on, and the last reason stays. ``because`` is for
    colleagues.
    """
    return _decide(keys, OPEN, settle_as_given_up, Decision.GIVEN_UP, by, because)


def take_up(keys: Collection[int], *, by: User) -> list[int]:
    """Make deliveries due that were given up, unless ``obstacle`` names a reason against it; return their keys."""
    return _decide(keys, (State.GIVEN_UP,), make_due, Decision.TAKEN_UP, by)


def send_name(award: BadgeAward, *, by: User) -> list[int]:
    """Queue the correction of the learner's name on a badge; return the keys of the deliveries that are due now."""
    with transaction.atomic():
        keys = queue_correction(award)
        DeliveryDecision.objects.bulk_create(
            DeliveryDecision(delivery_id=pk, decision=Decision.NAME, by=by) for pk in keys
        )
    return keys


def obstacle(delivery: Delivery) -> str:
    """Return why a delivery that was given up cannot be taken up again; empty if it can. One query."""
    award = delivery.award
    if delivery.action != Action.REVOKE:
        return _("The badge has ended since, so nothing needs to be sent.") if award.revoked_at else ""
    later = BadgeAward.objects.filter(progress=award.progress_id, number__gt=award.number)
    if later.exists():
        # Its issue may have adopted the badge that was not revoked.
        return _("The learner has the badge again since. What the provider has may belong to the later award.")
    return ""


def _decide(
    keys: Collection[int],
    states: Collection[State],
    change: Callable[[QuerySet[Delivery]], int],
    decision: Decision,
    by: User,
    because: str = "",
) -> list[int]:
    with transaction.atomic():
        # By key alone, in the order in which workers and revocations lock: see ``delivery.lock_held``.
        held = Delivery.objects.filter(pk__in=keys).select_for_update().order_by("pk")
        chosen = [pk for pk, state in held.values_list("pk", "state") if state in states]
        if decision is Decision.TAKEN_UP:
            # Read after they are locked: a revocation that ends an award locks its deliveries, too.
            rows = Delivery.objects.filter(pk__in=chosen).select_related("award").order_by("pk")
            chosen = [row.pk for row in rows if not obstacle(row)]
        if not chosen:
            return []
        change(Delivery.objects.filter(pk__in=chosen))
        text = because[: DeliveryDecision.MAX_LENGTH]
        DeliveryDecision.objects.bulk_create(
            DeliveryDecision(delivery_id=pk, decision=decision, by=by, because=text) for pk in chosen
        )
    return chosen
