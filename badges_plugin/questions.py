"""Queries that are asked for each batch of events: compiled by the ORM once, and then only given other keys.

The ORM takes as long to make a query out of a hundred keys as the database to answer it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from datetime import UTC
from inspect import signature
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import DateTimeField, QuerySet

from badges_plugin.driver_times import aware_times

Row = tuple[Any, ...]
_Convert = Callable[[Any], Any]
_LIST = "IN (%s)"


class _Compiled(NamedTuple):
    pieces: Sequence[str]
    """What stands before, between and after the lists."""
    order: Sequence[int]
    """The numbers of the lists, in the order of the statement."""
    converters: Sequence[tuple[int, _Convert]]
    """By place of the column."""
    has_times: bool
    """Whether there are times, and each is converted as Django's own field does."""


class Question:
    """A query for rows whose keys are in lists.

    ``make`` takes as many lists as there are, each of which it must use in one ``__in``, and returns a ``values_list``,
    annotations last, without any other parameter. It is called when the question is asked first: in a transaction if it
    locks.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Any]]) -> None:
        self._make = make
        self._compiled: _Compiled | None = None

    def ask(self, *lists: Collection[int | str]) -> Sequence[Row]:
        """Return the rows, each value as its field has it. Nothing is in an empty list. One query."""
        if self._compiled is None:
            self._compiled = _compile(self._make)
        pieces, order, converters, has_times = self._compiled
        statement, parameters = pieces[0], list[Any]()
        for number, piece in zip(order, pieces[1:], strict=True):
            keys = lists[number]
            if all(type(key) is int for key in keys):
                # They need no quotes, and the driver takes long for each parameter.
                statement += f"IN ({', '.join(map(str, keys)) or 'NULL'}){piece}"
            else:
                statement += f"IN ({', '.join(['%s'] * len(keys))}){piece}"
                parameters += keys
        database = connections[DEFAULT_DB_ALIAS]
        with database.cursor() as cursor, aware_times(database, statement) if has_times else nullcontext():
            cursor.execute(statement, parameters)
            rows: Sequence[Row] = cursor.fetchall()
        if not rows or not converters:
            return rows
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        for place, convert in converters:
            columns[place] = [None if value is None else convert(value) for value in columns[place]]
        return list(zip(*columns, strict=True))


def _compile(make: Callable[..., QuerySet[Any, Any]]) -> _Compiled:
    # The lists are told apart by what is in them: the ORM has an order of its own.
    numbers = [str(number) for number in range(len(signature(make).parameters))]
    compiler: Any = make(*([int(number)] for number in numbers)).query.get_compiler(DEFAULT_DB_ALIAS)
    statement, parameters = compiler.as_sql()
    pieces, order = statement.split(_LIST), [str(parameter) for parameter in parameters]
    if sorted(order) != sorted(numbers) or len(pieces) != len(order) + 1 or "%" in "".join(pieces):
        raise ValueError(f"Not every list is in the statement once, or something else is: {statement}")
    selected = [expression for expression, *_ in compiler.select]
    found = compiler.get_converters(selected)
    converters = [(place, _converter(converters, expression)) for place, (converters, expression) in found.items()]
    times = [place for place, each in enumerate(selected) if isinstance(each.output_field, DateTimeField)]
    has_times = bool(times) and all(place in found and _is_time(found[place][0]) for place in times)
    return _Compiled(pieces, list(map(int, order)), converters, has_times)


def _is_time(converters: Sequence[Callable[..., Any]]) -> bool:
    """Whether these do what they do for a field of Django's own for times."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    return list(converters) == [getattr(database.ops, "convert_datetimefield_value", None)]


def _converter(converters: Sequence[Callable[..., Any]], expression: Any) -> _Convert:
    """Return a function that does what these do, one after another."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    if _is_time(converters) and database.vendor == "mysql" and database.timezone is UTC:
        # Django's asks first what may be of each time. It has a time zone as a rule (see ``driver_times``).
        return lambda moment: moment if moment.tzinfo is UTC else moment.replace(tzinfo=UTC)
    if len(converters) == 1:
        (only,) = converters
        return lambda value: only(value, expression, database)

    def convert(value: Any) -> Any:
        for each in converters:
            value = each(value, expression, database)
        return value

    return convert
