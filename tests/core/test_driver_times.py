"""Times that the driver returns with their time zone: only inside the block, and only where it can."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from badges_plugin.driver_times import aware_times

DATETIME = 12
STATEMENT = "SELECT a_time"


def usual(text: str) -> str:
    return text


usual.__module__ = "MySQLdb.times"


class Database:
    """Wraps statements as Django's connections do."""

    def __init__(self, connection: object, timezone: object = UTC) -> None:
        self.connection = connection
        self.timezone = timezone
        self._wrappers: list[Any] = []

    @contextmanager
    def execute_wrapper(self, wrapper: Any) -> Iterator[None]:
        self._wrappers.append(wrapper)
        yield
        self._wrappers.pop()

    def execute(self, work: Callable[[], object], statement: str = STATEMENT) -> object:
        execute: Callable[..., object] = lambda *_: work()  # noqa: E731
        for wrapper in reversed(self._wrappers):
            execute = partial(wrapper, execute)
        return execute(statement, None, False, {})


def database(converter: object = None, timezone: object = UTC) -> Any:
    return Database(SimpleNamespace(converter=converter), timezone)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02 03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02 03:04:05.000006", datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("0000-00-00 00:00:00", None),
        ("0000-00-00 00:00:00.000000", None),
    ],
)
def test_times_are_read_as_utc_by_the_statement(text: str, moment: datetime | None) -> None:
    readers: dict[int, Any] = {DATETIME: usual}
    mysql = database(readers)
    with aware_times(mysql, STATEMENT):
        assert mysql.execute(lambda: readers[DATETIME](text)) == moment
        assert mysql.execute(lambda: readers[DATETIME](text), "SELECT another") == text
    assert readers == {DATETIME: usual}


def test_it_ends_with_an_error_as_well() -> None:
    def fail() -> object:
        raise LookupError

    readers = {DATETIME: usual}
    mysql = database(readers)
    with aware_times(mysql, STATEMENT), pytest.raises(LookupError):
        mysql.execute(fail)
    assert readers == {DATETIME: usual}


def test_what_others_ask_around_a_statement_is_read_as_always() -> None:
    readers: dict[int, Any] = {DATETIME: usual}
    mysql = database(readers)
    asked = []

    def ask(execute: Any, statement: str, *others: Any) -> object:
        if statement == STATEMENT:
            asked.append(mysql.execute(lambda: readers[DATETIME]("2026-01-02 03:04:05"), "SELECT another"))
        return execute(statement, *others)

    with mysql.execute_wrapper(ask), aware_times(mysql, STATEMENT):
        mysql.execute(lambda: None)
    assert asked == ["2026-01-02 03:04:05"]


@pytest.mark.parametrize(
    "other",
    [
        Database(object()),
        database(),
        database({}),
        database({DATETIME: str}),
        database({DATETIME: usual}, timezone=ZoneInfo("Europe/Berlin")),
        database({DATETIME: usual}, timezone=None),
    ],
    ids=["another driver", "no readers", "no reader of times", "a reader of the host's", "Berlin", "no time zone"],
)
def test_what_it_does_not_know_is_left_alone(other: Any) -> None:
    def readers() -> dict[object, object]:
        return dict(getattr(other.connection, "converter", None) or {})

    before = readers()
    with aware_times(other, STATEMENT):
        assert other.execute(readers) == before
