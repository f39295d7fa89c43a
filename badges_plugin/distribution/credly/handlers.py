"""Credly's side of an award or a revocation: the four side effects of the specification, and the result.

`issue_badge` and `revoke_badge` run in the award's transaction and prepare; the request itself is a delivery, which
the worker makes. The notifications follow when Credly has done it, since only then there is a badge to accept.
"""

from __future__ import annotations

from django.db.models import Model

from badges_plugin.distribution import notifications
from badges_plugin.distribution.credly.data import BadgeState
from badges_plugin.distribution.credly.models import CredlyBadge
from badges_plugin.distribution.data import Receipt
from badges_plugin.models import BadgeAward


def issue_badge(award: BadgeAward) -> None:
    """On award: the learner has a Credly badge that Credly does not know yet. A badge earned again starts anew."""
    blank = {
        "issued_badge_id": None,
        "state": BadgeState.CREATED.value,
        "state_time": None,
        "issued_at": award.awarded_at,
        "accept_badge_url": "",
    }
    if not CredlyBadge.objects.filter(pk=award.credential_id).update(**blank):
        _add_to_credential(award, **blank)


def revoke_badge(award: BadgeAward) -> None:
    """On revoke: nothing changes until Credly has revoked it; the credential itself says "revoked" already."""


def record_badge(award: BadgeAward, receipt: Receipt) -> None:
    """Credly has answered. An award that was followed by another no longer says how the badge stands."""
    if award.progress.awards.filter(number__gt=award.number).exists():
        return
    known = {"issued_badge_id": receipt.external_id, "state": receipt.state}
    if receipt.details.get("accept_badge_url"):
        known["accept_badge_url"] = receipt.details["accept_badge_url"]
    CredlyBadge.objects.filter(pk=award.credential_id).update(**known)


def notify_user_awarding(award: BadgeAward) -> None:
    """Tell the learner about the badge and where to accept it, if notifications are on."""
    if not notifications.are_on():
        return
    badge = CredlyBadge.objects.filter(pk=award.credential_id).first()
    notifications.tell(award, notifications.ISSUED, claim_url=badge.accept_badge_url if badge else "")


def notify_user_revocation(award: BadgeAward) -> None:
    """Tell the learner that the badge is revoked, if notifications are on."""
    notifications.tell(award, notifications.REVOKED)


def _add_to_credential(award: BadgeAward, **values: object) -> None:
    """Make the core's user credential a Credly badge as well, leaving the host's own row alone."""
    badge = CredlyBadge(usercredential_ptr_id=award.credential_id, **values)
    # raw: only our table is written. Otherwise Django would save the host's row again, with defaults for what is not
    # given.
    Model.save_base(badge, raw=True, force_insert=True)
