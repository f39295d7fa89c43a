"""From a claimed delivery to the order that a thread carries out: everything a request needs, without the database."""

from __future__ import annotations

import time
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from badges_plugin import reasons, retirement
from badges_plugin.distribution import recipients
from badges_plugin.distribution.backends import Backend
from badges_plugin.distribution.conf import DistributionConfig
from badges_plugin.distribution.data import Action, Cancelled, ProviderRequest, Withdrawal
from badges_plugin.distribution.exceptions import PermanentFailure
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.retry import State
from badges_plugin.models import BadgeAward, Ending


def retired() -> str:
    """Why nothing is sent for a learner who was retired."""
    return _("The learner was retired: nothing is sent for them any more.")


def request_for(
    delivery: Delivery, backend: Backend[Any], config: DistributionConfig, *, is_retired: bool | None = None
) -> ProviderRequest[Any] | Cancelled:
    """Read what the backend needs to carry the delivery out.

    For a learner who was retired nothing is carried out. What is in doubt is looked up, and that without their address.
    ``is_retired`` is known of several deliveries by one query; otherwise it is asked here.
    Raises PermanentFailure when there is nothing to revoke, and the failures of the backend's own reading.
    """
    award, action = delivery.award, Action(delivery.action)
    if is_retired is None:
        is_retired = retirement.is_gone(award.user)
    if is_retired and not delivery.in_doubt:
        return Cancelled(retired())
    person = recipients.recipient(
        award.user, earner_id=str(award.credential.uuid), email=delivery.recipient_email, is_retired=is_retired
    )
    external_id = ""
    if action is Action.REVOKE:
        issue = Delivery.objects.filter(award=award, backend=delivery.backend, action=Action.ISSUE).first()
        external_id = issue.external_id if issue else ""
        if not external_id and is_retired:
            return Cancelled(retired())
        if issue is None or not external_id:
            raise PermanentFailure("The issue of this award left no id at the provider, so nothing can be revoked.")
        if issue.ends_by_itself(award):
            return Cancelled(_("The badge has expired at the provider by itself."))
    return ProviderRequest(
        action=action,
        award_id=award.pk,
        number=award.number,
        template_uuid=award.template.uuid,
        # Providers refuse a date that lies ahead, as it may by the clock of another machine.
        awarded_at=min(award.awarded_at, timezone.now()),
        reason=_reason(award, backend),
        recipient=person,
        account=delivery.channel.account,
        context=backend.load(award),
        external_id=external_id,
        foreign_ids=_foreign_ids(delivery),
        in_doubt=delivery.in_doubt,
        wanted=action is Action.REVOKE or award.revoked_at is None,
        expires_at=award.expires_at,
        renews=_renews(delivery),
        send_before=_send_before(delivery, config),
        withdrawn=Withdrawal(retired() if is_retired else ""),
    )


def _send_before(delivery: Delivery, config: DistributionConfig) -> float:
    # By the claim itself, and not by the time of reading: a slow database must not make it look longer.
    now = timezone.now()
    left = ((delivery.claimed_until or now) - now).total_seconds()
    return time.monotonic() + left - (config.lease - config.time_to_send)


def _reason(award: BadgeAward, backend: Backend[Any]) -> str:
    """Return why the award ended, for people who read it at the provider; not in the language of who is at work."""
    with reasons.in_site_language(backend.language()):
        return award.reason


def _renews(delivery: Delivery) -> bool:
    if delivery.action != Action.ISSUE or delivery.award.number == 1:
        return False
    earlier = BadgeAward.objects.filter(progress=delivery.award.progress_id, number=delivery.award.number - 1)
    return earlier.filter(ended_by=Ending.EXPIRED).exists()


def _foreign_ids(delivery: Delivery) -> frozenset[str]:
    if delivery.action != Action.ISSUE or delivery.award.number == 1:
        return frozenset()
    others = Delivery.objects.filter(
        award__progress=delivery.award.progress_id, backend=delivery.backend, action=Action.ISSUE
    ).exclude(award=delivery.award_id)
    # A badge whose revocation staff gave up is alive: where there can be no second one, it is this award's as well.
    left_alone = Delivery.objects.filter(
        award=OuterRef("award"), backend=delivery.backend, action=Action.REVOKE, state=State.CANCELLED
    )
    others = others.exclude(Exists(left_alone)).exclude(external_id="")
    return frozenset(others.values_list("external_id", flat=True))
