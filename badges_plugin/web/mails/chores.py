"""What every worker does about mails between deliveries."""

from __future__ import annotations

from badges_plugin.distribution.api import Chore, register_chore
from badges_plugin.web.mails.planning import plan
from badges_plugin.web.mails.working import send_some

_PLAN_SECONDS = 60.0
_SEND_SECONDS = 10.0


def connect() -> None:
    """Register the chores."""
    register_chore(Chore("mails that are due", plan, every=_PLAN_SECONDS))
    register_chore(Chore("mails", send_some, every=_SEND_SECONDS))
