"""What the built-in app has set up, read as it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from badges_plugin import host


@dataclass(frozen=True, slots=True)
class FoundRule:
    """A comparison: ``str(value at key_path)`` with a text."""

    key_path: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.key_path} {self.operator} {self.value}"


@dataclass(frozen=True, slots=True)
class FoundCondition:
    """A requirement or a penalty. ``group`` is a requirement's, ``requirement_ids`` are a penalty's."""

    pk: int
    event_type: str
    rules: tuple[FoundRule, ...]
    description: str = ""
    group: str | None = None
    requirement_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundTemplate:
    """A badge template with its conditions, each in the order in which they were added."""

    pk: int
    uuid: UUID
    site_id: int
    name: str
    description: str
    icon: str
    is_active: bool
    created: datetime
    requirements: tuple[FoundCondition, ...]
    penalties: tuple[FoundCondition, ...]


def templates() -> list[FoundTemplate]:
    """Return every template of the built-in app. Six queries."""
    models = host.builtin_models()
    requirements = _requirements(models)
    penalties = _penalties(models)
    return [
        FoundTemplate(
            pk=row.pk,
            uuid=row.uuid,
            site_id=row.site_id,
            name=row.name,
            description=row.description or "",
            icon=str(row.icon or ""),
            is_active=row.is_active,
            created=row.created,
            requirements=tuple(requirements[row.pk]),
            penalties=tuple(penalties[row.pk]),
        )
        # The models of some providers hide the column ``uuid``; the table that they share has it.
        for row in models["BadgeTemplate"].objects.order_by("pk")
    ]


def _requirements(models: dict[str, Any]) -> dict[int, list[FoundCondition]]:
    rules = _rules(models["DataRule"], "requirement_id")
    found = defaultdict(list)
    for row in models["BadgeRequirement"].objects.order_by("pk"):
        found[row.template_id].append(
            FoundCondition(row.pk, row.event_type, tuple(rules[row.pk]), row.description or "", row.blend or None)
        )
    return found


def _penalties(models: dict[str, Any]) -> dict[int, list[FoundCondition]]:
    model = models["BadgePenalty"]
    rules = _rules(models["PenaltyDataRule"], "penalty_id")
    taken = defaultdict(list)
    links = model.requirements.through.objects.order_by("pk").values_list("badgepenalty_id", "badgerequirement_id")
    for penalty_id, requirement_id in links:
        taken[penalty_id].append(requirement_id)
    found = defaultdict(list)
    for row in model.objects.order_by("pk"):
        found[row.template_id].append(
            FoundCondition(row.pk, row.event_type, tuple(rules[row.pk]), requirement_ids=tuple(taken[row.pk]))
        )
    return found


def _rules(model: Any, owner: str) -> dict[int, list[FoundRule]]:
    found = defaultdict(list)
    for pk, *rule in model.objects.order_by("pk").values_list(owner, "data_path", "operator", "value"):
        found[pk].append(FoundRule(*rule))
    return found


def names_with_progress(template_id: int) -> set[str]:
    """Return the user names of learners who have fulfilled something of a template. One query.

    Not only the different ones: MySQL takes "José" for "jose", and would leave out one of them.
    """
    rows = host.builtin_models()["Fulfillment"].objects.filter(progress__template=template_id)
    return set(rows.order_by().values_list("progress__username", flat=True).iterator())


def names_with_badges(badges: Any) -> set[str]:
    """Return the user names in some badges. One query."""
    return set(badges.order_by().values_list("username", flat=True).iterator())


@dataclass(frozen=True, slots=True)
class FoundProgress:
    """A learner's progress in one row, and which requirements it says are fulfilled: (key, requirement)."""

    pk: int
    username: str
    fulfillments: tuple[tuple[int, int | None], ...]


def progress(template_id: int, names: Collection[str]) -> dict[str, list[FoundProgress]]:
    """Return the rows of learners in which something is fulfilled, by user name as it is written. One query."""
    rows = host.builtin_models()["Fulfillment"].objects.filter(
        progress__template=template_id, progress__username__in=names
    )
    fulfilled: dict[tuple[int, str], list[tuple[int, int | None]]] = defaultdict(list)
    for pk, progress_id, username, requirement_id in rows.order_by("pk").values_list(
        "pk", "progress", "progress__username", "requirement"
    ):
        fulfilled[progress_id, username].append((pk, requirement_id))
    found = defaultdict(list)
    for (progress_id, username), rows_of_it in sorted(fulfilled.items()):
        found[username].append(FoundProgress(progress_id, username, tuple(rows_of_it)))
    return found
