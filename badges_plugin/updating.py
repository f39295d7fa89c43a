"""Update many rows with one statement, whatever differs between them.

``bulk_update`` writes a CASE expression for each column and row, which takes longer than saving the rows one by one. On
MySQL and MariaDB the rows are joined with what differs between them; this takes half the time of an INSERT that finds
them there, which is how they are written on other databases. No signals are sent; ``instances.send_saved`` is for those
that matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, connection, models
from django.db.models import Case, Value, When

from badges_plugin import bulk
from badges_plugin.bulk import Columns
from badges_plugin.literals import column_of


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


def update_those_there(model: type[models.Model], columns: Columns, fields: Sequence[str]) -> None:
    """Write these fields of the rows that exist; any other is left out. The columns of the key and of these are enough.

    The fields are of the model's own table. Rows that differ are written with a CASE expression on databases other than
    MySQL and MariaDB.
    """
    options: Any = model._meta
    keys = columns[options.pk.attname]
    wanted = [options.get_field(name) for name in fields]
    if keys and _joins():
        _join(options, columns, wanted, len(keys), all_there=False)
    elif keys:
        changes = {field.name: _by_key(field, keys, columns[field.attname]) for field in wanted}
        model._default_manager.filter(pk__in=keys).update(**changes)  # noqa: SLF001  Django's documented name


def _by_key(field: Any, keys: Sequence[object], values: Sequence[object]) -> Any:
    """Return the new values of a field, as ``update`` takes them."""
    if values.count(values[0]) == len(values):
        return values[0]
    whens = [When(pk=key, then=Value(value, field)) for key, value in zip(keys, values, strict=True)]
    return Case(*whens, output_field=field)


def _joins() -> bool:
    return connection.vendor == "mysql"


def _join(options: Any, columns: Columns, fields: Sequence[Any], count: int, *, all_there: bool = True) -> None:
    quote = connection.ops.quote_name
    joined = [options.pk]
    differing = [column_of(options.pk, columns[options.pk.attname])]
    same: list[Any] = []
    changes = []
    for field in fields:
        values = columns[field.attname]
        if values.count(values[0]) == count:
            (text,), given, _ = column_of(field, values[:1])
            same += given or ()
        else:
            text = f"given.c{len(joined)}"
            joined.append(field)
            differing.append(column_of(field, values))
        changes.append(f"{quote(options.db_table)}.{quote(field.column)} = {text}")
    # Names are the model's own. While MySQL takes a table for a small one it would read, and lock, all of it.
    ending = (
        f" AS given STRAIGHT_JOIN {quote(options.db_table)} FORCE INDEX (PRIMARY)"
        f" ON {quote(options.db_table)}.{quote(options.pk.column)} = given.c0 SET {', '.join(changes)}"
    )
    for rows, parameters in bulk.in_parts(joined, differing):
        first = ", ".join([f"{text} AS c{number}" for number, text in enumerate(rows[0])])
        selects = " UNION ALL ".join([f"SELECT {first}", *[f"SELECT {', '.join(row)}" for row in rows[1:]]])
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE ({selects}){ending}", parameters + same)
            # Django has the driver count the rows that were found, changed or not.
            if all_there and cursor.rowcount < len(rows):
                raise IntegrityError(f"{options.db_table}: {len(rows) - cursor.rowcount} of {len(rows)} rows are gone")
