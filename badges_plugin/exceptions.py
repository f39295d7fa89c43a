"""Exceptions of the core, one for each reaction of the caller."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from badges_plugin.data import Deferral


class BadgesError(Exception):
    """Base of every exception that this project raises on purpose."""


class SafeToLog(BadgesError):
    """Base of exceptions whose message names no person and so may be logged."""


class IgnoredEvent(BadgesError):
    """The event cannot or must not change anything; the reason is for the log and names no person.

    Raised while an event is read or its learner is identified. It is a defined outcome, not a failure: the event
    counts as handled.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DeferredEvent(IgnoredEvent, SafeToLog):
    """The event cannot be applied now, but perhaps later: the caller must keep it.

    ``not_before`` is the time at which it can be applied, if that is known.
    """

    def __init__(self, reason: str, *, cause: Deferral, not_before: datetime | None = None) -> None:
        super().__init__(reason)
        self.cause = cause
        self.not_before = not_before


class ConfigurationChanged(BadgesError):
    """Staff changed the configuration while an event was being applied. Nothing was applied; the caller must retry."""


class LearnerAppeared(ConfigurationChanged):
    """Another process created or identified a learner's user at the same time. Nothing was applied; retry."""


class UnusableEventType(BadgesError):
    """The event type does not exist, names no learner or cannot be sent over the event bus: no badge can use it."""


class InvalidRule(BadgesError):
    """A rule's key path, operator or value is invalid; the message is for the author of the rule."""


class ActivationRefused(BadgesError):
    """A badge template cannot be activated as configured; the message says what is missing."""


class ConfirmationNeeded(ActivationRefused):
    """Activation has an effect that is rarely wanted and was not confirmed; the message describes it."""


class AwardRefused(BadgesError):
    """A badge cannot be given by hand now; the message says why, in the language of whoever wanted it."""


class CannotRead(BadgesError):
    """The event bus, or a file of events, cannot be read; the message is for the operator and names no learner."""


class RefusedImage(ValueError):
    """An uploaded image that cannot be used. The message tells staff why, in their language."""


@contextmanager
def about(username: str) -> Iterator[None]:
    """Note on an exception of other apps' code, which is called in a transaction, whose row it refused.

    So an event that fails is found in a batch without trying the others. The name stays with the exception.

    .. pii: Keeps a user name with an exception, until a batch is divided; never logged.
    .. pii_types: username
    .. pii_retirement: retained
    """
    try:
        yield
    except BaseException as error:
        with suppress(AttributeError):  # an exception with slots
            error.badges_username = username  # type: ignore[attr-defined]  # a name of ours
        raise


def blamed(error: BaseException) -> str:
    """Return the user name of the learner whom an error is about; empty where that is not known."""
    return str(getattr(error, "badges_username", ""))
