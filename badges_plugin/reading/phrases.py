"""Sentences in parts: what is asked for, how often, when, and the sentence of a whole group. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from badges_plugin.reading import wordings
from badges_plugin.reading.words import day_and_time, join_list, join_sentences
from badges_plugin.times import day_text, site_day, site_midnight

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Sentence  # what gettext_lazy returns, for type checkers only


@dataclass(frozen=True)
class Period:
    start: datetime | None = None
    end: datetime | None = None

    def applied_to(self, sentence: str) -> str:
        """Return the sentence with the period. Whole days are told as days, where the site is."""
        if self.start and self.end:
            # "Before 1 July" of a period that begins on a day is "until 30 June" to people.
            last = day_text(self.end - timedelta(microseconds=1)) if _is_midnight(self.end) else _moment(self.end)
            pattern = _("%(what)s, between %(start)s and %(end)s")
            return pattern % {"what": sentence, "start": _moment(self.start), "end": last}
        if self.start:
            return _("%(what)s, not before %(start)s") % {"what": sentence, "start": _moment(self.start)}
        if self.end:
            return _("%(what)s, before %(end)s") % {"what": sentence, "end": _moment(self.end)}
        return sentence


@dataclass(frozen=True)
class Courses:
    """Which courses are meant: by their names, of an organization, by a pattern of keys, or any."""

    names: tuple[str, ...] = ()
    org: str = ""
    pattern: str = ""
    runs_of: str = ""
    """The name of a course, any run of which is meant."""


@dataclass(frozen=True)
class Phrase:
    """A sentence in parts, so that those of a group can be made one."""

    wording: wordings.CourseWording | wordings.LossWording | None
    courses: Courses = Courses()
    count: int = 1
    counts_courses: bool = False
    text: str = ""
    """The sentence where there is no wording."""
    grade: str = ""
    period: Period = Period()
    others: str = ""
    """The rules that the wording does not say."""

    def __str__(self) -> str:
        sentence = self._about_courses() if self.wording else self.text
        if self.others:
            sentence = _("%(what)s (%(rules)s)") % {"what": sentence, "rules": self.others}
        return self.period.applied_to(sentence)

    def _about_courses(self) -> str:
        courses = self.courses
        values = {
            "course": courses.names[0] if courses.names else courses.runs_of,
            "courses": join_list(courses.names),
            "org": courses.org,
            "pattern": courses.pattern,
            "grade": self.grade,
            "count": self.count,
        }
        sentence = self._form() % values
        return sentence if self.counts_courses else times(sentence, self.count)

    def _form(self) -> Sentence:
        wording, courses = self.wording, self.courses
        if wording is None:
            raise ValueError("The phrase has no wording.")
        if isinstance(wording, wordings.CourseWording) and self.counts_courses:
            forms = (wording.at_least, wording.different_of_org, wording.different_like, wording.different)
        else:
            listed = wording.one if len(courses.names) == 1 else wording.any_of
            forms = (listed, wording.of_org, wording.like, wording.any)
        if courses.names:
            return forms[0]
        if courses.runs_of:
            return wording.run_of
        if courses.org:
            return forms[1]
        return forms[2] if courses.pattern else forms[3]


def group_sentence(phrases: Sequence[Phrase], needed: int) -> str:
    """Return one sentence for requirements of which some are enough."""
    if len(phrases) == 1:
        return str(phrases[0])
    if merged := _merged(phrases, needed):
        return str(merged)
    listed = join_sentences(str(each) for each in phrases)
    if needed == 1:
        return _("One of these: %(requirements)s") % {"requirements": listed}
    if needed >= len(phrases):
        return _("All of these: %(requirements)s") % {"requirements": listed}
    text = ngettext(
        "At least %(needed)d of these: %(requirements)s", "At least %(needed)d of these: %(requirements)s", needed
    )
    return text % {"needed": needed, "requirements": listed}


def times(sentence: str, count: int) -> str:
    """Return what is asked for so many times."""
    if count == 1:
        return sentence
    text = ngettext("%(what)s, %(count)d time", "%(what)s, %(count)d times", count)
    return text % {"what": sentence, "count": count}


def _merged(phrases: Sequence[Phrase], needed: int) -> Phrase | None:
    """Return one phrase for requirements that differ in their courses only, or None."""
    first = phrases[0]
    if not isinstance(first.wording, wordings.CourseWording):
        return None
    for each in phrases:
        is_alike = replace(each, courses=first.courses) == first
        if not is_alike or len(each.courses.names) != 1 or each.count != 1:
            return None
    names = tuple(name for each in phrases for name in each.courses.names)
    return replace(first, courses=Courses(names=names), count=needed, counts_courses=needed > 1)


def _moment(moment: datetime) -> str:
    return day_text(moment) if _is_midnight(moment) else day_and_time(moment)


def _is_midnight(moment: datetime) -> bool:
    """Whether a day begins then where the site is."""
    return site_midnight(site_day(moment)) == moment
