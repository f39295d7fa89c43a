"""What options of several commands take."""

from __future__ import annotations

from argparse import ArgumentTypeError

from badges_plugin.conf import MAX_DAYS


def days(text: str) -> int:
    """Read an age in whole days. Raises ArgumentTypeError."""
    # With a minus too many, or one of the future, what has just been written would be deleted.
    if not text.isdecimal() or int(text) > MAX_DAYS:
        raise ArgumentTypeError(f"a number of days, from 0 to {MAX_DAYS}")
    return int(text)
