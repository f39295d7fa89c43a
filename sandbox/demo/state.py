"""The state of a learner's badge, in our database and at Credly, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model

from badges_plugin.distribution.models import Delivery
from badges_plugin.host import UserCredential
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, Ending, Fulfillment, Learner
from sandbox.credly.remote import CredlyControl

NONE = "-"


@dataclass(frozen=True)
class Standing:
    """One learner and one badge template."""

    progress: str
    """How many requirements are fulfilled, of those that it takes."""
    badge: str
    """Our database: "-", "awarded", "revoked" or "expired"; with "#2" for the second award."""
    delivery: str
    """The newest delivery: what and in which state."""
    credly: str
    """The states of the learner's badges of this template at Credly, oldest first."""


def standing(username: str, template: BadgeTemplate, credly: CredlyControl) -> Standing:
    """Look a learner up in the database and at Credly."""
    user = get_user_model().objects.filter(username=username).first()
    award = BadgeAward.objects.filter(progress__user=user, progress__template=template).order_by("number").last()
    delivery = Delivery.objects.filter(award=award).order_by("pk").last() if award else None
    return Standing(
        progress=_progress(username, template),
        badge=_badge(award),
        delivery=f"{delivery.action} {delivery.state}" if delivery else NONE,
        credly=_at_credly(user.email, template, credly) if user else NONE,
    )


def everything() -> list[list[object]]:
    """Return every row that events and deliveries can change; two lists are equal when nothing changed."""
    models: tuple[Any, ...] = (
        get_user_model(),
        Learner,
        BadgeProgress,
        Fulfillment,
        BadgeAward,
        UserCredential,
        Delivery,
    )
    return [list(model.objects.order_by("pk").values()) for model in models]


def is_published() -> bool:
    """Return whether the event bus has the public events of all awards and revocations."""
    return not BadgeAward.objects.filter(publish_due_at__isnull=False).exists()


def _progress(username: str, template: BadgeTemplate) -> str:
    progress = BadgeProgress.objects.filter(user__username=username, template=template).first()
    counts_from = progress.counts_from if progress else None
    fulfilled = {
        row.requirement_id
        for row in Fulfillment.objects.filter(progress=progress, is_fulfilled=True)
        if counts_from is None or row.event_time > counts_from
    }
    groups = [
        (group.needed, {requirement.pk for requirement in group.requirements.all()} & fulfilled)
        for group in template.groups.prefetch_related("requirements")
    ]
    return f"{sum(min(needed, len(done)) for needed, done in groups)} of {sum(needed for needed, _ in groups)}"


def _badge(award: BadgeAward | None) -> str:
    if award is None:
        return NONE
    word = "expired" if award.ended_by == Ending.EXPIRED else award.credential.status
    return word if award.number == 1 else f"{word} #{award.number}"


def _at_credly(email: str, template: BadgeTemplate, credly: CredlyControl) -> str:
    badges = credly.badges(recipient_email=email, badge_template_id=str(template.uuid))
    return ", ".join(badge["state"] for badge in sorted(badges, key=lambda badge: badge["issued_at"])) or NONE
