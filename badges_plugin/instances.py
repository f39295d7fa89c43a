"""Instances of models that are made and told of without ``save``: those that ``bulk`` writes.

As Django makes them one by one, but a column at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.base import ModelState
from django.db.models.signals import post_init, post_save, pre_init
from django.utils import timezone

ModelT = TypeVar("ModelT", bound=models.Model)
Field = Any
"""A field of a model; Django's types leave out most of what is asked of it here."""


def make(model: type[ModelT], count: int, columns: Mapping[str, Iterable[object]]) -> list[ModelT]:
    """Return new instances, with the defaults of their fields for the columns that are left out.

    As calling the model by keywords, which looks for the default of each field of each row, and sets each attribute.
    """
    values = [
        columns[field.attname] if field.attname in columns else defaults(field, count)
        for field in model._meta.concrete_fields
    ]
    names = [field.attname for field in model._meta.concrete_fields]
    rows = zip(*values, strict=True)
    if not _is_made_plainly(model):
        return [model(*row) for row in rows]
    made = []
    for row in rows:
        instance = model.__new__(model)
        instance._state = ModelState()  # noqa: SLF001  Django's documented name
        instance.__dict__.update(zip(names, row, strict=True))
        made.append(instance)
    return made


def _is_made_plainly(model: type[models.Model]) -> bool:
    """Whether nothing but Django's own ``__init__`` and nobody's signal would know of an instance that is made."""
    is_heard = pre_init.has_listeners(model) or post_init.has_listeners(model)
    return model.__init__ is models.Model.__init__ and not is_heard


def relate(rows: Sequence[models.Model], name: str, others: Iterable[models.Model]) -> None:
    """Let rows have the others, whose keys they have, so that nobody asks the database for them."""
    if rows:
        field: Field = type(rows[0])._meta.get_field(name)
        for row, other in zip(rows, others, strict=True):
            field.set_cached_value(row, other)


def send_saved(row: models.Model, *, created: bool, update_fields: Collection[str] | None = None) -> None:
    """Send ``post_save`` as ``save`` does: rows that are written together send nothing, and other apps may listen."""
    post_save.send(
        sender=type(row),
        instance=row,
        created=created,
        raw=False,
        using=DEFAULT_DB_ALIAS,
        update_fields=None if update_fields is None else frozenset(update_fields),
    )


def defaults(field: Field, count: int) -> Iterable[object]:
    """Return the values that a field has in this many new rows."""
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return repeat(timezone.now(), count)
    if isinstance(field, models.DateTimeField) or not callable(field.default):
        # What is made at the same time has the same time.
        return repeat(field.get_default(), count)
    return [field.get_default() for _ in range(count)]
