"""What can become of a message other than being applied. Messages of these exceptions name no learner."""

from __future__ import annotations

from collections.abc import Mapping

from badges_plugin.exceptions import SafeToLog


class ConsumerError(SafeToLog):
    """Base of these."""


class Undecodable(ConsumerError):
    """The message is no event that this process could read."""


class DecodingUnavailable(ConsumerError):
    """What decoding needs, a schema registry say, is away at present."""


class ReceiversFailed(ConsumerError):
    """Receivers of the event raised; ``errors`` maps their names to what they raised."""

    def __init__(self, errors: Mapping[str, BaseException]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


class CannotGoOn(ConsumerError):
    """The message can be neither applied nor stored: end the process, with the message not acknowledged."""


class UnusableOption(ConsumerError):
    """An option of the consumer cannot be used; the message says what it must be."""


class Stopped(ConsumerError):
    """A stop was asked for while the message waited; it is not acknowledged."""
