"""Who gave a badge by hand, and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.apps import apps

from badges_plugin.host import User


@dataclass(frozen=True)
class Gift:
    """``by`` is empty where it was other code, or somebody whose account is gone."""

    by: str
    reason: str


def gifts_of(award_ids: Collection[int]) -> dict[int, Gift]:
    """Return who gave awards by hand, by their keys; earned ones are left out. One query."""
    label = "badges_plugin"  # not a literal: the type checker would look for the model
    try:
        model: Any = apps.get_model(label, "ManualAward")
    except LookupError:
        return {}
    rows = model.objects.filter(pk__in=award_ids).select_related("given_by")
    return {row.pk: Gift(staff_name(row.given_by), row.reason) for row in rows}


def staff_name(user: User | None) -> str:
    """Return the name of a member of staff; empty for nobody."""
    if user is None:
        return ""
    return str(user.get_full_name() or user.get_username())
