"""What a badge asks for, as staff choose it in words. Pure: knows no database.

A *block* is of lines, all of which are needed, or any so many of them; every block is needed. A *line* is one thing to
do. The same choices apply to all lines: from when until when it counts, and what takes it away again.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date


class Kind(enum.StrEnum):
    """What a line is about. The values are in forms, not in the database."""

    COURSE = "course"
    ANY_RUN = "any_run"
    ORG = "org"
    GRADE = "grade"
    PROGRAM = "program"
    BADGE = "badge"


@dataclass(frozen=True)
class Line:
    """One thing to do.

    ``value`` is the key of a course run (COURSE, GRADE) or of a course, "Org+Course" (ANY_RUN), an organization's key,
    the UUID of a program, or the primary key of another badge.
    """

    kind: Kind
    value: str
    grade: float | None = None
    """In percent, for GRADE."""
    count: int = 1
    """How many different courses, for ORG."""


@dataclass(frozen=True)
class Stored:
    """A line, and the primary key of the requirement that it is kept in; None: it is new."""

    line: Line
    requirement_id: int | None = None


@dataclass(frozen=True)
class Block:
    """Lines of which ``needed`` are enough; None: all of them are needed."""

    lines: tuple[Stored, ...]
    needed: int | None = None
    group_id: int | None = None


@dataclass(frozen=True)
class Terms:
    """What applies to all lines: the first and the last day on which something counts, and what takes it away."""

    start: date | None = None
    last: date | None = None
    lost_by_failing: bool = True
    lost_with_certificate: bool = False


@dataclass(frozen=True)
class Setup:
    blocks: tuple[Block, ...] = ()
    terms: Terms = Terms()

    @property
    def lines(self) -> tuple[Stored, ...]:
        return tuple(line for block in self.blocks for line in block.lines)
