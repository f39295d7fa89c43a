"""Progress and badges of learners become ours: those of one template, some learners at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.deletion import Collector

from badges_plugin.adoption import found
from badges_plugin.adoption.adopters import AdoptedBadge, Fate
from badges_plugin.adoption.found import FoundProgress
from badges_plugin.adoption.grouping import is_complete
from badges_plugin.adoption.people import People, people
from badges_plugin.adoption.report import ADOPTED, KNOWN, Finding, Kind, Report, Topic
from badges_plugin.adoption.templates import Plan, Setup
from badges_plugin.data import adopted_id
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, Fulfillment
from badges_plugin.processing import adopting

BATCH = 200
"""Learners who are written in one transaction."""

_REFUSED = {
    Topic.UNKNOWN: "of an unknown learner",
    Topic.RETIRED: "of a retired learner",
    Topic.OTHER_USER: "of another user of a learner",
}
_ADOPTED_AS = {
    Fate.ISSUED: "adopted",
    Fate.LOST: "adopted, perhaps never delivered",
    Fate.REVOKED: "adopted as revoked",
    Fate.REVOCATION_LOST: "adopted as revoked, perhaps not at the provider",
}
_ENDED = (Fate.REVOKED, Fate.REVOCATION_LOST)
_TOPICS = {Fate.LOST: Topic.LOST, Fate.REVOCATION_LOST: Topic.REVOCATION_LOST, Fate.NEVER_AWARDED: Topic.NEVER_AWARDED}


@dataclass
class _Here:
    """What is here already, by the key of the user."""

    fulfilled: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Requirements of which anything is known."""
    awarded: set[int] = field(default_factory=set)


def adopt(
    planned: Plan, badges: QuerySet[Any], report: Report, *, dry_run: bool, others: Collection[int] = frozenset()
) -> None:
    """Write what is known of the learners of a template, and report it. ``badges`` are the built-in app's badges of it.

    ``others`` is what ``people.others`` returns.
    Each batch is a transaction of its own, so it can be interrupted; what was adopted before is not again.
    """
    names = sorted(found.names_with_progress(planned.found.pk) | found.names_with_badges(badges))
    for some in _batches(names):
        with transaction.atomic():
            _adopt(planned, some, badges, report, people(some, others), dry_run=dry_run)


def _batches(names: Sequence[str]) -> Iterator[list[str]]:
    for begin in range(0, len(names), BATCH):
        yield list(names[begin : begin + BATCH])


def _adopt(
    planned: Plan, names: list[str], badges: QuerySet[Any], report: Report, known: People, *, dry_run: bool
) -> None:
    if not dry_run:
        held = adopting.hold(user.pk for user in known.users.values())
        known.users = {name: held[user.pk] for name, user in known.users.items()}
    here = _here(planned, known.users.values())
    progress = found.progress(planned.found.pk, names)
    badge_of = {badge.username: badge for badge in badges.filter(username__in=names).order_by("pk")}
    learners = [
        _Learner(planned, name, known, here, progress.get(name, []), badge_of.get(name), report) for name in names
    ]
    for learner in learners:
        learner.report_all()
    if not dry_run:
        _write(planned, learners)


def _write(planned: Plan, learners: Iterable[_Learner]) -> None:
    if planned.own is None:
        raise ValueError("The template is written before its learners.")
    pasts = [(learner, past) for learner in learners if (past := learner.past()) is not None]
    awards = adopting.adopt(planned.own, [past for _, past in pasts])
    given = [learner for learner, past in pasts if past.award is not None]
    adopted = [
        AdoptedBadge(award, learner.badge, learner.fate)
        for award, learner in zip(awards, given, strict=True)
        if learner.fate is not None
    ]
    if adopted:
        planned.adopter.adopt_badges(adopted)
        _leave_to_host([each.badge for each in adopted])


def _leave_to_host(badges: Sequence[Any]) -> None:
    """Delete the built-in app's part of badges; the host's user credentials, which are ours now, stay."""
    collector = Collector(using=badges[0]._state.db)  # noqa: SLF001  Django's documented name
    collector.collect(badges, keep_parents=True)
    collector.delete()


def _here(planned: Plan, users: Iterable[User]) -> _Here:
    here, keys = _Here(), [user.pk for user in users]
    if planned.own is None:
        return here
    fulfillments = Fulfillment.objects.filter(progress__template=planned.own.pk, progress__user__in=keys)
    for user_id, requirement_id in fulfillments.order_by().values_list("progress__user", "requirement"):
        here.fulfilled[user_id].add(requirement_id)
    awards = BadgeAward.objects.filter(progress__template=planned.own.pk, progress__user__in=keys)
    here.awarded.update(awards.order_by().values_list("progress__user", flat=True))
    return here


