"""Batches of a backfill: how they are made, what a failing learner does to them, and what people read meanwhile."""

from __future__ import annotations

from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from badges_plugin.backfill import batches
from badges_plugin.backfill.applying import names
from badges_plugin.backfill.batches import BATCH_EVENTS, BATCH_LEARNERS, batched
from badges_plugin.backfill.progress import EVERY_SECONDS, Progress
from badges_plugin.backfill.samples import MAX_LINES, MAX_REASONS, OTHER_REASONS, Sample, count_reasons
from badges_plugin.data import BadgingEvent, EventStamp, LearnerData
from badges_plugin.models import BadgeAward
from badges_plugin.signals import badge_awarded
from tests.factories import COURSE, PASSING, at, make_template, penalizes_failing, requires_course
from tests.limits import Lower

HEADER = "username,lms_user_id,course_key,passed,time\n"


def history(events: int, *, lms_user_id: int | None = None, username: str = "") -> list[BadgingEvent]:
    learner = LearnerData(lms_user_id, username, email="", name="", is_active=True)
    return [BadgingEvent(PASSING, EventStamp(at(0), uuid4()), learner, None) for _ in range(events)]


@pytest.mark.parametrize(
    ("histories", "sizes"),
    [
        ([], []),
        ([history(1, username="ann")], [1]),
        # As many learners as a batch takes, and one more.
        ([history(1, lms_user_id=number + 1) for number in range(BATCH_LEARNERS + 1)], [BATCH_LEARNERS, 1]),
        # As many events as a batch takes; a learner is never divided.
        ([history(BATCH_EVENTS - 1, username="ann"), history(2, username="ben")], [1, 1]),
        ([history(BATCH_EVENTS + 1, username="ann"), history(1, username="ben")], [1, 1]),
        # Perhaps the same person, who is one user.
        ([history(1, username="Ann"), history(1, username="ben"), history(1, username="ann")], [2, 1]),
        ([history(1, lms_user_id=5, username="ann"), history(1, username="ann")], [1, 1]),
        # Those of whom only the id is known are not all one.
        ([history(1, lms_user_id=5), history(1, lms_user_id=6)], [2]),
    ],
)
def test_batches_are_limited_and_keep_a_person_in_one_place(
    histories: list[list[BadgingEvent]], sizes: list[int]
) -> None:
    made = list(batched(histories))
    assert [len(batch) for batch in made] == sizes
    assert [each for batch in made for each in batch] == histories


