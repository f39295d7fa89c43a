"""Settings of a sandbox whose host has a receiver that refuses the credentials of some learners.

It is called in the transaction of an award: such an event fails in the middle of its batch, and always again.
"""

from typing import Any

from django.apps import AppConfig

from sandbox.settings import *  # noqa: F403
from sandbox.settings import INSTALLED_APPS as APPS_OF_THE_OTHERS

REFUSED = "refused-"
INSTALLED_APPS = [*APPS_OF_THE_OTHERS, "sandbox.drills.refusing.RefusingConfig"]


class RefusedError(Exception):
    """Raised for a learner whose name begins with ``REFUSED``."""


class RefusingConfig(AppConfig):
    """Connects the receiver, as an app of the host connects its own."""

    name = "sandbox.drills"
    label = "drills"

    def ready(self) -> None:
        from django.db.models.signals import post_save

        from badges_plugin.host import UserCredential

        post_save.connect(refuse, sender=UserCredential)


def refuse(instance: Any, **event: Any) -> None:
    """Raise RefusedError for the credential of such a learner."""
    if instance.username.startswith(REFUSED):
        raise RefusedError("This learner's credentials are refused.")
