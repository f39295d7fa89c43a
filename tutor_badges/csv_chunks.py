"""Split a CSV file into chunks that can be sent separately."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

Name = tuple[str, str]
"""A column that identifies the learner of a row, and its value."""

LEARNER_COLUMNS = ("username", "lms_user_id")


def split(text: str, limit: int) -> Iterator[str]:
    """Yield chunks of a CSV text, each with the header line and of at most ``limit`` bytes, unless a line is longer.

    All rows of one learner are in the same chunk, unless they do not fit into one: applied separately, they could
    award a badge that the last row revokes. A text that fits is yielded unchanged.
    """
    header, *rows = [line.rstrip("\r") + "\n" for line in text.split("\n") if line.strip()] or [""]
    room = limit - _size([header])
    chunk: list[str] = []
    left = room
    for part in [rows] if _size(rows) <= room else _parts(_by_learner(header, rows), room):
        size = _size(part)
        if chunk and size > left:
            yield "".join([header, *chunk])
            chunk, left = [], room
        chunk += part
        left -= size
    if chunk:
        yield "".join([header, *chunk])


def _parts(groups: Iterable[list[str]], room: int) -> Iterator[list[str]]:
    """Yield rows that must stay together: groups, or single rows where a group is too large."""
    for group in groups:
        yield from [group] if _size(group) <= room else [[row] for row in group]


def _by_learner(header: str, rows: Sequence[str]) -> list[list[str]]:
    """Return the rows of each learner, who may be identified by user name in some rows and by id in others."""
    learners = _Learners()
    columns = [name.strip() for name in next(csv.reader([header]))]
    names = [learners.add(_names(columns, row) or [("row", str(number))]) for number, row in enumerate(rows)]
    groups: defaultdict[Name, list[str]] = defaultdict(list)
    for number, row in enumerate(rows):
        groups[learners.first(names[number])].append(row)
    return list(groups.values())


def _names(columns: Sequence[str], row: str) -> list[Name]:
    try:
        cells = dict(zip(columns, next(csv.reader([row]))))
    except csv.Error:
        return []  # The command reports what is wrong with it.
    return [(column, cells[column].strip()) for column in LEARNER_COLUMNS if cells.get(column, "").strip()]


class _Learners:
    """Names that belong to the same learner (union-find)."""

    def __init__(self) -> None:
        self._same: dict[Name, Name] = {}

    def first(self, name: Name) -> Name:
        """Return the name that represents all names of a learner."""
        while (other := self._same.setdefault(name, name)) != name:
            self._same[name] = self._same[other]
            name = other
        return name

    def add(self, names: Sequence[Name]) -> Name:
        """Record that these names belong to one learner. Return one of them."""
        for name in names[1:]:
            self._same[self.first(name)] = self.first(names[0])
        return names[0]


def _size(lines: Sequence[str]) -> int:
    return sum(len(line.encode()) for line in lines)