class Screen(StringIO):
    """An error output that is, or is not, a terminal, as Django wraps it."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, msg: str, style_func: Any = str, ending: str | None = None) -> int:
        return super().write(msg + ("\n" if ending is None else ending))


def watch(*, is_terminal: bool, total: int | None, steps: list[tuple[float, int, int | None]]) -> str:
    now = 0.0
    screen = Screen(is_terminal=is_terminal)
    progress = Progress(screen, "Learners", total, clock=lambda: now)
    for now, done, position in steps:  # noqa: B007 - the clock reads it
        progress.to(done, position=position)
    progress.finish()
    return screen.getvalue()


@pytest.mark.parametrize(
    ("total", "steps", "lines"),
    [
        # A line every few seconds, with the rate and the time left.
        (1000, [(1.0, 50, None), (5.0, 250, None)], ["250 of 1000 (25%), 50/s, 0:00:15 left", "50/s in 0:00:05"]),
        # The rate is that of the last seconds: 900 repeats went by in no time.
        (
            1000,
            [(5.0, 900, None), (25.0, 920, None), (45.0, 940, None)],
            ["180/s, 0:00:01 left", "920 of 1000", "940 of 1000 (94%), 1/s, 0:01:00 left", "21/s in 0:00:45"],
        ),
        # Rows of a file of which only the size is known, and of a pipe, of which nothing is.
        (4000, [(5.0, 100, 1000)], ["Learners: 100 (25%), 20/s, 0:00:15 left", "20/s in 0:00:05"]),
        (None, [(5.0, 100, None)], ["Learners: 100, 20/s", "Learners: 100, 20/s in 0:00:05"]),
        (0, [], ["Learners: 0 of 0 (100%), 0/s in 0:00:00"]),
    ],
)
def test_progress_tells_rate_and_time_left(
    total: int | None, steps: list[tuple[float, int, int | None]], lines: list[str]
) -> None:
    shown = watch(is_terminal=False, total=total, steps=steps).splitlines()
    assert len(shown) == len(lines)
    assert all(wanted in line for wanted, line in zip(lines, shown, strict=True)), shown


def test_a_terminal_has_one_line_with_a_bar() -> None:
    shown = watch(is_terminal=True, total=4, steps=[(EVERY_SECONDS, 1, None), (2 * EVERY_SECONDS, 4, None)])
    assert shown.count("\n") == 1
    assert [line.count("#") for line in shown.split("\r")] == [0, 8, 30, 30]


def test_reports_stay_small_whatever_goes_wrong() -> None:
    sample: Sample = Sample()
    counted: Counter[str] = Counter()
    for number in range(MAX_REASONS + 20):
        sample.add(f"line {number}")
        count_reasons(counted, [f"LMS user {number} is not known here"])
    assert (len(sample), len(sample.lines)) == (MAX_REASONS + 20, MAX_LINES)
    assert (len(counted), counted[OTHER_REASONS], counted.total()) == (MAX_REASONS + 1, 20, MAX_REASONS + 20)


@pytest.mark.django_db
def test_a_report_is_written_without_the_database() -> None:
    template = make_template(name="Passed")
    assert names(Counter({template.pk: 2, 0: 1})) == [(f"Passed ({template.uuid})", 2), ("badge template 0", 1)]

    def gone(execute: Any, *args: Any) -> Any:
        raise OperationalError(2006, "Server has gone away")

    with connection.execute_wrapper(gone):
        assert names(Counter({template.pk: 2})) == [(f"badge template {template.pk}", 2)]


def backfill(folder: Path, rows: list[str], **options: Any) -> str:
    file, output = folder / "past.csv", StringIO()
    file.write_text(HEADER + "\n".join(rows), encoding="utf-8")
    call_command("badges_backfill", str(file), stdout=output, **options)
    return output.getvalue()


def passed(*names: str) -> list[str]:
    return [f"{name},,{COURSE},true,2024-05-01T10:00:00Z" for name in names]


def raising(errors: dict[str, BaseException]) -> Any:
    def receive(award: BadgeAward, **kwargs: Any) -> None:
        if award.user.username in errors:
            raise errors[award.user.username]

    return receive


def earners() -> list[str]:
    return sorted(award.user.username for award in BadgeAward.objects.all())


@pytest.mark.django_db
def test_a_batch_is_divided_until_those_who_fail_are_alone(tmp_path: Path) -> None:
    requires_course(make_template())
    fail = raising({"ben": ValueError("ben@example.org"), "eve": ValueError("eve@example.org")})
    output = StringIO()
    badge_awarded.connect(fail)
    try:
        with pytest.raises(CommandError, match="events of 2 learners could not be applied"):
            call_command(
                "badges_backfill", str(_file(tmp_path, passed("ann", "ben", "cid", "dee", "eve"))), stdout=output
            )
    finally:
        badge_awarded.disconnect(fail)
    assert earners() == ["ann", "cid", "dee"]
    assert "5 learners, 3 new here; 3 badges awarded" in output.getvalue()
    assert output.getvalue().count("ValueError") == 2
    assert "example.org" not in output.getvalue()


def _file(folder: Path, rows: list[str]) -> Path:
    file = folder / "past.csv"
    file.write_text(HEADER + "\n".join(rows), encoding="utf-8")
    return file


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "says", "code"),
    [
        (KeyboardInterrupt(), "Interrupted: 2 of 3 learners were done.", 130),
        (OperationalError(2006, "Server has gone away"), "gave up after 1e-06 s.*: 2 of 3 learners were done.", 1),
    ],
)
def test_a_command_that_ends_early_says_how_far_it_came_and_goes_on_when_run_again(
    tmp_path: Path, settings: Any, lower: Lower, error: BaseException, says: str, code: int
) -> None:
    settings.BADGES_CONFIG = {"consumer": {"patience": 1e-06}}
    lower(batches, BATCH_LEARNERS=1)
    requires_course(make_template())
    output, rows = StringIO(), passed("ann", "ben", "cid")
    stop = raising({"cid": error})
    badge_awarded.connect(stop)
    try:
        with pytest.raises(CommandError, match=says) as ended:
            call_command("badges_backfill", str(_file(tmp_path, rows)), stdout=output)
    finally:
        badge_awarded.disconnect(stop)
    assert ended.value.returncode == code
    assert "What was applied stays. Run the same command again to go on" in str(ended.value)
    assert "2 learners, 2 new here; 2 badges awarded" in output.getvalue()
    assert earners() == ["ann", "ben"]
    again = backfill(tmp_path, rows)
    assert "3 learners, 1 new here; 1 badges awarded, 0 revoked; nothing changed for 2 learners" in again


@pytest.mark.django_db
def test_interrupted_while_reading_nothing_was_applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(StringIO):
        def write(self, text: str) -> int:
            raise KeyboardInterrupt

    requires_course(make_template())
    with pytest.raises(CommandError, match="Interrupted while reading: nothing was applied") as ended:
        call_command("badges_backfill", str(_file(tmp_path, passed("ann"))), stderr=Interrupted())
    assert ended.value.returncode == 130
    assert earners() == []


@pytest.mark.django_db
def test_a_dry_run_counts_as_the_real_run_does(tmp_path: Path) -> None:
    template = make_template(name="Passed")
    penalizes_failing(template, requires_course(template))
    backfill(tmp_path, passed("known", "loses"))
    rows = [
        *passed("ann", "ben", "known"),
        f"loses,,{COURSE},false,2024-05-02T10:00:00Z",
        f",77,{COURSE},true,2024-05-02T10:00:00Z",
        f"ben,,{COURSE},false,2024-04-01T10:00:00Z",
    ]
    dry = backfill(tmp_path, rows, dry_run=True)
    assert "5 learners, 2 would be new here; 2 badges would be awarded, 1 would be revoked" in dry
    real = backfill(tmp_path, rows)
    words = {"Would be new": "New", "Would be awarded": "Awarded", "Would be revoked": "Revoked"}
    words |= {"nothing would change": "nothing changed", "would be ": ""}
    for would, does in words.items():
        dry = dry.replace(would, does)
    assert dry == real
