"""Insert rows of which only some columns are said, without an instance for each: an award waits for them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from badges_plugin import bulk


def insert(model: type[models.Model], columns: bulk.Columns) -> None:
    """Insert rows, given by columns as ``bulk`` takes them. What is not said is as in a new instance of the model.

    Of a multi-table child only its own table is written: its parents exist.
    """
    count = len(next(iter(columns.values())))
    own = (field for field in model._meta.local_concrete_fields if not isinstance(field, models.AutoField))
    bulk.insert_or_update_columns(
        model,
        {field.attname: columns.get(field.attname) or [_default(field)] * count for field in own},
    )


def _default(field: Any) -> object:
    is_set_when_saved = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    return timezone.now() if is_set_when_saved else field.get_default()
