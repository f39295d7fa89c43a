"""Settings of a consumer whose only receiver does nothing: badges are off, and an app connects that receiver.

Everything else is as in ``sandbox.settings``: the same consumer decodes and acknowledges the same events.
"""

from typing import Any

from django.apps import AppConfig

from sandbox.settings import *  # noqa: F403
from sandbox.settings import INSTALLED_APPS as APPS_OF_THE_OTHERS

BADGES_ENABLED = False
INSTALLED_APPS = [*APPS_OF_THE_OTHERS, "sandbox.bench.idle.IdleConfig"]


class IdleConfig(AppConfig):
    """Connects the receiver, as the plugin's app connects its own."""

    name = "sandbox.bench"
    label = "bench"

    def ready(self) -> None:
        from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

        COURSE_PASSING_STATUS_UPDATED.connect(do_nothing)


def do_nothing(**event: Any) -> None:
    """Receive the event."""
