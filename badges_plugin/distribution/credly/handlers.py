"""Credly's side of an award or a revocation: the four side effects of the specification, and the result.

``issue_badge`` and ``revoke_badge`` run in the award's transaction and prepare; the request itself is a delivery, which
the worker makes. The notifications follow when Credly has done it, since only then there is a badge to accept.
"""

from __future__ import annotations

from badges_plugin.distribution import notifications
from badges_plugin.distribution.accounts import badges
from badges_plugin.distribution.credly.data import BadgeState
from badges_plugin.distribution.credly.models import CredlyBadge
from badges_plugin.distribution.data import Receipt
from badges_plugin.models import BadgeAward


def issue_badge(award: BadgeAward) -> None:
    """On award: the learner has a Credly badge that Credly does not know yet."""
    badges.start_badge(
        CredlyBadge,
        award,
        issued_badge_id=None,
        state=BadgeState.CREATED.value,
        state_time=None,
        issued_at=award.awarded_at,
        accept_badge_url="",
    )


def revoke_badge(award: BadgeAward) -> None:
    """On revoke: nothing changes until Credly has revoked it; the credential itself says "revoked" already."""


def record_badge(award: BadgeAward, receipt: Receipt) -> None:
    """Credly has answered."""
    known = {"issued_badge_id": receipt.external_id, "state": receipt.state}
    if receipt.details.get("accept_badge_url"):
        known["accept_badge_url"] = receipt.details["accept_badge_url"]
    badges.record_badge(CredlyBadge, award, **known)


def notify_user_awarding(award: BadgeAward) -> None:
    """Tell the learner about the badge and where to accept it, if notifications are on."""
    if not notifications.are_on():
        return
    badge = CredlyBadge.objects.filter(pk=award.credential_id).first()
    notifications.tell(award, notifications.ISSUED, claim_url=badge.accept_badge_url if badge else "")


def notify_user_revocation(award: BadgeAward) -> None:
    """Tell the learner that the badge is revoked, if notifications are on."""
    notifications.tell(award, notifications.REVOKED)
