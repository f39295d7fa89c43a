"""The drill's story and how it has to end: the ruler by which the drill measures, so measured first."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from datetime import UTC, datetime

import pytest

from sandbox.drills.bus_history import (
    Badge,
    News,
    Story,
    Thing,
    catalog,
    ending,
    is_swinging,
    name_of,
    refused,
    tell,
)

COURSE = Thing("passing", "course-v1:Demo+1+1")
OTHER = Thing("enrollment", "course-v1:Demo+2+1")
ALONE = Badge("alone", ((COURSE,),))
BOTH = Badge("both", ((COURSE,), (OTHER,)))
EITHER = Badge("either", ((COURSE, OTHER),))
THIRD = Thing("passing", "course-v1:Demo+3+1")
ANY_TWO = Badge("any two", ((COURSE, OTHER, THIRD),), needed=2)


def news(minute: int, thing: Thing = COURSE, *, gained: bool = True) -> News:
    return News(f"{minute}", datetime(2026, 1, 1, 0, minute, tzinfo=UTC), 1, thing, gained)


LOST, REGAINED = news(2, gained=False), news(3)

ENDINGS: list[tuple[Badge, list[list[News]], list[bool]]] = [
    (ALONE, [[news(1)]], [True]),
    (ALONE, [[news(1), news(1)]], [True]),
    (ALONE, [[news(1)], [LOST]], [False]),
    (ALONE, [[news(1)], [LOST], [REGAINED]], [False, True]),
    # Sent last, but older than what is known.
    (ALONE, [[news(3)], [LOST]], [True]),
    (ALONE, [[LOST]], []),
    (ALONE, [[LOST], [news(1)]], []),
    (BOTH, [[news(1)]], []),
    (BOTH, [[news(1)], [news(2, OTHER)]], [True]),
    (BOTH, [[news(1), news(1, OTHER)], [LOST]], [False]),
    (EITHER, [[news(1)]], [True]),
    (EITHER, [[news(1), news(1, OTHER)], [LOST]], [True]),
    (ANY_TWO, [[news(1), news(2, THIRD)]], [True]),
    # The same course twice is one course.
    (ANY_TWO, [[news(1), news(3)]], []),
    # Two of the three are left, or only one; a course in place of the lost one.
    (ANY_TWO, [[news(1), news(1, OTHER), news(1, THIRD)], [LOST]], [True]),
    (ANY_TWO, [[news(1), news(1, OTHER)], [LOST]], [False]),
    (ANY_TWO, [[news(1), news(1, OTHER)], [LOST], [news(3, THIRD)]], [False, True]),
]


@pytest.mark.parametrize(("badge", "chapters", "held"), ENDINGS)
def test_the_ending(badge: Badge, chapters: list[list[News]], held: list[bool]) -> None:
    assert ending(Story([badge], chapters, 0, 0, ())).awards.get(("learner-1", badge.name), []) == held


@pytest.mark.parametrize(
    ("chapter", "since"),
    [
        ([news(1)], news(1)),
        ([news(3), news(1)], news(1)),
        ([news(1), LOST], None),
        # Lost at 2, whenever that is told.
        ([news(1), LOST, REGAINED], REGAINED),
        ([news(1), news(5), REGAINED, LOST], REGAINED),
    ],
)
def test_since_when_a_thing_is_held(chapter: list[News], since: News | None) -> None:
    expected = ending(Story([ALONE], [chapter], 0, 0, ())).since
    assert list(expected.values()) == ([] if since is None else [since.time])


def make_story(seed: int) -> Story:
    return tell(catalog("course-v1:Demo+1+1"), learners=260, chance=random.Random(seed))  # noqa: S311 - repeatable, not secret


@pytest.mark.parametrize("seed", range(3))
def test_a_story_has_what_a_drill_promises(seed: int) -> None:
    story = make_story(seed)
    sent = [each for chapter in story.chapters for each in chapter]
    assert len(sent) >= 5000
    times_sent = Counter(each.id for each in sent)
    repeated = sent.__len__() - len(times_sent)
    assert repeated == story.duplicates
    assert story.duplicates >= 0.1 * len(times_sent)
    assert story.out_of_order >= 0.1 * len(times_sent)
    # Awards, revocations and badges earned again.
    assert {(True,), (False,), (False, True)} <= {tuple(held) for held in ending(story).awards.values()}


def test_within_a_chapter_a_learner_only_gains_or_only_loses() -> None:
    """Else awards would depend on the order of arrival, and differ without anybody's fault."""
    known: dict[tuple[int, Thing], News] = {}
    for chapter in make_story(1).chapters:
        fresh = [
            each for each in chapter if (old := known.get((each.learner, each.thing))) is None or old.stamp < each.stamp
        ]
        ways: dict[int, set[bool]] = {}
        for each in fresh:
            if is_swinging(name_of(each.learner)):
                continue
            ways.setdefault(each.learner, set()).add(each.gained)
            known[each.learner, each.thing] = each
        assert all(len(way) == 1 for way in ways.values())


def test_the_same_seed_tells_the_same_story() -> None:
    first, second = make_story(5), make_story(5)
    assert [[each.id for each in chapter] for chapter in first.chapters] == [
        [each.id for each in chapter] for chapter in second.chapters
    ]


def test_some_pass_fail_and_pass_again_in_a_row() -> None:
    for chapter in make_story(2).chapters:
        swinging = [each for each in chapter if is_swinging(name_of(each.learner))]
        assert swinging
        for learner in {each.learner for each in swinging}:
            first = next(place for place, each in enumerate(chapter) if each.learner == learner)
            row = chapter[first : first + 3]
            assert [(each.learner, each.gained) for each in row] == [(learner, True), (learner, False), (learner, True)]
            assert [each.stamp for each in row] == sorted(each.stamp for each in row)


def test_every_batch_of_a_hundred_has_an_event_that_must_fail() -> None:
    story = make_story(3)
    numbers, chance = itertools.count(1), random.Random(3)  # noqa: S311 - repeatable, not secret
    mixed = refused(story, story.chapters[0], numbers, chance)
    assert [each for each in mixed if not name_of(each.learner).startswith("refused")] == story.chapters[0]
    for start in range(len(mixed) - 100):
        assert any(name_of(each.learner).startswith("refused") for each in mixed[start : start + 100])
    # Each of them is of a learner of its own, so that as many fail.
    assert len(mixed) - len(story.chapters[0]) == next(numbers) - 1
