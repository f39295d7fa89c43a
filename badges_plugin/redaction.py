"""What of an error may be logged: messages quote what they are about, and that may be a learner."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

from .exceptions import NamesNobody


def describe(error: BaseException) -> str:
    """Return the classes of ``error`` and of what led to it, with the messages of those that name nobody."""
    return " < ".join(
        f"{type(each).__name__}: {each}" if isinstance(each, NamesNobody) else type(each).__name__
        for each in chain(error)
    )


def describe_with_place(error: BaseException) -> str:
    """Return what ``describe`` does and, on further lines, the code that ``error`` came through."""
    return f"{describe(error)} at\n" + "".join(traceback.format_tb(error.__traceback__)).rstrip()


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and, from the latest to the first, what led to it; receivers' errors included."""
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending:
        each = pending.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        pending.extend(inner for inner in (each.__context__, each.__cause__) if inner is not None)
        if isinstance(each, BaseExceptionGroup):
            pending.extend(each.exceptions)
