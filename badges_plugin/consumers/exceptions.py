"""Exceptions of the consumers; their messages name no learner."""

from __future__ import annotations

from collections.abc import Mapping

from badges_plugin.exceptions import SafeToLog


class ConsumerError(SafeToLog):
    """Base of the consumers' exceptions."""


class Undecodable(ConsumerError):
    """The message is not an event that this process can read."""


class DecodingUnavailable(ConsumerError):
    """A service that decoding needs, such as the schema registry, is unavailable."""


class ReceiversFailed(ConsumerError):
    """Receivers of the event raised exceptions; ``errors`` maps their names to these."""

    def __init__(self, errors: Mapping[str, BaseException]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


class CannotGoOn(ConsumerError):
    """Messages can be neither applied nor stored: end the process without acknowledging them."""


class UnusableOption(ConsumerError):
    """An option of the consumer is invalid; the message says what it must be."""


class Stopped(ConsumerError):
    """The process was asked to stop while messages waited; they are not acknowledged."""


class Unmeasured(ConsumerError):
    """How far a group is behind cannot be told: the bus does not answer, or refuses."""
