"""Events that the real libraries lose while the schema registry is away, and badges from the grades of the LMS."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

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


def backfill(stage: Stage, name: str, rows: Path) -> str:
    """Run what Tutor's command runs in a container of Credentials. Return what it prints."""
    assert commands.backfill.callback is not None
    ((_, script),) = commands.backfill.callback(rows, ())
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["env", "--chdir", str(REPOSITORY / "sandbox"), "sh", "-e", "-c", script]
    child = stage.start(name, *command, PATH=path)
    assert child.wait() == 0, child.log()
    return child.output()


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
    assert "3 badges awarded, 0 revoked" in backfill(stage, "backfill", rows)
    assert "0 badges awarded, 0 revoked" in backfill(stage, "again", rows)
    assert awards(stage) == {f"learner{number}": 1 for number in range(1, 7)}
