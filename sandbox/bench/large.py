"""Measure what grows with a site: the pages of the admin, and a backlog for Accredible. Needs Django."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from sandbox.bench.badges import have_other_templates
from sandbox.bench.goals import Measured
from sandbox.bench.scene import Scene

SLOWEST = 5


def measure_pages(scene: Scene) -> Iterator[Measured]:
    """Fill the tables, and open every list, search and filter."""
    tables: Any = import_module("sandbox.bench.tables")
    have_other_templates()
    tables.fill(scene.size(1_000_000, 100_000))
    pages = sorted(tables.measure(), key=lambda page: -float(page[1]))
    slowest = "; ".join(f"{name} {1000 * float(seconds):.0f} ms" for name, seconds in pages[:SLOWEST])
    yield Measured("pages", float(pages[0][1]), f"slowest of {len(pages)}: {slowest}")


def measure_accredible(scene: Scene) -> Iterator[Measured]:
    """Have a worker deliver a backlog within the provider's limit."""
    accredible: Any = import_module("sandbox.bench.accredible")
    found = accredible.measure(scene.stage, badges=scene.size(100_000, 10_000))
    if found.lost or found.twice:
        raise RuntimeError(f"{found.lost} badges are missing, {found.twice} were issued twice")
    note = f"{found.requests} requests, {found.refused} refused by the limit; minutes of its clock"
    yield Measured("accredible", float(found.minutes), note)
