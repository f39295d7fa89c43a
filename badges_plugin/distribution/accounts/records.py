"""Reading a provider's JSON: what is not as documented is named, and what no database takes is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import DatabaseError

from badges_plugin.database import is_passing
from badges_plugin.distribution.failures import TransientFailure, storable
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe_with_place

logger = get_logger(__name__)

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


@contextmanager
def left_out_if_refused(what: str) -> Iterator[None]:
    """Log, and go on after the block, when the database never takes what is stored in it: the others must not wait.

    Raises the trouble of the database that passes by itself. `what` names the record in the log.
    """
    try:
        yield
    except DatabaseError as error:
        if is_passing(error):
            raise
        # Without the error's message: databases quote the values that they refuse.
        logger.error("%s cannot be stored and is left out: %s", what, describe_with_place(error))