class _Learner:
    """What the built-in app knows of one learner and one template, and what becomes of it."""

    def __init__(
        self,
        planned: Plan,
        name: str,
        known: People,
        here: _Here,
        progress: Sequence[FoundProgress],
        badge: Any,
        report: Report,
    ) -> None:
        self.planned, self.name, self.progress, self.badge, self.report = planned, name, progress, badge, report
        self.user = known.users.get(name)
        self.refused = known.refused.get(name)
        self.fate: Fate | None = planned.adopter.fate(badge) if badge is not None else None
        self._fulfilled = here.fulfilled[self.user.pk] if self.user is not None else set()
        self._has_award = self.user is not None and self.user.pk in here.awarded

    @property
    def gets_award(self) -> bool:
        """Whether the badge becomes an award of ours."""
        return self.user is not None and self.fate in _ADOPTED_AS and not self._has_award

    def past(self) -> adopting.Past | None:
        """Return what is to be written; None if it is nothing."""
        if self.user is None:
            return None
        fulfillments = [
            adopting.PastFulfillment(self.planned.requirements[requirement_id], adopted_id(pk), self._time)
            for requirement_id, pk in self._new().items()
        ]
        award = None
        if self.gets_award:
            ended_at = self.badge.modified if self.fate in _ENDED else None
            award = adopting.PastAward(self.badge.pk, self.badge.created, ended_at)
            fulfillments += self._taken() if ended_at is not None else []
        return adopting.Past(self.user, fulfillments, award) if fulfillments or award else None

    @property
    def _time(self) -> datetime:
        """Return a time for what has none: that app was on then, so every event that it did not get is newer.

        The badge changes whenever a requirement is fulfilled; nothing was before there was the template.
        """
        moment: datetime = self.badge.modified if self.badge is not None else self.planned.found.created
        return moment

    def _taken(self) -> list[adopting.PastFulfillment]:
        """Return what a penalty may have taken from a learner whose badge was revoked: that app deleted it.

        So events that are older than that, and are heard late, award nothing.
        """
        done = {requirement_id for row in self.progress for _, requirement_id in row.fulfillments}
        penalized = {pk for penalty in self.planned.found.penalties for pk in penalty.requirement_ids}
        return [
            adopting.PastFulfillment(own, adopted_id(self.badge.pk), self.badge.modified, is_fulfilled=False)
            for requirement_id, own in self.planned.requirements.items()
            if requirement_id in penalized - done and own.pk not in self._fulfilled
        ]

    def _new(self) -> dict[int, int]:
        """Return the fulfillments that are not here yet: their keys by requirement of the built-in app."""
        new: dict[int, int] = {}
        for row in self.progress:
            for pk, requirement_id in row.fulfillments:
                if requirement_id in self.planned.matched and not self._is_here(requirement_id):
                    new.setdefault(requirement_id, pk)
        return new

    def _is_here(self, requirement_id: int | None) -> bool:
        own = self.planned.requirements.get(requirement_id) if requirement_id is not None else None
        return own is not None and own.pk in self._fulfilled

    def report_all(self) -> None:
        """Report each row once, and what somebody should look at."""
        if self.refused is not None:
            self._find(self.refused)
        self._report_progress()
        if self.badge is not None:
            self._report_badge()
        self._report_odd()

    def _report_progress(self) -> None:
        seen: set[int] = set()
        new, is_merged = self._new(), False
        for row in self.progress:
            outcomes = [self._outcome(pk, requirement_id, new, seen) for pk, requirement_id in row.fulfillments]
            for outcome in outcomes:
                self.report.count(Kind.FULFILLMENTS, outcome)
            if self.refused is not None:
                outcome = _REFUSED[self.refused]
            elif is_merged:
                outcome = "second record of a learner"
            else:
                outcome = next((each for each in (ADOPTED, KNOWN) if each in outcomes), "nothing to adopt")
            self.report.count(Kind.PROGRESS, outcome)
            is_merged = True

    def _outcome(self, pk: int, requirement_id: int | None, new: dict[int, int], seen: set[int]) -> str:
        if self.refused is not None:
            return _REFUSED[self.refused]
        if requirement_id is None:
            return "of a deleted requirement"
        if requirement_id not in self.planned.matched:
            return "of a requirement that is not copied"
        if requirement_id in seen:
            return "second one of a learner"
        seen.add(requirement_id)
        return ADOPTED if new.get(requirement_id) == pk else KNOWN

    def _report_badge(self) -> None:
        if self.refused is not None:
            outcome = _REFUSED[self.refused]
        elif self.fate is None or self.fate is Fate.NEVER_AWARDED:
            outcome = "never awarded"
        elif self._has_award:
            outcome = "the learner has one here"
            self._find(Topic.SECOND)
        else:
            outcome = _ADOPTED_AS[self.fate]
        self.report.count(Kind.BADGES, outcome)
        if (self.gets_award or self.fate is Fate.NEVER_AWARDED) and self.refused is None and self.fate in _TOPICS:
            self._find(_TOPICS[self.fate])

    def _report_odd(self) -> None:
        """Report where badge and progress disagree."""
        if self.refused is not None or self.planned.setup is Setup.IMPOSSIBLE or self.planned.setup is Setup.OWN:
            return
        done = frozenset(pk for row in self.progress for _, pk in row.fulfillments if pk is not None)
        is_done = is_complete(self.planned.needs, done)
        if self.gets_award:
            if self.fate not in _ENDED and not is_done:
                self._find(Topic.INCOMPLETE)
            if self.fate in _ENDED and is_done:
                self._find(Topic.STAYED_REVOKED)
        elif is_done and not self._has_award and self.fate in (None, Fate.NEVER_AWARDED):
            self._find(Topic.NO_BADGE)

    def _find(self, topic: Topic) -> None:
        external_id = self.planned.adopter.external_id(self.badge) if self.badge is not None else ""
        self.report.find(Finding(topic, self.planned.found.name, self.name, external_id))
