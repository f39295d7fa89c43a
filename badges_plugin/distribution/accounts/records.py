"""Reading a provider's JSON: what is not as documented is named, and what no database takes is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from badges_plugin.distribution.failures import TransientFailure, storable

RecordT = TypeVar("RecordT")


class UnexpectedReply(ValueError):
    """A reply without what every reply of its kind has; the message names it."""


def text(record: Any, name: str) -> str:
    """The text under the name; empty where there is none."""
    value = record.get(name) if isinstance(record, Mapping) else None
    return storable(value) if isinstance(value, str) else ""


def read(provider: str, reader: Callable[[Any], RecordT], record: Any) -> RecordT:
    """Read a record of a reply. Raises TransientFailure, in doubt, when it is not as expected."""
    try:
        return reader(record)
    except UnexpectedReply as error:
        # The request has been carried out, or the status would say so.
        raise TransientFailure(f"{provider}'s reply cannot be read: {error}.", ambiguous=True) from error
