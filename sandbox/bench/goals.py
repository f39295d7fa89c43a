"""The table of goals: what is measured, what it was before there were batches, and what is wanted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sandbox.drills.tables import table

SMALL = 10
"""A small run has a tenth of the size."""


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One line of the table. ``part`` measures it; ``today`` was measured before batches, on two shared cores.

    ``is_least``: ``limit`` is the least that is wanted, otherwise the most. ``scales``: it is for the full size, and a
    small run must be that much better.
    """

    key: str
    part: str
    name: str
    today: str
    limit: float
    unit: str = ""
    is_least: bool = False
    scales: bool = False

    def wanted(self, *, small: bool) -> float:
        return self.limit / SMALL if small and self.scales else self.limit

    def is_reached(self, value: float, *, small: bool) -> bool:
        wanted = self.wanted(small=small)
        return value >= wanted if self.is_least else value <= wanted


@dataclass(frozen=True)
class Line:
    """One line as it is printed."""

    name: str
    today: str
    wanted: str
    measured: str
    ok: bool
    note: str = ""


@dataclass(frozen=True)
class Measured:
    """What a part has found out about one goal."""

    key: str
    value: float
    note: str = ""


GOALS = (
    Goal(key="kafka no match", part="kafka", name="no match, Kafka", today="5.6 x", limit=1.3, unit="x"),
    Goal(key="redis no match", part="redis", name="no match, Redis", today="2.3 x", limit=1.3, unit="x"),
    Goal(key="repeat", part="kafka", name="repeat (applied already)", today="18.9 x", limit=2, unit="x"),
    Goal(key="newer", part="kafka", name="same status again, newer event", today="~45 x", limit=3.5, unit="x"),
    Goal(key="own", part="kafka", name="award of an own badge, new learner", today="50 x", limit=5.5, unit="x"),
    Goal(
        key="credly", part="kafka", name="award of a Credly badge, its delivery", today="61-78 x", limit=8, unit="x"
    ),
    Goal(
        key="own batch", part="statements", name="statements per award, batch of 100, own",
        today="13", limit=0.25,
    ),
    Goal(
        key="credly batch", part="statements", name="statements per award, batch of 100, Credly",
        today="18", limit=0.3,
    ),
    Goal(key="own single", part="statements", name="statements of one award, own", today="13", limit=12),
    Goal(key="credly single", part="statements", name="statements of one award, Credly", today="18", limit=14),
    # The two are measured in turns; what differs by less than a twentieth does not differ on a shared machine.
    Goal(key="own time", part="single", name="time of one award, own, over before", today="1 x", limit=1.05, unit="x"),
    Goal(
        key="credly time", part="single", name="time of one award, Credly, over before", today="1 x", limit=1.05,
        unit="x",
    ),
    Goal(key="many", part="statements", name="statements of an event that awards 500", today="2009", limit=20),
    Goal(
        key="poison", part="poison", name="1 poison event in 100, over batches of one", today="-", limit=3, unit="x",
        is_least=True,
    ),
    Goal(
        key="kafka delay", part="quiet", name="delay on a quiet site, over batches of one, Kafka", today="-",
        limit=50, unit="ms",
    ),
    Goal(
        key="redis delay", part="quiet", name="delay on a quiet site, over batches of one, Redis", today="-",
        limit=50, unit="ms",
    ),
    Goal(
        key="compile", part="ruleset", name="compile 50,000 requirements, CPU", today="19.9 s", limit=1.5, unit="s",
        scales=True,
    ),
    Goal(
        key="memory", part="ruleset", name="the same, memory over the bare process", today="414 MB", limit=100,
        unit="MB", scales=True,
    ),
    Goal(key="change", part="ruleset", name="the same, CPU after one change", today="19.9 s", limit=25, unit="ms"),
    Goal(
        key="awarding rows", part="backfill", name="backfill, rows a second with awards, over before", today="1 x",
        limit=9, unit="x", is_least=True,
    ),
    Goal(
        key="other rows", part="backfill", name="backfill, rows a second without awards, over before", today="1 x",
        limit=9, unit="x", is_least=True,
    ),
    Goal(
        key="million", part="million", name="backfill, 1,000,000 awarding rows", today="3.1 h", limit=20, unit="min",
        scales=True,
    ),
    Goal(key="million memory", part="million", name="the same, most memory", today="-", limit=200, unit="MB"),
    Goal(
        key="million growth", part="million", name="the same, memory at the end over the first fifth", today="-",
        limit=1.25, unit="x",
    ),
    Goal(
        key="pages", part="tables", name="slowest admin page, 1,000,000 progress rows", today="5.4 s", limit=0.5,
        unit="s",
    ),
    Goal(
        key="accredible", part="accredible", name="100,000 deliveries to Accredible, its limit", today="4.2 h",
        limit=30, unit="min", scales=True,
    ),
    Goal(
        key="credly deliveries", part="credly", name="deliveries to Credly at 200 ms, one worker", today="60-77/s",
        limit=76, unit="/s", is_least=True,
    ),
)  # fmt: skip

PARTS = tuple(dict.fromkeys(goal.part for goal in GOALS))


def lines(
    parts: Iterable[str], measured: Mapping[str, Measured], reasons: Mapping[str, str], *, small: bool
) -> list[Line]:
    """Return the lines of these parts. ``reasons``: by part, why something was not measured, which falls short."""
    return [_line(goal, measured.get(goal.key), reasons, small=small) for goal in GOALS if goal.part in set(parts)]


def _line(goal: Goal, found: Measured | None, reasons: Mapping[str, str], *, small: bool) -> Line:
    bound = "at least" if goal.is_least else "at most"
    wanted = f"{bound} {goal.wanted(small=small):g} {goal.unit}".rstrip()
    if found is None:
        return Line(goal.name, goal.today, wanted, "not measured", False, reasons.get(goal.part, "nobody measured it"))
    value = f"{found.value:.3g}" if abs(found.value) < 1000 else f"{found.value:.0f}"
    ok = goal.is_reached(found.value, small=small)
    return Line(goal.name, goal.today, wanted, f"{value} {goal.unit}".rstrip(), ok, found.note)


def text(printed: Iterable[Line]) -> str:
    """Return the table, and below it the notes."""
    rows = list(printed)
    cells = [[each.name, each.today, each.wanted, each.measured, "" if each.ok else "SHORT"] for each in rows]
    notes = [f"  {each.name}: {each.note}" for each in rows if each.note]
    return "\n".join([table(["", "before", "wanted", "measured", ""], cells), *notes])
