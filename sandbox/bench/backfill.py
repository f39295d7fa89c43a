"""Measure ``badges_backfill``: rows a second, and the memory for a million of them. Needs Django."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import harmonic_mean

from badges_plugin.models import BadgeAward, BadgeProgress, BadgeRequirement, DataRule
from sandbox.bench.badges import Badge, have_other_templates, own_badge
from sandbox.bench.before import BEFORE, ask, former
from sandbox.bench.goals import Measured
from sandbox.bench.scene import Scene
from sandbox.drills.badges import PASSING
from sandbox.drills.stage import MANAGE

MILLION = 1_000_000
LOOK_SECONDS = 0.25
LONGEST_SECONDS = 4 * 3600
_FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)


def measure(scene: Scene) -> Iterator[Measured]:
    """Compare files of many rows with a file of one, which has the same start, and with the code before batches.

    The former code applies fewer rows, before and afterwards: the speed of a machine changes.
    """
    have_other_templates()
    count, few = scene.size(50_000, 5000), scene.size(500, 200)
    start, _ = _backfill(scene, own_badge(), 1)
    ask(former(scene), "awarding rows", 1)  # loads the command
    for key, is_enough in (("awarding rows", True), ("other rows", False)):
        badge = own_badge()
        if not is_enough:
            _ask_for_more(badge)
        old = [ask(former(scene), key, few)]
        seconds, _ = _backfill(scene, badge, count)
        old.append(ask(former(scene), key, few))
        _demand(badge, progress=count, awards=count if is_enough else 0)
        rate, before = count / (seconds - start), harmonic_mean(old)
        note = f"{rate:.0f}/s, {count} rows without the start of {start:.1f} s; {BEFORE}: {before:.0f}/s"
        yield Measured(key, rate / before, note)


def measure_million(scene: Scene) -> Iterator[Measured]:
    """Run one file that is as large as those of a national site; with its start."""
    have_other_templates()
    count = scene.size(MILLION, 20_000)
    badge = own_badge()
    seconds, memory = _backfill(scene, badge, count)
    _demand(badge, progress=count, awards=count)
    # What is small is a tenth of the size.
    whole = MILLION / 10 if scene.small else MILLION
    yield Measured("million", seconds / 60 * whole / count, f"{count} rows in {seconds:.0f} s")
    yield Measured("million memory", max(memory), f"{len(memory)} looks")
    early = max(memory[: max(len(memory) // 5, 1)])
    yield Measured("million growth", memory[-1] / early, f"{early:.0f} MB, then {memory[-1]:.0f} MB")


def _backfill(scene: Scene, badge: Badge, rows: int) -> tuple[float, list[float]]:
    """Let new learners pass the course by a file. Return the seconds, and the megabytes over time."""
    path = scene.stage.processes.folder / f"{badge.name}.csv"
    _write(path, badge, rows)
    command = [sys.executable, MANAGE, "badges_backfill", str(path)]
    child = scene.stage.processes.start(badge.name, command, environ=scene.stage.environment)
    began = time.monotonic()
    memory = [0.0]
    while child.exit_code is None:
        if time.monotonic() - began > LONGEST_SECONDS:
            child.kill()
        memory.append(_megabytes(child.pid) or memory[-1])
        time.sleep(LOOK_SECONDS if rows > 1 else 0.05)
    seconds = time.monotonic() - began
    path.unlink()
    if child.exit_code:
        raise RuntimeError(f"badges_backfill ended with {child.exit_code}: {child.log()[-300:]}")
    return seconds, memory


def _write(path: Path, badge: Badge, rows: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("username,course_key,passed,time\n")
        for number in range(rows):
            moment = (_FIRST_DAY + timedelta(seconds=number)).isoformat()
            file.write(f"{badge.name}-{number},{badge.course},true,{moment}\n")


def _ask_for_more(badge: Badge) -> None:
    """Make the course only a part of what the badge asks for."""
    more = BadgeRequirement.objects.create(template=badge.template, event_type=PASSING)
    DataRule.objects.create(requirement=more, key_path="course.course_key", operator="eq", value="course-v1:B+More+1")


def _demand(badge: Badge, *, progress: int, awards: int) -> None:
    """Raise RuntimeError unless what was measured was done."""
    made = BadgeProgress.objects.filter(template=badge.template.pk).count()
    held = BadgeAward.objects.filter(progress__template=badge.template.pk).count()
    if (made, held) != (progress, awards):
        raise RuntimeError(f"{made} progress rows and {held} awards, not {progress} and {awards}")


def _megabytes(pid: int) -> float:
    """Return the resident memory of a process, 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(sizes[0]) / 1000 if sizes else 0.0
