"""Areas "bus-kafka" and "bus-redis": each event is applied exactly once, whatever is killed and restarted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from sandbox.drills.bus_brokers import POISON, Broker
from sandbox.drills.bus_history import Story, ending, tell
from sandbox.drills.bus_stage import BusStage, pause, staged
from sandbox.drills.catalog import Options, Result
from tests.services.databases import DATABASES
from tests.services.process import Server

if TYPE_CHECKING:
    # Needs Django.
    from sandbox.drills.badges import CredlyBadge

CONSUMERS = 3
LEARNERS, KILLS = 260, 21
FEW_LEARNERS, FEW_KILLS = 30, 3
# Between two kills: long enough for a group to form again most of the time, not always.
SHORTEST_PAUSE, MAX_PAUSE = 1.0, 4.5
OUTAGE_SECONDS = 2.0
DATABASE_OUTAGES = 2


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
        _act(stage, story, options, result)
        bus_books.reconnect()
        bus_books.compare(expected, result)
        left = _publish_the_rest(stage)
        bus_books.compare_public(stage.broker.published(), result)
        result.remarks.append(f"{left} awards were left unpublished by killed consumers, and published later.")
        result.numbers["seconds"] = time.monotonic() - started
        yield result

        started = time.monotonic()
        delivered = Result(f"{name}: replay")
        wait_until_settled(provided, timeout=60)
        _close(provided, delivered)
        _replay(stage, delivered)
        delivered.numbers["seconds"] = time.monotonic() - started
        yield delivered


def _act(stage: BusStage, story: Story, options: Options, result: Result) -> None:
    """Send the story in portions; after each, at a random instant, a consumer dies, and some of the time more."""
    chance = options.chance("faults")
    kills = FEW_KILLS if options.small else KILLS
    per_chapter = kills // len(story.chapters)
    faults = _faults(stage, kills)
    poison = list(range(len(POISON)))
    for _ in range(CONSUMERS):
        stage.start_consumer()
    for chapter in story.chapters:
        size = -(-len(chapter) // per_chapter)
        for start in range(0, len(chapter), size):
            stage.send(chapter[start : start + size])
            for number in poison[: -(-len(POISON) // kills)]:
                stage.broker.poison(number)
                poison.remove(number)
            pause(chance.uniform(SHORTEST_PAUSE, MAX_PAUSE))
            with faults.get(stage.kills, nullcontext()):
                stage.kill_and_replace(chance)
        stage.wait_until_consumed()
        # So that the provider has badges, takes some back, and issues some again.
        stage.deliver()
    codes = stage.stop_consumers()
    result.demand(not any(codes), f"consumers ended with {codes}")
    result.demand(not stage.not_sent(), f"the bus never got {stage.not_sent()} events of the LMS side")
    result.numbers |= {"events": len(story), "kills": stage.kills}
    numbers = (
        f"{story.duplicates} twice, {story.out_of_order} out of order, {story.late} late and contradicting newer ones"
    )
    outages = f"the database {DATABASE_OUTAGES} times and the broker once away for {OUTAGE_SECONDS:g} s and more"
    result.remarks += [
        f"{len(story)} events, of them {numbers}; {len(POISON)} poisonous ones more; {stage.broker.partitions()}.",
        f"{stage.kills} consumers killed; {outages}, a consumer killed and another started meanwhile.",
    ]


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
    from sandbox.drills.stage import wait_until

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


def _replay(stage: BusStage, result: Result) -> None:
    """Replay everything on the topic: no row changes, and the provider gets no request."""
    from sandbox.drills import bus_books

    before, journal = bus_books.snapshot(), len(stage.credly.journal())
    printed = stage.run("replay", "badges_replay", "--no-color")
    stage.deliver()
    calls = len(stage.credly.journal()) - journal
    changed = sum(old != new for old, new in zip(before, bus_books.snapshot(), strict=True))
    result.demand(not changed, f"the replay changed {changed} tables")
    result.demand(not calls, f"the replay led to {calls} requests to the provider")
    result.numbers |= {"changed tables": changed, "requests after": calls}
    lines = [line.split("\r")[-1].strip() for line in printed.splitlines()]
    result.remarks += [line for line in lines if " events: " in line or " learners, " in line]
