"""Collect events on disk by learner, so that only those of a few learners are in memory at a time."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self
from uuid import UUID

from badges_plugin.data import BadgingEvent, EventStamp
from badges_plugin.host import User

# ``name`` distinguishes learners whose id is unknown. The rows are in the order of arrival, and only the small indexes
# are written here and there. They exist from the beginning so that nothing is sorted: SQLite's temporary files would be
# as large as this one, and not in the chosen folder.
_SCHEMA = """
CREATE TABLE event (
    type TEXT NOT NULL, id BLOB NOT NULL, time TEXT NOT NULL, data BLOB NOT NULL,
    lms_user_id INTEGER, username TEXT NOT NULL, line INTEGER,
    name TEXT AS (iif(lms_user_id IS NULL, username, ''))
);
CREATE UNIQUE INDEX once ON event (id, type);
CREATE INDEX by_username ON event (username, lms_user_id);
CREATE INDEX by_learner ON event (lms_user_id, name);
CREATE TABLE newcomer (line INTEGER PRIMARY KEY, lms_user_id INTEGER, username TEXT NOT NULL);
"""
_INSERT_EVENT = "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?)"
_INSERT_NEWCOMER = "INSERT INTO newcomer VALUES (?, ?, ?)"
_CACHE_KIB = 32 * 1024
_BATCH = 500


@dataclass(frozen=True)
class Newcomer:
    """A learner who is unknown to Credentials, and the first line of the file that names them."""

    line: int
    lms_user_id: int | None
    username: str

    def __str__(self) -> str:
        lms = f"LMS user {self.lms_user_id}"
        if not self.username:
            return f"line {self.line}: {lms}, without a user name"
        return f"line {self.line}: {self.username}" + (f" ({lms})" if self.lms_user_id is not None else "")


class Spool:
    """Events to be applied; a context manager.

    The file contains personal data. It is deleted while it is open, so it disappears with the process, however that
    ends. Adding the same event again has no effect.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Create the file in ``folder``, by default that of temporary files."""
        # The open file outlives its folder.
        with TemporaryDirectory(prefix="badges-", dir=folder) as place:
            self._database = sqlite3.connect(Path(place) / "events.sqlite3", isolation_level=None)
            # The file is temporary, so it need not survive a crash.
            self._database.execute("PRAGMA journal_mode = OFF")
            self._database.execute("PRAGMA synchronous = OFF")
            self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._database.executescript(_SCHEMA)
        self._waiting: list[tuple[object, ...]] = []
        self._has_names = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def __len__(self) -> int:
        """Return the number of events."""
        self._write()
        count: int = self._database.execute("SELECT count(*) FROM event").fetchone()[0]
        return count

    def add(self, event: BadgingEvent, *, line: int | None = None) -> None:
        """Add an event; ``line`` is its line in a file."""
        learner, stamp = event.learner, event.stamp
        # Pickled, which takes a quarter of the time of Avro's dictionaries as JSON. Nobody else can write the file.
        data = pickle.dumps((learner, event.payload), pickle.HIGHEST_PROTOCOL)
        row = (
            event.type,
            stamp.id.bytes,
            stamp.time.isoformat(),
            data,
            learner.lms_user_id,
            learner.username,
            line,
        )
        self._waiting.append(row)
        if len(self._waiting) >= _BATCH:
            self._write()

    def count_learners(self) -> int:
        """Return the number of learners whom the events are about."""
        self._identify()
        count: int = self._database.execute(
            "SELECT count(*) FROM (SELECT DISTINCT lms_user_id, name FROM event)"
        ).fetchone()[0]
        return count

    def by_learner(self) -> Iterator[list[BadgingEvent]]:
        """Yield the events of each learner."""
        self._identify()
        rows = self._database.execute(
            "SELECT lms_user_id, name, type, id, time, data FROM event ORDER BY lms_user_id, name"
        )
        for _, events in groupby(rows, key=lambda row: row[:2]):
            yield [_event(*row[2:]) for row in events]

    def newcomers(self) -> Iterator[Newcomer]:
        """Yield the learners in a file who are unknown to Credentials, with their first lines, by line.

        Applying the events would create them, except for those whose user name is in no row.
        """
        self._identify()
        self._database.execute("DELETE FROM newcomer")
        rows = self._database.execute(
            "SELECT min(line), lms_user_id, max(username) FROM event GROUP BY lms_user_id, name"
            " HAVING min(line) IS NOT NULL"
        )
        while people := [Newcomer(*row) for row in rows.fetchmany(_BATCH)]:
            self._insert(_INSERT_NEWCOMER, [(each.line, each.lms_user_id, each.username) for each in _unknown(people)])
        for row in self._database.execute("SELECT line, lms_user_id, username FROM newcomer ORDER BY line"):
            yield Newcomer(*row)

    def _write(self) -> None:
        """Write the events that were added. Repeated ones are left out."""
        if self._waiting:
            self._insert(_INSERT_EVENT, self._waiting)
            self._waiting = []
            self._has_names = True

    def _insert(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            self._database.execute("BEGIN")
            self._database.executemany(statement, rows)
            self._database.execute("COMMIT")

    def _identify(self) -> None:
        """Add the LMS user id to events that have only the user name of a learner whose id is known.

        If they were applied separately, they could award a badge in between that is revoked at the end.
        """
        self._write()
        names = self._names_after("") if self._has_names else []
        while names:
            self._take_ids(names)
            names = self._names_after(names[-1])
        self._has_names = False

    def _names_after(self, name: str) -> list[str]:
        """Return the next names, in order, of events that have no id."""
        rows = self._database.execute(
            "SELECT DISTINCT name FROM event WHERE lms_user_id IS NULL AND name > ? ORDER BY name LIMIT ?",
            (name, _BATCH),
        )
        return [each for (each,) in rows]

    def _take_ids(self, names: Sequence[str]) -> None:
        self._database.execute("BEGIN")
        known = User.objects.filter(username__in=names, lms_user_id__isnull=False)
        self._database.executemany(
            "UPDATE event SET lms_user_id = ? WHERE lms_user_id IS NULL AND username = ?",
            known.values_list("lms_user_id", "username"),
        )
        self._database.executemany(
            "UPDATE event SET lms_user_id = (SELECT min(lms_user_id) FROM event WHERE username = :name"
            " GROUP BY username HAVING min(lms_user_id) = max(lms_user_id))"
            " WHERE lms_user_id IS NULL AND username = :name",
            [{"name": name} for name in names],
        )
        self._database.execute("COMMIT")


def _unknown(people: Sequence[Newcomer]) -> Iterator[Newcomer]:
    """Yield those of the people who are unknown to Credentials. Two queries."""
    ids = {person.lms_user_id for person in people} - {None}
    known_ids = set(User.objects.filter(lms_user_id__in=ids).values_list("lms_user_id", flat=True))
    names = User.objects.filter(username__in=[person.username for person in people])
    known_names = {name.casefold() for name in names.values_list("username", flat=True)}
    for person in people:
        if person.lms_user_id not in known_ids and person.username.casefold() not in known_names:
            yield person


def _event(event_type: str, event_id: bytes, time: str, data: bytes) -> BadgingEvent:
    learner, payload = pickle.loads(data)  # noqa: S301  what ``add`` wrote, in this process
    return BadgingEvent(event_type, EventStamp(datetime.fromisoformat(time), UUID(bytes=event_id)), learner, payload)
