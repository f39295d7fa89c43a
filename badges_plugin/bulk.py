"""Write many rows with one statement each, on every supported database.

``bulk_update`` writes one CASE expression per column and row, which costs more than saving the rows one by one;
``insert_or_update`` does the same with one INSERT that updates what exists. Very many rows take several statements, so
that each fits a packet, which MySQL and MariaDB limit: there it looks as if the server had gone away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.sql import InsertQuery

ModelT = TypeVar("ModelT", bound=models.Model)

MAX_WEIGHT = 5_000
"""How many rows, and items of their lists, one statement takes: about 3 MB of the 16 MB of a packet."""


def insert(rows: Sequence[ModelT], *, by: Sequence[str]) -> None:
    """Insert rows of one model; afterwards they have their primary keys.

    ``by`` names the columns that are unique together, by which MySQL is asked for the keys: it does not return them.
    Values of these columns must come back as they were given. Raises IntegrityError like ``bulk_create``.
    """
    if not rows:
        return
    if len(rows) == 1 and not connection.features.can_return_rows_from_bulk_insert:
        _insert_one(rows[0])
        return
    for part in parts(rows):
        _insert(part, by)


def insert_or_update(rows: Sequence[ModelT], fields: Sequence[str]) -> None:
    """Insert rows with primary keys; of those that exist, write only these fields.

    To update rows, lock what keeps them from being deleted meanwhile: one that is gone would be inserted again.
    """
    if not rows:
        return
    model = type(rows[0])
    names_target = connection.features.supports_update_conflicts_with_target
    for part in parts(rows):
        model._default_manager.bulk_create(  # noqa: SLF001
            part,
            update_conflicts=True,
            update_fields=fields,
            unique_fields=[model._meta.pk.attname] if names_target else None,
        )


def insert_children(rows: Iterable[models.Model]) -> None:
    """Insert rows of a multi-table child whose parents exist, without touching the parents.

    ``bulk_create`` refuses such models, and ``save`` first tries an update. The fields are those of the child's own
    table, among them the link to its parent.
    """
    for children in parts(list(rows)):
        model: Any = type(children[0])
        query = InsertQuery(model)
        # Private to Django; a test holds it on every version and database.
        query.insert_values(model._meta.local_concrete_fields, children, raw=True)
        query.get_compiler(using=DEFAULT_DB_ALIAS).execute_sql()


def parts(rows: Sequence[ModelT]) -> Iterator[list[ModelT]]:
    """Yield the rows in groups that one statement takes, as a rule all of them. None without rows."""
    part: list[ModelT] = []
    size = 0
    for row in rows:
        weight = 1 + sum(len(value) for value in vars(row).values() if isinstance(value, list))
        if part and size + weight > MAX_WEIGHT:
            yield part
            part, size = [], 0
        part.append(row)
        size += weight
    if part:
        yield part


def _insert(rows: list[ModelT], by: Sequence[str]) -> None:
    model = type(rows[0])
    model._default_manager.bulk_create(rows)  # noqa: SLF001  Django's documented name
    if all(row.pk is not None for row in rows):
        return
    columns = {f"{name}__in": {getattr(row, name) for row in rows} for name in by}
    known = model._default_manager.filter(**columns).values_list("pk", *by)  # noqa: SLF001
    keys = {tuple(values): pk for pk, *values in known}
    for row in rows:
        _is_stored(row, keys[tuple(getattr(row, name) for name in by)])


def _insert_one(row: models.Model) -> None:
    """Insert one row. MySQL tells the key of a single one, so that it need not be asked for."""
    model: Any = type(row)
    columns = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    query = InsertQuery(model)
    query.insert_values(columns, [row])
    compiler: Any = query.get_compiler(using=DEFAULT_DB_ALIAS)
    ((key,),) = compiler.execute_sql(returning_fields=[model._meta.pk])
    _is_stored(row, key)


def _is_stored(row: models.Model, key: object) -> None:
    row.pk = key
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # noqa: SLF001  Django's documented name
