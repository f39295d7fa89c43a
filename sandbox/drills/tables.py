"""Format results as text."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.drills.catalog import Number, Result

_GAP = "  "
_MISSING = "-"


def table(head: Sequence[str], rows: Sequence[Sequence[Number]]) -> str:
    """Format rows below their head: the first column left-aligned, numbers right-aligned."""
    cells = [list(head), *([_text(value) for value in row] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(head))]
    lines = [_GAP.join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in cells]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def results_table(results: Sequence[Result]) -> str:
    """Format one row for each drill. A dash stands for a missing number."""
    names = list(dict.fromkeys(name for result in results for name in result.numbers))
    rows = [[result.name, *(result.numbers.get(name, _MISSING) for name in names)] for result in results]
    return table(["drill", *names], rows)


def _text(value: Number) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)
