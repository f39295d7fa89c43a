"""Write many rows with one statement each, on every supported database.

``bulk_create`` prepares each value as if it might be an expression, which takes more time than everything else that an
award costs. Here one INSERT is written from plain values, column by column, which can also update the rows that exist.
No signals are sent; ``instances.send_saved`` is for those that matter.

Very many rows take several statements, so that each fits a packet, which MySQL and MariaDB limit: one that does not
looks as if the server had gone away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.constants import OnConflict

from badges_plugin import instances
from badges_plugin.literals import Column, column_of, is_djangos

ModelT = TypeVar("ModelT", bound=models.Model)
Field = Any
"""A field of a model; Django's types leave out most of what is asked of it here."""

Columns = Mapping[str, Sequence[object]]
"""The values of rows by the names under which instances have them (``user_id``), each with its field's own type."""

MAX_LENGTH = 4_000_000
"""Characters of text in one statement, at most; but one row is never divided. A packet may have 16 MB by default."""


def insert(rows: Sequence[ModelT], *, by: Sequence[str]) -> None:
    """Insert rows of one model; afterwards they have their primary keys.

    ``by`` names the columns that are unique together, by which MySQL is asked for the keys: it tells only that of the
    first row. Values of these columns must come back as they were given. Raises IntegrityError.
    """
    if not rows:
        return
    model = type(rows[0])
    fields = _without_key(model)
    columns = values_of(rows, fields)
    keys: Sequence[object] = _write(model, fields, columns, returns_keys=True)
    if len(keys) < len(rows):
        names = [field.attname for field in fields]
        unique = list(zip(*[columns[names.index(name)] for name in by], strict=True))
        keys = _counted_up(model, by, keys, unique) or _asked_for(model, by, unique)
    for row, key in zip(rows, keys, strict=True):
        row.pk = key
    _note_written(rows)


def insert_rows(rows: Sequence[ModelT]) -> None:
    """Insert rows whose primary keys are set, or are of no use to anybody afterwards.

    Of a multi-table child only its own table is written: its parents exist.
    """
    if rows:
        model = type(rows[0])
        fields = tuple(model._meta.local_concrete_fields) if rows[0].pk is not None else _without_key(model)
        _write(model, fields, values_of(rows, fields))
        _note_written(rows)


def insert_or_update_columns(model: type[models.Model], columns: Columns, fields: Sequence[str] = ()) -> None:
    """Insert rows that nobody needs as instances; of those that exist, write only these fields.

    All columns must be named, but that of a primary key that the database gives. A row that was deleted meanwhile is
    inserted again: to update rows that are there, see ``updating``.
    """
    if _count(columns):
        _write(model, _fields_of(model, columns), list(columns.values()), update=fields)


def insert_columns(model: type[models.Model], columns: Columns) -> None:
    """Insert rows that nobody needs as instances, given by some columns; the others are as in new instances.

    Of a multi-table child only its own table is written: its parents exist.
    """
    if count := _count(columns):
        fields = _without_key(model)
        values = [columns.get(field.attname) or list(instances.defaults(field, count)) for field in fields]
        _write(model, fields, values)


def _without_key(model: type[models.Model]) -> tuple[Field, ...]:
    return tuple(field for field in model._meta.local_concrete_fields if not isinstance(field, models.AutoField))


def _fields_of(model: type[models.Model], columns: Columns) -> tuple[Field, ...]:
    known = {field.attname: field for field in model._meta.local_concrete_fields}
    return tuple(known[name] for name in columns)


def _count(columns: Columns) -> int:
    return len(next(iter(columns.values())))


def values_of(rows: Sequence[models.Model], fields: Iterable[Field]) -> list[Sequence[object]]:
    """Return the values of rows, by field."""
    return [_values_of_field(rows, field) for field in fields]


def _values_of_field(rows: Sequence[models.Model], field: Field) -> Sequence[object]:
    if _is_set_when_saved(field):
        return [field.pre_save(row, True) for row in rows]
    name = field.attname
    try:
        # Past the descriptors, which are there to read what was left out.
        return [row.__dict__[name] for row in rows]
    except KeyError:
        return [getattr(row, name) for row in rows]


def _note_written(rows: Sequence[models.Model]) -> None:
    for row in rows:
        state = row._state  # noqa: SLF001  Django's documented name
        state.adding, state.db = False, DEFAULT_DB_ALIAS


def _write(
    model: type[models.Model],
    fields: tuple[Field, ...],
    columns: Sequence[Sequence[object]],
    *,
    update: Sequence[str] = (),
    returns_keys: bool = False,
) -> list[object]:
    """Insert rows, in as many statements as the database needs for them; return their keys as far as it tells them."""
    written = [column_of(field, values) for field, values in zip(fields, columns, strict=True)]
    statement, ending = _statement(model, fields, update, returns_keys=returns_keys)
    keys: list[object] = []
    for rows, parameters in in_parts(fields, written):
        texts = ", ".join([f"({', '.join(row)})" for row in rows])
        with connection.cursor() as cursor:
            cursor.execute(f"{statement} {texts}{ending}", parameters)
            if returns_keys:
                keys += _keys(model, cursor)
    return keys


