"""Erase what is kept about mails of a learner who is retired."""

from __future__ import annotations

from typing import Any

from badges_plugin.host import User
from badges_plugin.signals import learner_retired
from badges_plugin.web.notes import MailNote, MailPreference


def forget(sender: object, user: User, **kwargs: Any) -> None:
    """Delete what the learner wanted, and that they were written to."""
    MailPreference.objects.filter(user=user).delete()
    # By their keys: MySQL would lock the awards, too.
    keys = list(MailNote.objects.filter(award__progress__user=user).order_by("pk").values_list("pk", flat=True))
    MailNote.objects.filter(pk__in=keys).delete()


def connect() -> None:
    """Connect the receiver. Calling this twice has no further effect."""
    learner_retired.connect(forget, dispatch_uid="badges_web.mails.retired")
