"""Write many rows with one statement each, on every supported database.

``bulk_create`` prepares each value as if it might be an expression, which takes more time than everything else that an
award costs; and ``bulk_update`` writes one CASE expression per column and row. Here one INSERT is written from plain
values, which can also update the rows that exist. No signals are sent; ``send_saved`` is for those that matter.

Very many rows take several statements, so that each fits a packet, which MySQL and MariaDB limit: one that does not
looks as if the server had gone away.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.constants import OnConflict
from django.db.models.signals import post_save

ModelT = TypeVar("ModelT", bound=models.Model)
Field = Any
"""A field of a model; Django's types leave out most of what is asked of it here."""

_PLAIN_TYPES = frozenset({str, int, bool})
# Of these a plain value is stored as it is.
_PLAIN_FIELDS = (models.CharField, models.TextField, models.IntegerField, models.BooleanField, models.ForeignKey)

MAX_LENGTH = 4_000_000
"""Characters of text in one statement, at most; but one row is never divided. A packet may have 16 MB by default."""


def insert(rows: Sequence[ModelT], *, by: Sequence[str]) -> None:
    """Insert rows of one model; afterwards they have their primary keys.

    ``by`` names the columns that are unique together, by which MySQL is asked for the keys: it tells only that of a
    single row. Values of these columns must come back as they were given. Raises IntegrityError.
    """
    if not rows:
        return
    model = type(rows[0])
    found = _write(_without_key(model), rows, returns_keys=True)
    if len(found) < len(rows):
        columns = {f"{name}__in": {getattr(row, name) for row in rows} for name in by}
        known = model._default_manager.filter(**columns).values_list("pk", *by)  # noqa: SLF001  Django's documented name
        keys = {tuple(values): pk for pk, *values in known}
        found = [keys[tuple(getattr(row, name) for name in by)] for row in rows]
    for row, key in zip(rows, found, strict=True):
        row.pk = key


def insert_or_update(rows: Sequence[ModelT], fields: Sequence[str]) -> None:
    """Insert rows with primary keys; of those that exist, write only these fields.

    To update rows, lock what keeps them from being deleted meanwhile: one that is gone would be inserted again.
    """
    if rows:
        options = type(rows[0])._meta
        _write(tuple(options.local_concrete_fields), rows, update=fields)


def insert_rows(rows: Sequence[ModelT]) -> None:
    """Insert rows whose primary keys are set, or are of no use to anybody afterwards.

    Of a multi-table child only its own table is written: its parents exist.
    """
    if rows:
        model = type(rows[0])
        _write(tuple(model._meta.local_concrete_fields) if rows[0].pk is not None else _without_key(model), rows)


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


def _without_key(model: type[models.Model]) -> tuple[Field, ...]:
    return tuple(field for field in model._meta.local_concrete_fields if not isinstance(field, models.AutoField))


def _write(
    fields: tuple[Field, ...], rows: Sequence[models.Model], *, update: Sequence[str] = (), returns_keys: bool = False
) -> list[object]:
    """Insert rows, in as many statements as the database needs for them; return their keys as far as it tells them."""
    model = type(rows[0])
    readers = [_reader(field) for field in fields]
    # Itself, not the proxy, which looks it up each time.
    database = connections[DEFAULT_DB_ALIAS]
    values = [[read(row, database) for read in readers] for row in rows]
    long = [number for number, field in enumerate(fields) if isinstance(field, models.TextField | models.JSONField)]
    keys: list[object] = []
    for part in _parts(values, long, max(1, connection.ops.bulk_batch_size(fields, rows))):
        keys += _write_at_once(model, fields, part, update, returns_keys=returns_keys)
    for row in rows:
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # noqa: SLF001  Django's documented name
    return keys


def _parts(
    values: Sequence[Sequence[object]], long: Sequence[int], max_rows: int
) -> Iterator[Sequence[Sequence[object]]]:
    """Yield the values of rows in groups that one statement takes, as a rule all of them.

    ``long`` are the places of values that may be long texts.
    """
    part: list[Sequence[object]] = []
    length = 0
    for row in values:
        more = sum([len(text) for place in long if isinstance(text := row[place], str)])
        if part and (length + more > MAX_LENGTH or len(part) == max_rows):
            yield part
            part, length = [], 0
        part.append(row)
        length += more
    yield part


def _write_at_once(
    model: type[models.Model],
    fields: tuple[Field, ...],
    rows: Sequence[Sequence[object]],
    update: Sequence[str],
    *,
    returns_keys: bool,
) -> list[object]:
    quote = connection.ops.quote_name
    options: Any = model._meta
    table, key = options.db_table, options.pk.column
    names = ", ".join(quote(field.column) for field in fields)
    places = f"({', '.join(['%s'] * len(fields))})"
    # Names are the model's own, and values are parameters.
    statement = f"INSERT INTO {quote(table)} ({names}) VALUES {', '.join([places] * len(rows))}"  # noqa: S608
    if update:
        columns = [options.get_field(name).column for name in update]
        target = [key] if connection.features.supports_update_conflicts_with_target else []
        statement += f" {connection.ops.on_conflict_suffix_sql(fields, OnConflict.UPDATE, columns, target)}"
    tells_all = returns_keys and connection.features.can_return_rows_from_bulk_insert
    if tells_all:
        statement += f" RETURNING {quote(key)}"
    values: list[Any] = list(chain.from_iterable(rows))
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        if tells_all:
            return [found for (found,) in cursor.fetchall()]
        if returns_keys and len(rows) == 1:
            return [connection.ops.last_insert_id(cursor, table, key)]
    return []


@lru_cache(maxsize=256)
def _reader(field: Field) -> Callable[[models.Model, Any], object]:
    """Return a function that returns a row's value of a field as the driver of a connection takes it."""
    get: Callable[[Any], Any] = attrgetter(field.attname)
    if _is_set_when_saved(field):
        get = lambda row: field.pre_save(row, True)  # noqa: E731  Django's own order of arguments
    prepare, is_djangos = field.get_db_prep_save, _is_djangos(type(field))
    is_plain, is_time = isinstance(field, _PLAIN_FIELDS) and is_djangos, type(field) is models.DateTimeField

    def read(row: models.Model, database: Any) -> object:
        value = get(row)
        if value is None or (is_plain and type(value) in _PLAIN_TYPES):
            return value
        if is_time and type(value) is datetime and value.tzinfo is not None:
            return database.ops.adapt_datetimefield_value(value)
        return prepare(value, database)

    return read


def _is_set_when_saved(field: Field) -> bool:
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return True
    return not _is_djangos(type(field).pre_save)


def _is_djangos(thing: Any) -> bool:
    return str(thing.__module__).startswith("django.db.models.")
