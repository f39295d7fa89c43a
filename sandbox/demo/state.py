"""The state of a learner's badge, in our database and at Credly, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model

from badges_plugin.distribution.models import Delivery
from badges_plugin.host import UserCredential
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, Fulfillment, Learner
from badges_plugin.ruleset import current_ruleset
from sandbox.credly.remote import CredlyControl

NONE = "-"


@dataclass(frozen=True)
class Standing:
    """One learner and one badge template."""

    progress: str
    """Fulfilled groups of all groups."""
    badge: str
    """Our database: "-", "awarded" or "revoked"; with "#2" for the second award."""
    delivery: str
    """The newest delivery: what and in which state."""
    credly: str
    """The states of the learner's badges of this template at Credly, oldest first."""


def standing(username: str, template: BadgeTemplate, credly: CredlyControl) -> Standing:
    """Look a learner up in the database and at Credly."""
    user = get_user_model().objects.filter(username=username).first()
    compiled = current_ruleset().templates[template.pk]
    rows = Fulfillment.objects.filter(progress__user=user, progress__template=template)
    fulfilled = {row.requirement_id for row in rows if compiled.counts(row)}
    groups = sum(bool(group & fulfilled) for group in compiled.groups)
    award = BadgeAward.objects.filter(progress__user=user, progress__template=template).order_by("number").last()
    delivery = Delivery.objects.filter(award=award).order_by("pk").last() if award else None
    return Standing(
        progress=f"{groups} of {len(compiled.groups)}",
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


def _badge(award: BadgeAward | None) -> str:
    if award is None:
        return NONE
    word = award.credential.status
    return word if award.number == 1 else f"{word} #{award.number}"


def _at_credly(email: str, template: BadgeTemplate, credly: CredlyControl) -> str:
    badges = credly.badges(recipient_email=email, badge_template_id=str(template.uuid))
    return ", ".join(badge["state"] for badge in sorted(badges, key=lambda badge: badge["issued_at"])) or NONE
