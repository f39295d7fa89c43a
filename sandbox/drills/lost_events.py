"""Area "lost-events": what the LMS loses while registry or broker are away, and that its grades restore every badge.

With the real libraries: "library" is their own producer, "plugin" the one that the Tutor plugin gives the LMS. A small
drill has only the latter.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from sandbox.bus.gate import Gate
from sandbox.drills.bus_brokers import kafka
from sandbox.drills.bus_stage import BusStage, pause, staged
from sandbox.drills.catalog import Options, Result
from sandbox.drills.lost_lms import REGISTRY_URL, Lms
from sandbox.drills.stage import TooSlow
from sandbox.lms import container
from tests.services.databases import DATABASES

LEARNERS, FEW_LEARNERS = 50, 5
# Each of them waits for the registry.
WAITING, FEW_WAITING = 3, 1
SHORT_OUTAGE, FEW_SECONDS = 60.0, 5.0
# The client gives an event up after 300 s (message.timeout.ms), and the platform has no setting for that.
LONG_OUTAGE = 330.0
# Without a time-out it would be blocked for as long as we wait.
BLOCKED = 60.0
REGRADED = "regraded, registry refuses"
NOWHERE = "http://badges-registry.invalid:8080/apis/ccompat/v7"


@dataclass(frozen=True)
class Outage:
    """Learners who passed during an outage, and what the LMS told about it.

    ``lost``: how many of the events must be lost; None if that is a matter of luck. ``reported``: how many its log has;
    None if the process is gone. ``seconds``: how long a sender, or the end of the process, was held up at most.
    """

    name: str
    learners: range
    lost: int | None
    reported: int | None
    seconds: float


def run(options: Options) -> Iterator[Result]:
    """Yield a result for each outage, and one for what the backfill restores."""
    with staged(options.folder, kafka(), DATABASES[options.database]()) as stage:
        from sandbox.drills.lost_books import Books

        registry = urlsplit(stage.environment[REGISTRY_URL])
        with Gate(registry.port or 0) as gate:
            environment = {
                **stage.environment,
                "LMS_DATABASE_URL": f"sqlite:///{options.folder / 'lms.sqlite3'}",
                REGISTRY_URL: gate.url(registry.path),
            }
            container.migrate(environment)
            books = Books(stage)
            drill = Drill(stage, gate, Lms(stage.processes, environment, books.course), small=options.small)
            stage.start_consumer()
            outages = [drill.regraded(), *drill.outages()]
            stage.wait_until_consumed()
            for outage in outages:
                yield books.after(outage)
            rows = options.folder / "passed.csv"
            rows.write_text(container.export_passed(environment, drill.began), encoding="utf-8")
            yield books.restore(rows)


class Drill:
    """The LMS, and what happens to it."""

    def __init__(self, stage: BusStage, gate: Gate, lms: Lms, *, small: bool) -> None:
        self.began = datetime.now(UTC)
        self._stage = stage
        self._gate = gate
        self._lms = lms
        self._small = small
        self._unused = itertools.count(1)

    def outages(self) -> Iterator[Outage]:
        """Yield each outage when it is over."""
        seconds = FEW_SECONDS if self._small else SHORT_OUTAGE
        producers = {"library": False, "plugin": True}
        for who, guarded in list(producers.items())[-1 if self._small else 0 :]:
            yield self._registry_away(f"{who}: registry refuses", self._gate.refuse, guarded=guarded)
            yield self._registry_unknown(f"{who}: unknown registry", guarded=guarded)
            if guarded:
                yield self._registry_away(f"{who}: registry hangs", self._gate.hang, guarded=True)
            else:
                yield self._blocked(f"{who}: registry hangs")
            yield self._broker_away(f"{who}: broker away {seconds:g} s", seconds, guarded=guarded)
            yield self._ends(f"{who}: ends without broker", guarded=guarded, with_broker=False)
            yield self._ends(f"{who}: ends after sending", guarded=guarded, with_broker=True)
        if not self._small:
            yield self._broker_away(f"plugin: broker away {LONG_OUTAGE:g} s", LONG_OUTAGE, guarded=True)

    def regraded(self) -> Outage:
        """Lose the last news of three learners: one passes again, one fails, one passes and fails at once."""
        again, failing, both = learners = self._learners(3)
        lms = self._lms.start()
        lms.grade([again, failing])
        lms.grade([again], is_passing=False)
        lms.flush()
        self._gate.refuse()
        try:
            # Of a process that has not asked the registry yet.
            other = self._lms.start()
            seconds = other.grade([again, both])
            other.grade([failing, both], is_passing=False)
        finally:
            self._gate.open()
        reported = other.flush()
        for process in (lms, other):
            process.end()
        return Outage(REGRADED, learners, 2, reported, seconds)

    def _registry_away(self, name: str, take_away: Callable[[], None], *, guarded: bool) -> Outage:
        """Take the registry away for the first half of the learners; the process sends those of the second half."""
        count = FEW_WAITING if self._small else WAITING
        learners = self._learners(2 * count)
        lms = self._lms.start(guarded=guarded)
        take_away()
        try:
            seconds = lms.grade(learners[:count])
        finally:
            self._gate.open()
        lms.grade(learners[count:])
        reported = lms.flush()
        lms.end()
        return Outage(name, learners, count, reported, seconds)

    def _registry_unknown(self, name: str, *, guarded: bool) -> Outage:
        learners = self._learners(FEW_WAITING if self._small else WAITING)
        lms = self._lms.start(guarded=guarded, registry=NOWHERE)
        seconds = lms.grade(learners)
        reported = lms.flush()
        lms.end()
        return Outage(name, learners, len(learners), reported, seconds)

    def _blocked(self, name: str) -> Outage:
        """Wait for a process that waits for the registry, and kill it, as an operator would at last."""
        learners = self._learners(1)
        lms = self._lms.start(guarded=False)
        self._gate.hang()
        try:
            seconds = lms.grade(learners, patience=BLOCKED)
        except TooSlow:
            return Outage(name, learners, 1, None, BLOCKED)
        finally:
            lms.kill()
            self._gate.open()
        raise TooSlow(f"{name}: the registry's answer came after {seconds:.0f} s")

    def _broker_away(self, name: str, outage: float, *, guarded: bool) -> Outage:
        learners = self._some_learners()
        lms = self._lms.start(guarded=guarded)
        # Before that it has no connection.
        lms.grade(learners[:1])
        lms.flush()
        self._stage.broker.server.stop()
        try:
            seconds = lms.grade(learners[1:])
            pause(outage)
        finally:
            self._stage.broker.server.start()
        reported = lms.flush(patience=2 * LONG_OUTAGE)
        lms.end()
        return Outage(name, learners, len(learners) - 1 if outage == LONG_OUTAGE else 0, reported, seconds)

    def _ends(self, name: str, *, guarded: bool, with_broker: bool) -> Outage:
        """Let a process end right after its events, as Celery does after so many tasks."""
        learners = self._some_learners()
        lms = self._lms.start(guarded=guarded)
        if not with_broker:
            self._stage.broker.server.stop()
        try:
            seconds = lms.end(after=learners)
        finally:
            if not with_broker:
                self._stage.broker.server.start()
        lost = len(learners) if not with_broker else 0 if guarded else None
        return Outage(name, learners, lost, lms.reported_losses(), seconds)

    def _some_learners(self) -> range:
        return self._learners(FEW_LEARNERS if self._small else LEARNERS)

    def _learners(self, count: int) -> range:
        first = next(self._unused)
        for _ in range(count - 1):
            next(self._unused)
        return range(first, first + count)
