"""What can keep the past from being read; the messages are for the operator and name no learner."""

from __future__ import annotations

from badges_plugin.exceptions import BadgesError


class CannotRead(BadgesError):
    """The bus, or the file, cannot be read."""
