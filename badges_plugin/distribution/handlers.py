"""Queue the deliveries of an award in its transaction: both are written or neither."""

from __future__ import annotations

from typing import Any

from badges_plugin.distribution import forgetting, registry
from badges_plugin.distribution.queueing import queue_issue, queue_revoke
from badges_plugin.models import BadgeAward
from badges_plugin.signals import badge_awarded, badge_revoked, learner_retired


def handle_badge_awarded(sender: object, award: BadgeAward, **kwargs: Any) -> None:
    """Queue the issue at every provider of the template."""
    for backend in registry.responsible_for(award.template):
        backend.prepare_issue(award)
        queue_issue(award, backend)


def handle_badge_revoked(sender: object, award: BadgeAward, **kwargs: Any) -> None:
    """Queue the revocation at every provider that has the award, or may get it."""
    for backend in registry.responsible_for(award.template):
        backend.prepare_revoke(award)
        queue_revoke(award, backend)


def connect() -> None:
    """Connect the receivers. Calling this twice has no further effect."""
    badge_awarded.connect(handle_badge_awarded, dispatch_uid="badges_distribution.awarded")
    badge_revoked.connect(handle_badge_revoked, dispatch_uid="badges_distribution.revoked")
    learner_retired.connect(forgetting.forget, dispatch_uid="badges_distribution.retired")
