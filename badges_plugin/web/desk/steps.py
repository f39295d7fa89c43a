"""From the first step to the badge, and what takes longest, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from badges_plugin.counting import in_thousands
from badges_plugin.reading import Funnel, Pace

_DAY = timedelta(days=1)
_SOME = 3
"""Learners from which on a time says anything about a requirement."""


@dataclass(frozen=True)
class Step:
    """One step of the way: how many learners took it, and which part of all that is."""

    name: str
    learners: int
    percent: int
    share: str


@dataclass(frozen=True)
class PaceText:
    """How long one requirement takes, in words."""

    sentence: str
    time: str
    is_slowest: bool
    waiting: str


@dataclass(frozen=True)
class FunnelText:
    """The way to a badge. ``note`` says of whom it tells, where it is not all."""

    steps: tuple[Step, ...]
    paces: tuple[PaceText, ...]
    note: str


def steps_of(funnel: Funnel, providers: Sequence[str]) -> FunnelText:
    """Put the way to a badge in words. ``providers`` are those where learners accept it."""
    note = ""
    if funnel.is_sample:
        note = _(
            "%(number)s learners were looked at, chosen evenly among all who began. The shares of all are similar."
        )
        note %= {"number": in_thousands(funnel.learners)}
    steps = [
        Step(name, number, percent(number, funnel.learners), share(number, funnel.learners))
        for name, number in _steps(funnel, providers)
    ]
    return FunnelText(tuple(steps), tuple(_paces(funnel.paces)), note)


def percent(part: int, whole: int) -> int:
    """Return a part in per cent: 100 only of what is whole, and 0 only of nothing."""
    if not whole:
        return 0
    return 100 * part // whole if 2 * part > whole else -(-100 * part // whole)


def share(part: int, whole: int) -> str:
    """Return a part in per cent, as people write it; empty where there is no whole."""
    return _("%(number)s%%") % {"number": percent(part, whole)} if whole else ""


def _steps(funnel: Funnel, providers: Sequence[str]) -> Iterator[tuple[str, int]]:
    yield _("Began it"), funnel.learners
    number = len(funnel.reached) - 1
    for done, learners in enumerate(funnel.reached):
        if done:
            yield _("%(done)s of %(number)s done") % {"done": done, "number": number}, learners
    yield _("Have it now"), funnel.held
    if funnel.accepted is not None:
        yield _("Accepted it at %(provider)s") % {"provider": ", ".join(providers)}, funnel.accepted


def _paces(paces: Sequence[Pace]) -> Iterator[PaceText]:
    slowest = next((pace for pace in paces if pace.learners >= _SOME), None)
    others = [pace for pace in paces if pace is not slowest and pace.usual is not None]
    for pace in paces:
        is_slowest = pace is slowest and bool(others) and pace.usual is not None and pace.usual >= _DAY
        waiting = ngettext("%(count)s learner", "%(count)s learners", pace.waiting)
        yield PaceText(pace.sentence, _time(pace.usual), is_slowest, waiting % {"count": in_thousands(pace.waiting)})


def _time(usual: timedelta | None) -> str:
    if usual is None:
        return _("nobody did it yet")
    if usual < _DAY:
        return _("less than a day")
    return ngettext("%(count)s day", "%(count)s days", usual.days) % {"count": in_thousands(usual.days)}