def in_parts(fields: Sequence[Field], columns: Sequence[Column]) -> Iterator[tuple[list[tuple[str, ...]], list[Any]]]:
    """Yield the rows that one statement takes, as a rule all of them, and their parameters.

    Long texts may be too long for one statement together. A row has a text for each column.
    """
    rows = list(zip(*(column.texts for column in columns), strict=True))
    given = [column.parameters for column in columns if column.parameters is not None]
    parameters: list[tuple[Any, ...]] = list(zip(*given, strict=True)) if given else [()] * len(rows)
    max_rows = max(1, connection.ops.bulk_batch_size(fields, rows))
    for part in _parts(_lengths(columns, len(rows)), max_rows):
        yield rows[part], list(chain.from_iterable(parameters[part]))


def _parts(lengths: Sequence[int], max_rows: int) -> Iterator[slice]:
    begin = length = 0
    for number, more in enumerate(lengths):
        if number > begin and (length + more > MAX_LENGTH or number - begin == max_rows):
            yield slice(begin, number)
            begin, length = number, 0
        length += more
    yield slice(begin, len(lengths))


def _lengths(columns: Sequence[Column], count: int) -> list[int]:
    """Return for each row how many characters its long texts have."""
    long = [column.parameters for column in columns if column.parameters is not None and column.is_long]
    if not long:
        return [0] * count
    return [sum([len(text) for text in row if isinstance(text, str)]) for row in zip(*long, strict=True)]


def _statement(
    model: type[models.Model], fields: tuple[Field, ...], update: Sequence[str], *, returns_keys: bool
) -> tuple[str, str]:
    """Return what stands before the rows, and what stands after them."""
    quote = connection.ops.quote_name
    options: Any = model._meta
    # Names are the model's own.
    statement = f"INSERT INTO {quote(options.db_table)} ({', '.join([quote(field.column) for field in fields])}) VALUES"
    ending = ""
    if update:
        columns = [options.get_field(name).column for name in update]
        target = [options.pk.column] if connection.features.supports_update_conflicts_with_target else []
        ending = f" {connection.ops.on_conflict_suffix_sql(fields, OnConflict.UPDATE, columns, target)}"
    if returns_keys and connection.features.can_return_rows_from_bulk_insert:
        ending += f" RETURNING {quote(options.pk.column)}"
    return statement, ending


def _keys(model: type[models.Model], cursor: Any) -> list[object]:
    """Return the primary keys of rows that were just inserted, as far as the database tells them: MySQL only one."""
    if connection.features.can_return_rows_from_bulk_insert:
        return [found for (found,) in cursor.fetchall()]
    options: Any = model._meta
    return [connection.ops.last_insert_id(cursor, options.db_table, options.pk.column)]


def _counted_up(
    model: type[models.Model], by: Sequence[str], first: Sequence[object], unique: Sequence[tuple[object, ...]]
) -> Sequence[object]:
    """Return the primary keys of rows of one statement if they are without gaps, as they are as a rule; else nothing.

    Keys count up in the order of the rows. So if the last one is as far from the first as there are rows, none is left
    out; where servers take turns, as in a cluster, some are. One row is found far sooner than all of them.
    """
    [begin, *more] = first
    if more or not isinstance(begin, int) or _key_of(model, by, unique[-1]) != begin + len(unique) - 1:
        return ()
    return range(begin, begin + len(unique))


def _key_of(model: type[models.Model], by: Sequence[str], values: Sequence[object]) -> object:
    """Return the primary key of a row by its unique values. Written by hand: the ORM takes longer than the database."""
    options: Any = model._meta
    quote = connection.ops.quote_name
    known = {field.attname: field for field in options.local_concrete_fields}
    condition = " AND ".join([f"{quote(known[name].column)} = %s" for name in by])
    given = [known[name].get_db_prep_save(value, connection) for name, value in zip(by, values, strict=True)]
    with connection.cursor() as cursor:
        # Names are the model's own.
        cursor.execute(f"SELECT {quote(options.pk.column)} FROM {quote(options.db_table)} WHERE {condition}", given)  # noqa: S608
        row = cursor.fetchone()
    return row[0] if row else None


def _asked_for(model: type[models.Model], by: Sequence[str], unique: Sequence[tuple[object, ...]]) -> list[object]:
    """Return the primary keys of rows by their unique values."""
    known = model._default_manager.filter(  # noqa: SLF001  Django's documented name
        **{f"{name}__in": set(values) for name, values in zip(by, zip(*unique, strict=True), strict=True)}
    )
    found = {tuple(values): key for key, *values in known.values_list("pk", *by)}
    return [found[values] for values in unique]


@lru_cache(maxsize=256)
def _is_set_when_saved(field: Field) -> bool:
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return True
    return not is_djangos(type(field).pre_save)
