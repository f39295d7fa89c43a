"""Update many rows with one statement, whatever differs between them.

``bulk_update`` writes a CASE expression for each column and row, which takes longer than saving the rows one by one. On
MySQL and MariaDB the rows are joined with what differs between them; this takes half the time of an INSERT that finds
them there, which is how they are written on other databases. No signals are sent; ``bulk.send_saved`` is for those that
matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from django.db import IntegrityError, connection, models

from badges_plugin import bulk
from badges_plugin.bulk import Columns
from badges_plugin.literals import Column, column_of


def update(rows: Sequence[models.Model], fields: Sequence[str]) -> None:
    """Write these fields of different rows of one model. Lock them, or what keeps them from being deleted meanwhile.

    Raises IntegrityError for a row that is gone; but where no foreign key forbids it, it may be inserted again.
    """
    if rows:
        options: Any = type(rows[0])._meta
        written = [options.pk, *map(options.get_field, fields)] if _joins() else options.local_concrete_fields
        names = [field.attname for field in written]
        update_columns(type(rows[0]), dict(zip(names, bulk.values_of(rows, written), strict=True)), fields)


def update_columns(model: type[models.Model], columns: Columns, fields: Sequence[str]) -> None:
    """Do as ``update`` with rows of which nobody has instances. All their columns must be named."""
    options: Any = model._meta
    count = len(columns[options.pk.attname])
    if not _joins():
        bulk.insert_or_update_columns(model, columns, fields)
    elif count:
        wanted = [options.get_field(name) for name in fields]
        _join(options, columns, wanted, count)


def _joins() -> bool:
    return connection.vendor == "mysql"


def _join(options: Any, columns: Columns, fields: Sequence[Any], count: int) -> None:
    quote = connection.ops.quote_name
    differing = [column_of(options.pk, columns[options.pk.attname])]
    same: list[Any] = []
    changes = []
    for field in fields:
        values = columns[field.attname]
        if values.count(values[0]) == count:
            (text,), parameters, _ = column_of(field, values[:1])
            same += parameters or ()
        else:
            text = f"given.c{len(differing)}"
            differing.append(column_of(field, values))
        changes.append(f"{quote(options.db_table)}.{quote(field.column)} = {text}")
    # Names are the model's own. While MySQL takes a table for a small one it would read, and lock, all of it.
    ending = (
        f" AS given STRAIGHT_JOIN {quote(options.db_table)} FORCE INDEX (PRIMARY)"
        f" ON {quote(options.db_table)}.{quote(options.pk.column)} = given.c0 SET {', '.join(changes)}"
    )
    for rows, parameters in _parts(differing, count):
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE ({' UNION ALL '.join(rows)}){ending}", parameters + same)
            # The host's settings make it the number of rows that were found, changed or not.
            if cursor.rowcount < len(rows):
                raise IntegrityError(f"{options.db_table}: {len(rows) - cursor.rowcount} of {len(rows)} rows are gone")


def _parts(columns: Sequence[Column], count: int) -> Iterator[tuple[list[str], list[Any]]]:
    """Yield the rows that one statement takes, each as a SELECT, and their parameters."""
    rows = list(zip(*(column.texts for column in columns), strict=True))
    given = [column.parameters for column in columns if column.parameters is not None]
    parameters: list[tuple[Any, ...]] = list(zip(*given, strict=True)) if given else [()] * count
    for part in bulk.parts(columns, count, count):
        first, *others = rows[part]
        named = ", ".join([f"{text} AS c{number}" for number, text in enumerate(first)])
        selects = [f"SELECT {named}", *[f"SELECT {', '.join(row)}" for row in others]]
        yield selects, list(chain.from_iterable(parameters[part]))
