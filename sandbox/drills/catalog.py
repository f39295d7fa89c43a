"""The catalog of drills, and the result that each returns."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

Number = int | float | str

# Area -> the module with its ``run``. It is imported before Django is set up, so it imports what needs Django in
# ``run``.
AREAS: Mapping[str, str] = {
    "deliveries": "sandbox.drills.deliveries",
    "erased": "sandbox.drills.erased",
    "bus-kafka": "sandbox.drills.bus_kafka",
    "bus-redis": "sandbox.drills.bus_redis",
    "lost-events": "sandbox.drills.lost_events",
}


@dataclass(frozen=True)
class Options:
    """How an area is run.

    ``folder``: for logs and files, there is one for each area. ``small``: only try the code. ``database``: the kind of
    server of an area that stops and starts its own (see ``tests.services.databases``).
    """

    folder: Path
    seed: int
    small: bool = False
    database: str = "mysql"

    def chance(self, name: str) -> random.Random:
        """Return a random generator for one drill, the same for the same seed whatever other drills do."""
        return random.Random(f"{self.seed} {name}")  # noqa: S311 - repeatable, not secret


@dataclass
class Result:
    """The result of one drill: numbers for its row of the table, remarks below it, and problems."""

    name: str
    numbers: dict[str, Number] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def demand(self, condition: bool, problem: str) -> None:
        """Record the problem unless the condition is true."""
        if not condition:
            self.problems.append(problem)


Area = Callable[[Options], Iterator[Result]]


def load(area: str) -> Area:
    """Return the area's ``run``, which yields a result after each of its drills."""
    module: Any = import_module(AREAS[area])
    run: Area = module.run
    return run
