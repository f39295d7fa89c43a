"""Connect mails: what the worker does about them between deliveries, and what erasing a learner erases of them."""

from __future__ import annotations

from typing import Any

from badges_plugin.distribution.api import Chore, register_chore
from badges_plugin.host import User
from badges_plugin.signals import learner_retired
from badges_plugin.web.mails.planning import plan
from badges_plugin.web.mails.working import send_some
from badges_plugin.web.notes import MailNote, MailPreference

_PLAN_SECONDS = 60.0
_SEND_SECONDS = 10.0


def forget(sender: object, user: User, **kwargs: Any) -> None:
    """Delete what the learner wanted, and that they were written to."""
    MailPreference.objects.filter(user=user).delete()
    # By their keys: MySQL would lock the awards, too.
    keys = list(MailNote.objects.filter(award__progress__user=user).order_by("pk").values_list("pk", flat=True))
    MailNote.objects.filter(pk__in=keys).delete()


def connect() -> None:
    """Connect the receiver and register the chores. Calling this twice has no further effect."""
    register_chore(Chore("mails that are due", plan, every=_PLAN_SECONDS))
    register_chore(Chore("mails", send_some, every=_SEND_SECONDS))
    learner_retired.connect(forget, dispatch_uid="badges_web.mails.retired")
