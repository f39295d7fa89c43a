"""Queue the deliveries of awards in their transaction: both are written or neither."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from badges_plugin.distribution import forgetting, registry
from badges_plugin.distribution.queueing import queue_issues, queue_revokes, spare_given_back
from badges_plugin.models import BadgeAward
from badges_plugin.signals import badge_given_back, badges_awarded, badges_revoked, learner_retired


def handle_badges_awarded(sender: object, awards: Sequence[BadgeAward], **kwargs: Any) -> None:
    """Queue the issues at every provider of the templates."""
    for backend, own in registry.by_backend(awards, registry.responsible_for):
        backend.prepare_issues(own)
        queue_issues(own, backend)


def handle_badges_revoked(sender: object, awards: Sequence[BadgeAward], **kwargs: Any) -> None:
    """Queue the revocations at every provider that has the awards, or may get them."""
    for backend, own in registry.by_backend(awards, registry.formerly_responsible_for):
        backend.prepare_revokes(own)
        queue_revokes(own, backend)


def handle_badge_given_back(sender: object, award: BadgeAward, earlier: BadgeAward, **kwargs: Any) -> None:
    """Keep what the providers have of the earlier award, where they can go on with it."""
    for backend in registry.responsible_for(award.template):
        if backend.spares_given_back:
            spare_given_back(award, earlier, backend)


def connect() -> None:
    """Connect the receivers. Calling this twice has no further effect."""
    badges_awarded.connect(handle_badges_awarded, dispatch_uid="badges_distribution.awarded")
    badges_revoked.connect(handle_badges_revoked, dispatch_uid="badges_distribution.revoked")
    badge_given_back.connect(handle_badge_given_back, dispatch_uid="badges_distribution.given_back")
    learner_retired.connect(forgetting.forget, dispatch_uid="badges_distribution.retired")
