"""Write values as they stand in a statement: a column at a time, without a driver's question for the type of each.

Only what cannot hold a quote is written: numbers, truth values, times, UUIDs and what is empty. Any other value, so all
text that people wrote, is a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import repeat
from typing import Any, NamedTuple
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, models

Field = Any
"""A field of a model; Django's types leave out most of what is asked of it here."""

_PREPARING = ("get_prep_value", "get_db_prep_value", "get_db_prep_save")


class Column(NamedTuple):
    """The values of one field. ``texts`` stand in the statement; with ``parameters`` they are placeholders."""

    texts: Iterable[str]
    parameters: Sequence[object] | None = None
    is_long: bool = False
    """Whether the parameters may be long texts."""


def column_of(field: Field, values: Sequence[object]) -> Column:
    """Return how values of a field are written by the default database."""
    # The connection itself, not the proxy, which looks it up each time.
    database = connections[DEFAULT_DB_ALIAS]
    write = _writer(field)
    texts = write(values, database) if write is not None else None
    if texts is not None:
        return Column(texts)
    if not _is_plain_text(field) or set(map(type, values)) != {str}:
        values = [None if value is None else field.get_db_prep_save(value, database) for value in values]
    return Column(repeat("%s", len(values)), values, isinstance(field, models.TextField | models.JSONField))


_Writer = Callable[[Sequence[Any], Any], Iterable[str] | None]
"""Takes values and the database's connection; returns None if there is one that it does not write."""


@lru_cache(maxsize=256)
def _writer(field: Field) -> _Writer | None:
    if _is_plain_text(field):
        return _write_empty
    if is_djangos(type(field)) and isinstance(field, models.IntegerField | models.BooleanField | models.ForeignKey):
        return _write_numbers
    if isinstance(field, models.JSONField):
        return _write_empty_json
    known: dict[type[Field], _Writer] = {models.DateTimeField: _write_times, models.UUIDField: _write_uuids}
    return next(
        (write for base, write in known.items() if isinstance(field, base) and _is_prepared_as(field, base)), None
    )


@lru_cache(maxsize=256)
def _is_plain_text(field: Field) -> bool:
    return is_djangos(type(field)) and isinstance(field, models.CharField | models.TextField)


def is_djangos(thing: Any) -> bool:
    """Whether a class or function is Django's own, which is known to do nothing else with a value."""
    return str(thing.__module__).startswith("django.db.models.")


def _is_prepared_as(field: Field, base: type[Field]) -> bool:
    return all(getattr(type(field), name) is getattr(base, name) for name in _PREPARING)


def _write_empty(values: Sequence[Any], _: Any) -> Iterable[str] | None:
    return repeat("''", len(values)) if values.count("") == len(values) else None


def _write_empty_json(values: Sequence[Any], _: Any) -> Iterable[str] | None:
    for empty, text in (([], "'[]'"), ({}, "'{}'")):
        if values.count(empty) == len(values):
            return repeat(text, len(values))
    return None


_NUMBERS: dict[type, Callable[[Any], str]] = {
    int: str,
    bool: {True: "TRUE", False: "FALSE"}.__getitem__,
    type(None): {None: "NULL"}.__getitem__,
}


def _write_numbers(values: Sequence[Any], _: Any) -> Iterable[str] | None:
    try:
        return [_NUMBERS[type(value)](value) for value in values]
    except KeyError:
        return None


def _write_times(values: Sequence[Any], database: Any) -> Iterable[str] | None:
    adapt = database.ops.adapt_datetimefield_value
    # As Django adapts it then, which takes longer.
    is_utc_naive = database.timezone is UTC and database.vendor in ("mysql", "sqlite")
    is_same = len(values) > 1 and values.count(values[0]) == len(values)
    # Many rows have the same time, and hashing it would take longer than this.
    written: dict[int, str] = {id(None): "NULL"}
    texts = []
    for value in values[:1] if is_same else values:
        text = written.get(id(value))
        if text is None:
            if type(value) is not datetime or value.tzinfo is None:
                return None
            # Without the "+00:00" at the end.
            text = value.isoformat(" ")[:-6] if is_utc_naive and value.tzinfo is UTC else str(adapt(value))
            text = f"'{text}'"
            written[id(value)] = text
        texts.append(text)
    return repeat(texts[0], len(values)) if is_same else texts


def _write_uuids(values: Sequence[Any], database: Any) -> Iterable[str] | None:
    if not set(map(type, values)) <= {UUID, type(None)}:
        return None
    if database.features.has_native_uuid_field:
        return ["NULL" if value is None else f"'{value}'" for value in values]
    return ["NULL" if value is None else f"'{value.hex}'" for value in values]
