"""Write what was signed and what was revoked, and erase what is kept of a learner."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from badges_plugin import updating
from badges_plugin.distribution.api import BadgeAward, Receipt
from badges_plugin.distribution.open_badges.models import BadgeStatus, SignedBadge

_SIGNED = ["document", "jwt", "key", "signed_at", "expires_at"]


def store(done: Sequence[tuple[BadgeAward, Receipt]]) -> None:
    """Keep signed badges. What was found signed already stays; of a learner who was retired meanwhile, nothing is kept.

    Two statements for any number of them.
    """
    signed = {award.pk: (award, receipt) for award, receipt in done if receipt.details}
    # Locked, or one that is deleted with its learner meanwhile would be inserted again.
    rows = SignedBadge.objects.select_for_update().filter(award__in=list(signed), erased_at=None).order_by("pk")
    changed = []
    for row in rows if signed else ():
        award, receipt = signed[row.award_id]
        row.document, row.jwt = receipt.details["document"], receipt.details["jwt"]
        row.key_id = int(receipt.details["key"])
        row.signed_at = datetime.fromisoformat(receipt.details["signed_at"])
        row.expires_at = award.expires_at
        changed.append(row)
    updating.update(changed, _SIGNED)


def revoke(awards: Sequence[BadgeAward]) -> None:
    """Mark badges as revoked. Their status lists say so once the worker has signed them again, within seconds."""
    if awards:
        valid = SignedBadge.objects.filter(award__in=[award.pk for award in awards], status=BadgeStatus.VALID)
        valid.update(status=BadgeStatus.REVOKED, is_listed=False)


def forget(awards: Sequence[BadgeAward]) -> None:
    """Erase what signed badges say of a learner. The identifier and the state stay: the badge is gone, not unknown.

    It is not revoked: what the learner earned and keeps elsewhere is theirs.
    """
    rows = SignedBadge.objects.filter(award__in=[award.pk for award in awards], erased_at=None)
    rows.update(document="", jwt="", salt="", erased_at=timezone.now())
