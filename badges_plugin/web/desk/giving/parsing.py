"""Read a list of learners: pasted lines, or a CSV file. Whom the texts mean is decided elsewhere."""

from __future__ import annotations

import csv
import io
import re
from typing import NamedTuple

from django.utils.translation import gettext as _

from badges_plugin.counting import in_thousands

MOST_LINES = 10_000
MOST_BYTES = 2_000_000

_COLUMNS = ("username", "user", "user name", "user_name", "login", "email", "e-mail", "mail", "email address")
"""Headings of the column that names the learner, the better one first."""
_DELIMITERS = ",;\t"
_IN_BRACKETS = re.compile(r"<([^<>\s]+@[^<>\s]+)>")
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class UnreadableList(ValueError):
    """A list that cannot be used; the message tells staff why."""


class Entry(NamedTuple):
    """What stands on a line for a learner. Lines are numbered from 1, empty ones included."""

    number: int
    written: str


class Reading(NamedTuple):
    """The learners of a list. ``heading``: the first line, if it was taken for a heading though it may be a name."""

    entries: list[Entry]
    heading: str = ""


def read_file(content: bytes) -> Reading:
    """Return the learners of a CSV file: of the column that a heading names, or of its only column.

    Raises UnreadableList.
    """
    if len(content) > MOST_BYTES:
        raise UnreadableList(_("The file is larger than 2 MB."))
    if content.startswith(b"PK"):
        raise UnreadableList(_("This is a spreadsheet or an archive. Save it as CSV, and choose that file."))
    text = _decoded(content)
    if "\0" in text:
        raise UnreadableList(_("This is not a text file. Save it as CSV, and choose that file."))
    found = _of_table(text)
    if found is None:
        read = read_lines(text)
        if any(mark in entry.written for entry in read.entries for mark in _DELIMITERS):
            raise UnreadableList(_("The column “username” or “email” is missing from the first line."))
        return read
    return _checked(found)


def read_lines(text: str) -> Reading:
    """Return the learners of pasted lines, one a line; or of a pasted table that begins with a heading.

    Raises UnreadableList.
    """
    found = _of_table(text)
    if found is None:
        # Not splitlines: it splits at characters that no editor shows as the end of a line.
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        found = Reading([Entry(number, _cleaned(line)) for number, line in enumerate(lines, 1)])
    return _checked(found)


def _checked(read: Reading) -> Reading:
    kept = [entry for entry in read.entries if entry.written]
    if len(kept) > MOST_LINES:
        text = _("The list has %(number)s lines. Give a badge to at most %(most)s learners at once.")
        raise UnreadableList(text % {"number": in_thousands(len(kept)), "most": in_thousands(MOST_LINES)})
    return Reading(kept, read.heading)


def _of_table(text: str) -> Reading | None:
    """Return the entries of a table with a heading; None if the first line is none, or nothing follows it."""
    for delimiter in _DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            headings = next(reader, [])
            column = _column(headings)
            if column is None:
                continue
            # The number of a row is that of its last line: a cell may have several.
            entries = [
                Entry(reader.line_num, _cleaned(row[column]) if len(row) > column else "") for row in reader if any(row)
            ]
        except csv.Error as error:
            raise UnreadableList(_("The table cannot be read: %s.") % error) from error
        if len(headings) > 1:
            return Reading(entries)
        # A word alone may be the user name of a learner, and is if it is all there is.
        return Reading(entries, headings[0].strip()) if any(entry.written for entry in entries) else None
    return None


def _column(headings: list[str]) -> int | None:
    named = [heading.strip().casefold() for heading in headings]
    return next((named.index(name) for name in _COLUMNS if name in named), None)


def _decoded(content: bytes) -> str:
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")  # as older spreadsheet programs write


def _cleaned(text: str) -> str:
    """Return a name or address without what was pasted with it: spaces, quotes, "Ada <ada@example.org>"."""
    if found := _IN_BRACKETS.search(text):
        return found[1]
    return text.replace("\0", "").strip(" \t\ufeff\u200b\u00a0\"'").rstrip(",;").strip()
