"""Accredible's side of an award or a revocation: rows and notifications, as for every provider, and the result.

``issue_badge`` and ``revoke_badge`` run in the award's transaction and prepare; the request itself is a delivery, which
the worker makes. The notifications follow when Accredible has done it, since only then there is a badge to see.
"""

from __future__ import annotations

from badges_plugin.distribution import notifications
from badges_plugin.distribution.accounts import badges
from badges_plugin.distribution.accredible.data import CredentialState
from badges_plugin.distribution.accredible.models import AccredibleBadge
from badges_plugin.distribution.data import Receipt
from badges_plugin.models import BadgeAward


def issue_badge(award: BadgeAward) -> None:
    """On award: the learner has an Accredible badge that Accredible does not know yet."""
    badges.start_badge(
        AccredibleBadge,
        award,
        external_id="",
        state=CredentialState.CREATED.value,
        issued_at=award.awarded_at,
        credential_url="",
    )


def revoke_badge(award: BadgeAward) -> None:
    """On revoke: nothing changes until Accredible has revoked it; the credential itself says "revoked" already."""


def record_badge(award: BadgeAward, receipt: Receipt) -> None:
    """Accredible has answered."""
    known = {"external_id": receipt.external_id, "state": receipt.state}
    if receipt.details.get("credential_url"):
        known["credential_url"] = receipt.details["credential_url"]
    badges.record_badge(AccredibleBadge, award, **known)


def notify_user_awarding(award: BadgeAward) -> None:
    """Tell the learner about the badge and where to see it, if notifications are on."""
    if not notifications.are_on():
        return
    badge = AccredibleBadge.objects.filter(pk=award.credential_id).first()
    notifications.tell(award, notifications.ISSUED, claim_url=badge.credential_url if badge else "")


def notify_user_revocation(award: BadgeAward) -> None:
    """Tell the learner that the badge is revoked, if notifications are on."""
    notifications.tell(award, notifications.REVOKED)
