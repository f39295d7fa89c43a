"""Write to the admin's log what staff did to rows, in words: their histories show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

RowT = TypeVar("RowT", bound=Model)

BATCH = 500
LONGEST_NAME = 200
"""How much of the name of a row the log keeps."""


def note(
    user_id: int,
    model: type[Model],
    rows: Iterable[RowT],
    text: str,
    *,
    flag: int = CHANGE,
    named: Callable[[RowT], object] = str,
) -> None:
    """Write the same words into the histories of several rows, kept for ``model``. One statement for some hundreds.

    ``named`` returns what the log calls a row.
    """
    kind = ContentType.objects.get_for_model(model)
    LogEntry.objects.bulk_create(
        [
            LogEntry(
                user_id=user_id,
                content_type=kind,
                object_id=str(row.pk),
                object_repr=str(named(row))[:LONGEST_NAME],
                action_flag=flag,
                change_message=text,
            )
            for row in rows
        ],
        batch_size=BATCH,
    )
