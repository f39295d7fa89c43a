"""Measure what grows with a site: the pages of the admin, and a backlog for Accredible. Needs Django."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from django.db.models import Max

from badges_plugin.distribution.models import Delivery
from badges_plugin.host import User, UserCredential
from badges_plugin.models import BadgeAward, BadgeProgress
from sandbox.bench.badges import have_other_templates
from sandbox.bench.goals import Measured
from sandbox.bench.scene import Scene

SLOWEST = 5
SPEED = 3.0


def measure_pages(scene: Scene) -> Iterator[Measured]:
    """Fill the tables, and open every list, search and filter."""
    tables: Any = import_module("sandbox.bench.tables")
    have_other_templates()
    _leave_room()
    tables.fill(scene.size(1_000_000, 100_000))
    pages = sorted(tables.measure(), key=lambda page: -float(page[1]))
    slowest = "; ".join(f"{name} {1000 * float(seconds):.0f} ms" for name, seconds in pages[:SLOWEST])
    yield Measured("pages", float(pages[0][1]), f"slowest of {len(pages)}: {slowest}")


def _leave_room() -> None:
    """Make a user above the primary keys of all rows so far: those that fill the tables have the keys of users."""
    models = (User, UserCredential, BadgeProgress, BadgeAward, Delivery)
    highest = max(model._base_manager.aggregate(Max("pk"))["pk__max"] or 0 for model in models)  # noqa: SLF001
    User.objects.create(pk=highest + 1, username=f"bench-room-{highest}")


def measure_accredible(scene: Scene) -> Iterator[Measured]:
    """Have a worker deliver a backlog within the provider's limit."""
    accredible: Any = import_module("sandbox.bench.accredible")
    # The faster its clock, the more the worker's own time counts.
    found = accredible.measure(scene.stage, badges=scene.size(100_000, 10_000), speed=SPEED)
    if found.lost or found.twice:
        raise RuntimeError(f"{found.lost} badges are missing, {found.twice} were issued twice")
    note = f"{found.requests} requests, {found.refused} refused by the limit; minutes of its clock"
    yield Measured("accredible", float(found.minutes), note)
