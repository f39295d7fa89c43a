"""Settings of a sandbox whose host has an app that fails, and kills its process when it is told to.

Its receivers are called where the plugin calls those of the host: in the transaction of an award, and after the
commit, before the events are acknowledged. It refuses the credentials of some learners: such an event fails in the
middle of its batch, and always again.
"""

import os
import signal
from types import FrameType
from typing import Any

from django.apps import AppConfig

from sandbox.settings import *  # noqa: F403
from sandbox.settings import INSTALLED_APPS as APPS_OF_THE_OTHERS

REFUSED = "refused-"
DIE_IN_TRANSACTION, DIE_AFTER_COMMIT = signal.SIGUSR1, signal.SIGUSR2
"""Signals by which the process is told to die (SIGKILL) the next time that it is there."""
INSTALLED_APPS = [*APPS_OF_THE_OTHERS, "sandbox.drills.faulty_host.FaultyConfig"]

_orders: set[int] = set()


class RefusedError(Exception):
    """Raised for a learner whose name begins with ``REFUSED``."""


class FaultyConfig(AppConfig):
    """Connects the receivers, as an app of the host connects its own."""

    name = "sandbox.drills"
    label = "drills"

    def ready(self) -> None:
        from django.db.models.signals import post_save
        from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

        from badges_plugin.host import UserCredential

        post_save.connect(on_credential, sender=UserCredential)
        COURSE_PASSING_STATUS_UPDATED.connect(on_event)
        for order in (DIE_IN_TRANSACTION, DIE_AFTER_COMMIT):
            signal.signal(order, take_order)


def take_order(number: int, frame: FrameType | None) -> None:
    _orders.add(number)


def on_credential(instance: Any, **event: Any) -> None:
    """Die, or raise RefusedError for the credential of such a learner."""
    _obey(DIE_IN_TRANSACTION)
    if instance.username.startswith(REFUSED):
        raise RefusedError("This learner's credentials are refused.")


def on_event(**event: Any) -> None:
    _obey(DIE_AFTER_COMMIT)


def _obey(order: int) -> None:
    if order in _orders:
        os.kill(os.getpid(), signal.SIGKILL)
