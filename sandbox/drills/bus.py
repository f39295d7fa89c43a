"""Areas "bus-kafka" and "bus-redis": each event is applied exactly once, whatever is killed and restarted."""

from __future__ import annotations

import contextlib
import itertools
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from sandbox.drills.bus_brokers import Broker
from sandbox.drills.bus_history import Story, ending, refused, tell
from sandbox.drills.bus_stage import BATCH_SIZES, BusStage, pause, staged
from sandbox.drills.catalog import Options, Result
from sandbox.drills.stage import TooSlow, wait_until
from tests.services.databases import DATABASES
from tests.services.process import Server

if TYPE_CHECKING:
    # Needs Django.
    from sandbox.drills.badges import CredlyBadge

CONSUMERS = 3
LEARNERS, KILLS = 260, 21
FEW_LEARNERS, FEW_KILLS = 30, 6
# Between two kills: long enough for a group to form again most of the time, not always.
SHORTEST_PAUSE, MAX_PAUSE = 1.0, 4.5
OUTAGE_SECONDS = 2.0
DATABASE_OUTAGES = 2
# So that there is one in nearly every batch.
UNREADABLE_EVERY = 100
AT_ANY_INSTANT = "at any instant"
FATES = {"in a transaction": signal.SIGUSR1, "between commit and acknowledgment": signal.SIGUSR2}
"""See ``sandbox.drills.faulty_host``."""


def run_on(name: str, broker: Callable[[], AbstractContextManager[Broker]], options: Options) -> Iterator[Result]:
    """Run the drill on one bus, and then replay everything on the topic."""
    with staged(options.folder, broker(), DATABASES[options.database]()) as stage:
        from sandbox.drills import bus_books
        from sandbox.drills.books import wait_until_settled
        from sandbox.drills.database import describe

        print(f"On {describe()} and {name}, with {CONSUMERS} consumers.", flush=True)
        learners = FEW_LEARNERS if options.small else LEARNERS
        provided, badges = bus_books.set_up(stage.credly)
        story = tell(badges, learners=learners, chance=options.chance("story"))
        expected = ending(story)
        provided.wanted.update(bus_books.wanted_at_credly(expected, badges[0], learners))

        started = time.monotonic()
        result = Result(f"{name}: faults")
        poisoned = _act(stage, story, options, result)
        bus_books.reconnect()
        bus_books.compare(expected, result, poisoned=poisoned)
        left = _publish_the_rest(stage)
        bus_books.compare_public(stage.broker.published(), result)
        result.remarks.append(f"{left} awards were left unpublished by killed consumers, and published later.")
        result.numbers["seconds"] = time.monotonic() - started
        yield result

        started = time.monotonic()
        delivered = Result(f"{name}: replay")
        wait_until_settled(provided, timeout=60)
        _close(provided, delivered)
        _replay(stage, story, delivered)
        bus_books.compare_beginnings(expected, delivered)
        delivered.numbers["seconds"] = time.monotonic() - started
        yield delivered


