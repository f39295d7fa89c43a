"""What can go wrong in the core, by what the caller should do about it."""

from __future__ import annotations

from datetime import datetime

from badges_plugin.data import Deferral


class BadgesError(Exception):
    """Base of every error that this project raises on purpose."""


class SafeToLog(BadgesError):
    """Base of errors whose message names no person, so that it may be logged."""


class IgnoredEvent(BadgesError):
    """The event cannot or must not change anything; the reason is for the log and names no person.

    Raised while an event is read or its learner identified. It is a defined outcome, not a failure: the
    event counts as handled.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DeferredEvent(IgnoredEvent, SafeToLog):
    """The event cannot be applied now, but perhaps later: whoever delivered it must keep it.

    ``not_before`` is when it can be applied, where that is known.
    """

    def __init__(self, reason: str, *, cause: Deferral, not_before: datetime | None = None) -> None:
        super().__init__(reason)
        self.cause = cause
        self.not_before = not_before


class ConfigurationChanged(BadgesError):
    """Staff changed the configuration while it was being applied; nothing was, and it has to be applied anew."""


class LearnerAppeared(ConfigurationChanged):
    """Somebody else made the learner's user at the same instant; nothing was applied, and it has to be done anew."""


class UnusableEventType(BadgesError):
    """The event type does not exist, names no learner or cannot cross the event bus: no badge can depend on it."""


class InvalidRule(BadgesError):
    """A rule's key path, operator or value cannot work; the message is for the person who wrote the rule."""


class ActivationRefused(BadgesError):
    """A badge template cannot be activated as it is set up; the message says what is missing."""


class ConfirmationNeeded(ActivationRefused):
    """Nobody has confirmed what would happen and is rarely wanted; the message says what it is."""
