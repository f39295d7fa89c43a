"""Notify learners by e-mail: through edx-ace where the host has set it up, otherwise by Django's mail.

Both render the same templates, ``badges_distribution/edx_ace/<message>/email/``, where edx-ace looks for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from badges_plugin import reasons
from badges_plugin.distribution.conf import config
from badges_plugin.host import User, has_ace
from badges_plugin.models import BadgeAward, Ending
from badges_plugin.retirement import is_gone

ISSUED = "badge_issued"
REVOKED = "badge_revoked"

APP_LABEL = "badges_distribution"


def are_on() -> bool:
    """Whether learners are notified at all."""
    return config().notify


def notify(award: BadgeAward, message: str, *, claim_url: str = "") -> bool:
    """Send the learner a message about an award. Return False when notifications are off or no e-mail address is known.

    Raises the exceptions of the mail system.
    """
    if not are_on():
        return False
    # The user as it is now: the delivery may have taken minutes.
    user = User.objects.get(pk=award.progress.user_id)
    if not user.email or is_gone(user):
        return False
    with reasons.in_site_language():
        # Staff's words may not be meant for the learner.
        reason = "" if award.is_decided else award.reason
        _send(user, message, _context(award, user, reason=reason, claim_url=claim_url))
    return True


def _context(award: BadgeAward, user: Any, *, reason: str, claim_url: str) -> dict[str, object]:
    return {
        "badge_name": award.template.name,
        "badge_description": award.template.description,
        "badge_image": award.template.icon,
        "claim_url": claim_url,
        "has_expired": award.ended_by == Ending.EXPIRED,
        "reason": reason,
        "learner_name": getattr(user, "full_name", None) or user.get_full_name() or user.get_username(),
    }


def _send(user: Any, message: str, context: Mapping[str, object]) -> None:
    if has_ace():
        _send_by_ace(user, message, context)
    else:
        _send_by_django(user.email, message, context)


def _send_by_ace(user: Any, message: str, context: Mapping[str, object]) -> None:
    from edx_ace import ace
    from edx_ace.message import Message
    from edx_ace.recipient import Recipient

    recipient = Recipient(lms_user_id=getattr(user, "lms_user_id", None) or 0, email_address=user.email)
    ace.send(
        Message(
            app_label=APP_LABEL,
            name=message,
            recipient=recipient,
            language=settings.LANGUAGE_CODE,
            context=dict(context),
            # A fact, not an invitation that learners may opt out of.
            options={"transactional": True},
        )
    )


def _send_by_django(email: str, message: str, context: Mapping[str, object]) -> None:
    folder = f"{APP_LABEL}/edx_ace/{message}/email"
    mail = EmailMultiAlternatives(
        # A subject is one line.
        subject=" ".join(render_to_string(f"{folder}/subject.txt", dict(context)).split()),
        body=render_to_string(f"{folder}/body.txt", dict(context)),
        to=[email],
    )
    mail.attach_alternative(render_to_string(f"{folder}/body.html", dict(context)), "text/html")
    mail.send()
