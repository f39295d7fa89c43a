"""Times that the driver returns with their time zone: only inside the block, and only where it can."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from badges_plugin.driver_times import aware_times

DATETIME = 12


def usual(text: str) -> str:
    return text


usual.__module__ = "MySQLdb.times"


def database(converter: object = None, timezone: object = UTC) -> Any:
    return SimpleNamespace(connection=SimpleNamespace(converter=converter), timezone=timezone)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02 03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02 03:04:05.000006", datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("0000-00-00 00:00:00", None),
        ("0000-00-00 00:00:00.000000", None),
    ],
)
def test_times_are_read_as_utc_inside_the_block(text: str, moment: datetime | None) -> None:
    readers = {DATETIME: usual}
    with aware_times(database(readers)) as is_aware:
        read: Any = readers[DATETIME]
        assert is_aware
        assert read(text) == moment
    assert readers == {DATETIME: usual}


def test_it_ends_with_an_error_as_well() -> None:
    readers = {DATETIME: usual}
    with pytest.raises(LookupError), aware_times(database(readers)):
        raise LookupError
    assert readers == {DATETIME: usual}


@pytest.mark.parametrize(
    "other",
    [
        SimpleNamespace(connection=object(), timezone=UTC),
        database(),
        database({}),
        database({DATETIME: str}),
        database({DATETIME: usual}, timezone=ZoneInfo("Europe/Berlin")),
        database({DATETIME: usual}, timezone=None),
    ],
    ids=["another driver", "no readers", "no reader of times", "a reader of the host's", "Berlin", "no time zone"],
)
def test_what_it_does_not_know_is_left_alone(other: Any) -> None:
    before = dict(getattr(other.connection, "converter", None) or {})
    with aware_times(other) as is_aware:
        assert not is_aware
        assert dict(getattr(other.connection, "converter", None) or {}) == before
