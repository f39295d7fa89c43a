"""Count rows for people, but not all of a large table: beyond some thousands nobody needs the exact number."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.translation import gettext as _

MOST = 10_000
"""Rows counted at most."""


def count_up_to(rows: QuerySet[Any], most: int = MOST) -> int:
    """Return how many rows there are; ``most + 1`` stands for any larger number."""
    return rows.order_by()[: most + 1].count()


def in_words(number: int, most: int = MOST) -> str:
    """Return a number that was counted up to ``most``, as people read it: "12", or "more than 10,000"."""
    return in_thousands(number) if number <= most else _("more than %s") % in_thousands(most)


def in_thousands(number: int) -> str:
    """Return a number with its thousands apart, as the active language writes it."""
    return number_format(number, use_l10n=True, force_grouping=True)