def _act(stage: BusStage, story: Story, options: Options, result: Result) -> int:
    """Send the story in portions; at each a consumer dies, and some of the time more. Return the poison events."""
    chance = options.chance("faults")
    kills = FEW_KILLS if options.small else KILLS
    per_chapter = kills // len(story.chapters)
    fates = _Fates(stage, kills, chance)
    unreadable, numbers = 0, itertools.count(1)
    for _ in range(CONSUMERS):
        stage.start_consumer(chance.choice(BATCH_SIZES))
    for chapter in story.chapters:
        size = -(-len(chapter) // per_chapter)
        for start in range(0, len(chapter), size):
            portion = refused(story, chapter[start : start + size], numbers, chance)
            with fates.next():
                for part in range(0, len(portion), UNREADABLE_EVERY):
                    stage.broker.poison(unreadable)
                    unreadable += 1
                    stage.send(portion[part : part + UNREADABLE_EVERY])
        stage.wait_until_consumed()
        # So that the provider has badges, takes some back, and issues some again.
        stage.deliver()
    codes = stage.stop_consumers()
    result.demand(not any(codes), f"consumers ended with {codes}")
    result.demand(not stage.not_sent(), f"the bus never got {stage.not_sent()} events of the LMS side")
    fates.tell(result, small=options.small)
    poisoned = unreadable + next(numbers) - 1
    result.numbers |= {"events": len(story), "kills": stage.kills}
    numbers_of = f"{story.duplicates} twice, {story.out_of_order} out of order"
    late = f"{len(story.late)} late and contradicting newer ones"
    outages = f"the database {DATABASE_OUTAGES} times and the broker once away for {OUTAGE_SECONDS:g} s and more"
    failing = f"{unreadable} unreadable ones more, {poisoned - unreadable} that fail in the transaction of their batch"
    result.remarks += [
        f"{len(story)} events, of them {numbers_of}, {late}; {failing}; {stage.broker.partitions()}.",
        f"{stage.kills} consumers killed; {outages}, a consumer killed and another started meanwhile.",
    ]
    return poisoned


class _Fates:
    """How consumers die: at a random instant, in a transaction, or after the commit, before they acknowledge."""

    def __init__(self, stage: BusStage, kills: int, chance: random.Random) -> None:
        self._stage = stage
        self._chance = chance
        self._outages = _faults(stage, kills)
        self._names = itertools.cycle([*FATES, AT_ANY_INSTANT])
        self._died: Counter[str] = Counter()

    @contextmanager
    def next(self) -> Iterator[None]:
        """Kill and replace a consumer while, or after, the events of the block are sent."""
        stage, chance = self._stage, self._chance
        outage = self._outages.get(stage.kills)
        name = next(self._names) if outage is None else AT_ANY_INSTANT
        doomed = stage.doom(chance, FATES[name]) if name in FATES else None
        yield
        if doomed is None:
            # While what was sent is consumed.
            pause(chance.uniform(0, SHORTEST_PAUSE))
        else:
            with contextlib.suppress(TooSlow):
                wait_until(lambda: doomed.exit_code is not None, "it died", timeout=MAX_PAUSE)
        with outage or nullcontext():
            obeyed = stage.kill_and_replace(chance, doomed)
        self._died[name if obeyed or doomed is None else AT_ANY_INSTANT] += 1
        pause(chance.uniform(SHORTEST_PAUSE, MAX_PAUSE - SHORTEST_PAUSE))

    def tell(self, result: Result, *, small: bool) -> None:
        result.remarks.append("Killed: " + ", ".join(f"{count} {name}" for name, count in self._died.items()) + ".")
        for name in FATES:
            result.demand(small or self._died[name] > 0, f"no consumer was killed {name}: the drill shows less")


def _faults(stage: BusStage, kills: int) -> dict[int, AbstractContextManager[None]]:
    """Return the server that is down while a consumer is killed, by the number of kills before."""
    return {
        kills // 6: _away(stage.database, OUTAGE_SECONDS),
        kills // 3: _away(stage.broker.server, OUTAGE_SECONDS),
        2 * kills // 3: _away(stage.database, OUTAGE_SECONDS),
    }


@contextmanager
def _away(server: Server, seconds: float) -> Iterator[None]:
    """Stop a server for the block plus some seconds. It restarts with its data on disk."""
    server.stop()
    try:
        yield
        pause(seconds)
    finally:
        server.start()


def _publish_the_rest(stage: BusStage) -> int:
    """Have a consumer publish what killed consumers left in the outbox. Return how much that was."""
    from sandbox.drills import bus_books

    left = bus_books.make_outbox_due()
    if left:
        # It publishes a hundred at a time, until none is left.
        stage.start_consumer()
        wait_until(lambda: not bus_books.outbox_left(), "the rest was published", timeout=60)
        stage.stop_consumers()
    return left


def _close(provided: CredlyBadge, result: Result) -> None:
    """Add up the counts that the drills of deliveries compare in detail."""
    from sandbox.drills import books

    whole = Result(result.name)
    books.close(provided, whole)
    result.problems += whole.problems
    result.numbers |= {
        f"Credly {name}": whole.numbers[name] for name in ("issued", "revoked", "missing", "issued twice")
    }


def _replay(stage: BusStage, story: Story, result: Result) -> None:
    """Replay everything on the topic: no row changes, and the provider gets no request. Who was refused is again.

    Excepted is when a fulfillment began, where a penalty had arrived late.
    """
    from sandbox.drills import bus_books

    before, journal = bus_books.snapshot(), len(stage.credly.journal())
    printed = stage.run("replay", "badges_replay", "--no-color", expected=1)
    stage.deliver()
    calls = len(stage.credly.journal()) - journal
    changed, set_back = bus_books.replayed(before, bus_books.snapshot(), late=story.late)
    result.demand(not changed, f"the replay changed {changed} tables")
    result.demand(not calls, f"the replay led to {calls} requests to the provider")
    result.numbers |= {"changed tables": changed, "began earlier": set_back, "requests after": calls}
    lines = [line.split("\r")[-1].strip() for line in printed.splitlines()]
    result.remarks += [line for line in lines if " events: " in line or " learners, " in line]
