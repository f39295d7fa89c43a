"""Make up what happens to many learners in three chapters, and work out how it must end. Pure and repeatable.

A chapter begins when the one before was consumed. Within one, the order of arrival is anybody's guess: there are
partitions, several consumers, and kills. So that awards follow from the story and not from luck, a learner only gains
in a chapter or only loses. What came before arrives again (duplicates), and late news contradict what is newer.
Others swing: they pass, fail and pass again at once, so that one batch has it all.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

CHAPTER = timedelta(hours=1)
# More than a tenth of all events, as a share of the news.
DUPLICATES = DISPLACED = 0.13
LATE = 0.1
# How far an event out of order may come before its time, in events.
DISPLACEMENT = 200
# Learners who swing, in each chapter, and the first of their numbers.
SWINGS = 20
FIRST_SWINGING = 1_000_000
# One in this many events is of a learner whose credentials the host refuses; each such learner has one.
REFUSED_EVERY = 50
FIRST_REFUSED = 2_000_000


@dataclass(frozen=True)
class Thing:
    """What a requirement asks for: ``kind`` is an event of ``sandbox.lms``, ``course`` its key."""

    kind: str
    course: str

    @property
    def can_be_lost(self) -> bool:
        """Whether it can be lost: only a passed course can be failed later."""
        return self.kind in ("passing", "ccx-passing")


@dataclass(frozen=True)
class Badge:
    """All groups, and of each group any thing, or as many different ones as are ``needed``."""

    name: str
    groups: tuple[tuple[Thing, ...], ...]
    needed: int = 1

    @property
    def things(self) -> list[Thing]:
        return [thing for group in self.groups for thing in group]


@dataclass(frozen=True)
class News:
    """One event: the learner has the thing now, or lost it."""

    id: str
    time: datetime
    learner: int
    thing: Thing
    gained: bool

    @property
    def stamp(self) -> tuple[datetime, str]:
        return self.time, self.id

    @property
    def command(self) -> Mapping[str, object]:
        """Return the command for ``sandbox.lms``."""
        return {
            "event": self.thing.kind,
            "course": self.thing.course,
            "user_id": self.learner,
            "username": name_of(self.learner),
            "is_passing": self.gained,
            "time": self.time.isoformat(),
            "id": self.id,
        }


@dataclass(frozen=True)
class Story:
    """Chapters of events as they are sent. ``late``: the ids of those that contradict newer ones of another chapter."""

    badges: Sequence[Badge]
    chapters: Sequence[Sequence[News]]
    duplicates: int
    out_of_order: int
    late: Collection[str]

    def __len__(self) -> int:
        return sum(map(len, self.chapters))


@dataclass
class Ending:
    """The expected state of every learner. Awards: for each learner and badge, whether each is held, in their order.

    ``since``: of the fulfillments that are fulfilled, as it is known when all events arrived in order.
    """

    fulfillments: dict[tuple[str, str, Thing], tuple[bool, str]]
    awards: dict[tuple[str, str], list[bool]]
    since: dict[tuple[str, str, Thing], datetime]


def name_of(learner: int) -> str:
    return f"{'refused' if learner >= FIRST_REFUSED else 'learner'}-{learner}"


def is_swinging(name: str) -> bool:
    """Whether a learner of this name swings: may lose the badge in between, and holds it in the end."""
    return int(name.rpartition("-")[2]) >= FIRST_SWINGING


def catalog(first_course: str) -> list[Badge]:
    """Return eleven badges over 24 courses and four types of events. The first is for passing ``first_course``."""
    course = [first_course, *(f"course-v1:Drills+C{number}+1" for number in range(1, 24))]
    passes = [Thing("passing", key) for key in course]
    simple = [Badge(f"Course {number}", ((passes[number],),)) for number in range(6)]
    custom = Thing("ccx-passing", "ccx-v1:Drills+C9+1+ccx@3")
    return [
        *simple,
        Badge("Two courses", ((passes[6],), (passes[7],))),
        Badge("Either course", ((passes[8], passes[0]), (Thing("enrollment", course[10]),))),
        Badge("Certified", ((Thing("certificate", course[11]),), (passes[12], custom))),
        Badge("All of it", ((passes[13],), (passes[14], passes[15]), (Thing("certificate", course[16]), custom))),
        # Events that matter to other badges, too: they make the story no longer.
        Badge("Any two of three", ((passes[1], passes[2], passes[3]),), needed=2),
    ]


def tell(badges: Sequence[Badge], *, learners: int, chance: random.Random) -> Story:
    """Make three chapters up: first everybody gains, then and last some lose and others gain."""
    things = list(dict.fromkeys(thing for badge in badges for thing in badge.things))
    # Nobody asks for these; most events of a platform are such.
    things += [Thing("passing", f"course-v1:Other+C{number}+1") for number in range(4)]
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    counts: Counter[str] = Counter()
    sent: list[News] = []
    contradictions: list[str] = []
    chapters = []
    for number in range(3):
        told = sorted(_chapter(number, things, learners, start + number * CHAPTER, chance), key=lambda news: news.stamp)
        late = [_contradiction(news, chance) for news in _some(sent, LATE * len(told) / max(len(sent), 1), chance)]
        again = _some([*sent, *told], DUPLICATES * len(told) / (len(sent) + len(told)), chance)
        contradictions += [news.id for news in late]
        counts.update(duplicates=len(again), displaced=round(DISPLACED * len(told)))
        sent += told
        events = _shuffled_in(_displaced(told, chance), [*late, *again], chance)
        chapters.append(_with_swings(events, number, badges, start + number * CHAPTER, chance))
    return Story(badges, chapters, counts["duplicates"], counts["displaced"], frozenset(contradictions))


def ending(story: Story) -> Ending:
    """Apply each event in the order in which they happened, chapter by chapter: the run without faults."""
    latest: dict[tuple[int, Thing], News] = {}
    awards: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for chapter in story.chapters:
        for news in sorted(chapter, key=lambda each: each.stamp):
            key = news.learner, news.thing
            if key not in latest or latest[key].stamp < news.stamp:
                latest[key] = news
        has = {key for key, news in latest.items() if news.gained}
        for learner in sorted({learner for learner, _ in latest}):
            for badge in story.badges:
                had = [sum((learner, thing) in has for thing in group) for group in badge.groups]
                complete = all(number >= badge.needed for number in had)
                _collect(awards[name_of(learner), badge.name], complete)
    begun = _begun(news for chapter in story.chapters for news in chapter)
    fulfillments: dict[tuple[str, str, Thing], tuple[bool, str]] = {}
    since: dict[tuple[str, str, Thing], datetime] = {}
    for (learner, thing), news in latest.items():
        for badge in story.badges:
            if thing in badge.things:
                place = name_of(learner), badge.name, thing
                fulfillments[place] = news.gained, news.id
                if news.gained:
                    since[place] = begun[learner, thing]
    return Ending(fulfillments, {key: held for key, held in awards.items() if held}, since)


def _begun(events: Iterable[News]) -> dict[tuple[int, Thing], datetime]:
    """Return since when each learner has had each thing without losing it."""
    begun: dict[tuple[int, Thing], datetime] = {}
    for news in sorted(events, key=lambda each: each.stamp):
        if news.gained:
            begun.setdefault((news.learner, news.thing), news.time)
        else:
            begun.pop((news.learner, news.thing), None)
    return begun


def _collect(held: list[bool], complete: bool) -> None:
    if complete and not any(held):
        held.append(True)
    elif not complete and any(held):
        held[-1] = False


def _chapter(
    number: int, things: Sequence[Thing], learners: int, start: datetime, chance: random.Random
) -> Iterator[News]:
    for learner in range(1, learners + 1):
        gains = number == 0 or chance.random() < 0.5
        share = 0.5 if number == 0 else 0.3
        for thing in things:
            if chance.random() < share and (gains or thing.can_be_lost):
                time = start + CHAPTER * chance.random()
                yield News(_identity(chance), time, learner, thing, gains)


def _with_swings(
    events: Sequence[News], number: int, badges: Sequence[Badge], start: datetime, chance: random.Random
) -> list[News]:
    """Insert three events in a row of each learner who swings. They are about the only thing of the second badge."""
    thing = badges[min(1, len(badges) - 1)].things[0]
    at: dict[int, list[News]] = defaultdict(list)
    for place in range(SWINGS):
        learner = FIRST_SWINGING + number * SWINGS + place
        times = [start + timedelta(seconds=second) for second in range(3)]
        swing = [News(_identity(chance), time, learner, thing, gained=time != times[1]) for time in times]
        at[chance.randrange(len(events) + 1)] += swing
    return [news for place in range(len(events) + 1) for news in [*at[place], *events[place : place + 1]]]


def refused(story: Story, events: Sequence[News], numbers: Iterator[int], chance: random.Random) -> list[News]:
    """Return the events with others among them that must fail: who passes there is refused the first badge."""
    mixed: list[News] = []
    for place, news in enumerate(events):
        mixed.append(news)
        if place % REFUSED_EVERY == REFUSED_EVERY // 2:
            learner = FIRST_REFUSED + next(numbers)
            mixed.append(News(_identity(chance), news.time, learner, story.badges[0].things[0], gained=True))
    return mixed


def _contradiction(news: News, chance: random.Random) -> News:
    """Return older news that contradict ``news`` and must be ignored."""
    older = news.time - timedelta(seconds=chance.randint(1, 600))
    gained = not news.gained if news.thing.can_be_lost else news.gained
    return News(_identity(chance), older, news.learner, news.thing, gained)


def _identity(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _some(events: Iterable[News], share: float, chance: random.Random) -> list[News]:
    return [news for news in events if chance.random() < share]


def _displaced(events: Sequence[News], chance: random.Random) -> list[News]:
    places = [
        (index - chance.randint(1, DISPLACEMENT) if chance.random() < DISPLACED else index, index)
        for index in range(len(events))
    ]
    return [events[index] for _, index in sorted(places)]


def _shuffled_in(events: Sequence[News], more: Sequence[News], chance: random.Random) -> list[News]:
    """Insert duplicates of this chapter's events. A duplicate may come before the first copy."""
    places = [(float(index), news) for index, news in enumerate(events)]
    places += [(chance.uniform(0, len(events)), news) for news in more]
    return [news for _, news in sorted(places, key=lambda place: place[0])]
