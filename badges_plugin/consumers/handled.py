"""What a batch knows of each of its messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from badges_plugin.api import Outcome
from badges_plugin.consumers.exceptions import ReceiversFailed
from badges_plugin.consumers.message import DecodedEvent, Message
from badges_plugin.exceptions import DeferredEvent, IgnoredEvent

Result = Outcome | Exception | None
"""What became of an event: an exception for one that was not applied, None where our receiver is not connected."""


@dataclass(slots=True)
class Handled:
    """A message of a batch. ``decoded`` is None if it could not be decoded."""

    message: Message
    decoded: DecodedEvent | None = None
    result: Result = None

    @property
    def error(self) -> Exception | None:
        """Why it must be stored; None if it need not."""
        return self.result if isinstance(self.result, Exception) and not is_ignored(self.result) else None


def is_ignored(result: Result) -> bool:
    """Whether an event can never be applied, and so is not stored."""
    return isinstance(result, IgnoredEvent) and not isinstance(result, DeferredEvent)


def deferral(error: BaseException) -> DeferredEvent | None:
    """Return the DeferredEvent if the event may be applied later; None for any other error."""
    errors: Sequence[BaseException] = tuple(error.errors.values()) if isinstance(error, ReceiversFailed) else (error,)
    return next((each for each in errors if isinstance(each, DeferredEvent)), None)
