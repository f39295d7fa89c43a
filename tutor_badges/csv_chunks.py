"""A CSV file in pieces that can each be sent by themselves."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

Name = tuple[str, str]
"""A column that tells who a row is about, and its value."""

PEOPLE = ("username", "lms_user_id")


def split(text: str, limit: int) -> Iterator[str]:
    """Yield pieces of a CSV text, each with its header line and of ``limit`` bytes at most, if its lines allow that.

    All rows of one learner are in the same piece, unless they alone are more than fit: applied apart from each other
    they could award in between what is revoked at the end. A text that fits is left as it is.
    """
    header, *rows = [line.rstrip("\r") + "\n" for line in text.split("\n") if line.strip()] or [""]
    room = limit - _size([header])
    piece: list[str] = []
    left = room
    for part in [rows] if _size(rows) <= room else _parts(_by_learner(header, rows), room):
        size = _size(part)
        if piece and size > left:
            yield "".join([header, *piece])
            piece, left = [], room
        piece += part
        left -= size
    if piece:
        yield "".join([header, *piece])


def _parts(groups: Iterable[list[str]], room: int) -> Iterator[list[str]]:
    """Yield what must not be torn apart: groups of rows, or rows where a group is too large."""
    for group in groups:
        yield from [group] if _size(group) <= room else [[row] for row in group]


def _by_learner(header: str, rows: Sequence[str]) -> list[list[str]]:
    """Return the rows of each learner, who may be named by user name here and by id there."""
    learners = _Learners()
    columns = [name.strip() for name in next(csv.reader([header]))]
    names = [learners.add(_names(columns, row) or [("row", str(number))]) for number, row in enumerate(rows)]
    groups: defaultdict[Name, list[str]] = defaultdict(list)
    for name, row in zip(names, rows, strict=True):
        groups[learners.first(name)].append(row)
    return list(groups.values())


def _names(columns: Sequence[str], row: str) -> list[Name]:
    try:
        cells = dict(zip(columns, next(csv.reader([row])), strict=False))
    except csv.Error:
        return []  # The command will say what is wrong with it.
    return [(column, cells[column].strip()) for column in PEOPLE if cells.get(column, "").strip()]


class _Learners:
    """Which names are of the same learner."""

    def __init__(self) -> None:
        self._same: dict[Name, Name] = {}

    def first(self, name: Name) -> Name:
        """Return the one name that stands for all of a learner's."""
        while (other := self._same.setdefault(name, name)) != name:
            self._same[name] = self._same[other]
            name = other
        return name

    def add(self, names: Sequence[Name]) -> Name:
        """Note that these are of one learner; returns any of them."""
        for name in names[1:]:
            self._same[self.first(name)] = self.first(names[0])
        return names[0]


def _size(lines: Sequence[str]) -> int:
    return sum(len(line.encode()) for line in lines)
