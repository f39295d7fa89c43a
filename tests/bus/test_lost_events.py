"""Events that the real libraries lose while the schema registry is away, and badges from the grades of the LMS."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from badges_plugin.backfill.rows import BadRow, read_rows
from sandbox.bus.gate import Gate
from sandbox.drills.lost_lms import REGISTRY_URL, Lms
from sandbox.lms import container
from tests.bus.stage import DATABASE, REPOSITORY, Stage
from tutor_badges import commands

pytestmark = [pytest.mark.bus, pytest.mark.long]

COURSE = "course-v1:Lost+1+run"
SET_UP = f"""
from badges_plugin.models import BadgeTemplate
from sandbox.drills.badges import add_site, earn_by_course
earn_by_course(BadgeTemplate.objects.create(site=add_site(), name="B", icon="https://example.org/b.png"), "{COURSE}")
"""
AWARDS = """
SELECT username, count(*) FROM badges_plugin_badgeaward AS award
JOIN badges_plugin_badgeprogress AS progress ON progress.id = progress_id JOIN core_user ON core_user.id = user_id
WHERE revoked_at IS NULL GROUP BY username
"""


def awards(stage: Stage) -> dict[str, int]:
    with closing(sqlite3.connect(stage.folder / DATABASE)) as database:
        return dict(database.execute(AWARDS))


def gate_for(stage: Stage) -> Gate:
    return Gate(urlsplit(stage.bus[REGISTRY_URL]).port or 0)


def backfill(stage: Stage, rows: Path) -> str:
    """Run what Tutor's command runs in a container of Credentials. Return what it prints."""
    assert commands.backfill.callback is not None
    ((_, script),) = commands.backfill.callback(rows, ())
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["env", "--chdir", str(REPOSITORY / "sandbox"), "sh", "-e", "-c", script]
    child = stage.start("backfill", *command, PATH=path)
    assert child.wait() == 0, child.log()
    return child.output()


def graded(number: int, username: str, day: int = 1, **more: object) -> dict[str, object]:
    time = f"2026-03-{day:02}T12:00:00+00:00"
    return {"event": "passing", "user_id": number, "username": username, "course": COURSE, "time": time, **more}


def test_t8_the_backfill_takes_every_row_that_the_lms_exports(tmp_path: Path) -> None:
    """Whoever was erased is in none of them."""
    path = tmp_path / "lms.sqlite3"
    database = {"LMS_DATABASE_URL": f"sqlite:///{path}"}
    container.migrate(database)
    container.grade(
        database,
        [
            graded(1, "ann"),
            graded(1, "ann", 2, is_passing=False),
            graded(2, "анна и"),
            graded(2, "анна и", 3),
            # A user name that the backfill refuses: the id has to do.
            graded(3, "bob@example.com"),
            graded(4, "cy", event="ccx-passing", course="ccx-v1:Demo+1+run+ccx@3"),
            graded(5, "dee", course="Org/Course/Run", is_active=False),
            graded(6, "never", is_passing=False),
            graded(7, "retired__user_0a1b"),
            graded(8, "being_retired", email="retired__user_0a1b@retired.invalid"),
            graded(9, "deleted"),
        ],
    )
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM auth_user WHERE username = 'deleted'")
        connection.commit()
    everything = container.export_passed(database)
    assert [line.split(",") for line in everything.splitlines()[1:]] == [
        ["ann", "1", COURSE, "true", "2026-03-01T12:00:00+00:00"],
        ["ann", "1", COURSE, "false", "2026-03-02T12:00:00+00:00"],
        ["анна и", "2", COURSE, "true", "2026-03-01T12:00:00+00:00"],
        ["анна и", "2", COURSE, "true", "2026-03-03T12:00:00+00:00"],
        ["", "3", COURSE, "true", "2026-03-01T12:00:00+00:00"],
        ["cy", "4", "ccx-v1:Demo+1+run+ccx@3", "true", "2026-03-01T12:00:00+00:00"],
        ["dee", "5", "Org/Course/Run", "true", "2026-03-01T12:00:00+00:00"],
    ]
    read = list(read_rows(everything.splitlines(keepends=True)))
    assert [row for row in read if isinstance(row, BadRow)] == []
    assert len(read) == 7
    since = container.export_passed(database, datetime(2026, 3, 2, 12, tzinfo=UTC))
    assert [line.split(",")[0::3] for line in since.splitlines()[1:]] == [["ann", "false"], ["анна и", "true"]]


def test_t2_t8_what_a_registry_that_is_away_cost_is_counted_and_restored(kafka_stage: Stage, tmp_path: Path) -> None:
    """Refused, without an answer, and back: the losses are in the log, and export and backfill award every badge."""
    stage = kafka_stage
    database = {"LMS_DATABASE_URL": f"sqlite:///{tmp_path / 'lms.sqlite3'}"}
    container.migrate(database)
    with gate_for(stage) as refusing, gate_for(stage) as hanging:
        lms = Lms(stage.processes, {**stage.bus, **database, "EVENT_BUS_TOPIC_PREFIX": stage.prefix}, COURSE)
        first = lms.start(registry=refusing.url("/"))
        second = lms.start(registry=hanging.url("/"))
        consumer = stage.consumer()
        set_up = stage.manage("set-up", "shell", "-c", SET_UP)
        refusing.refuse()
        hanging.hang()
        first.grade([1, 2])
        blocked = second.grade([3])
        assert set_up.wait() == 0, set_up.log()
        refusing.open()
        hanging.open()
        first.grade([4, 5])
        second.grade([6])
        assert (first.flush(), second.flush()) == (2, 1)
        assert (first.reported_losses(), second.reported_losses()) == (2, 1)
    # The library by itself would wait for ever.
    assert 5 < blocked < 30
    consumer.wait_for(lambda: len(awards(stage)) == 3, "what arrived was applied")
    assert awards(stage) == {"learner4": 1, "learner5": 1, "learner6": 1}

    rows = tmp_path / "passed.csv"
    rows.write_text(container.export_passed(database))
    assert "3 badges awarded, 0 revoked" in backfill(stage, rows)
    # Three of the rows are of events that had arrived.
    assert awards(stage) == {f"learner{number}": 1 for number in range(1, 7)}
