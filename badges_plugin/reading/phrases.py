"""One requirement or penalty in a sentence, from its event type and its compiled rules. Pure: knows no database."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from opaque_keys.edx.keys import CourseKey

from badges_plugin import events
from badges_plugin.data import ValueKind
from badges_plugin.exceptions import UnusableEventType
from badges_plugin.reading import wordings
from badges_plugin.reading.words import day, day_and_time, event_label, join_and, join_list, join_sentences
from badges_plugin.rules import Operator, Rule
from badges_plugin.times import site_day, site_midnight

if TYPE_CHECKING:
    from badges_plugin.reading.wordings import Sentence

EVENT_TIME = "event.time"
"""The key path of the time at which an event happened."""

_ORG = re.compile(r"course-v1:(?P<org>[^+*?]+)\+\*?")
_FROM = (Operator.GREATER, Operator.GREATER_OR_EQUAL)
_UNTIL = (Operator.LESS, Operator.LESS_OR_EQUAL)


@dataclass(frozen=True)
class Facts:
    """What a requirement or penalty says, as far as a sentence goes by it."""

    event_type: str
    rules: Sequence[Rule] | None
    """None where they cannot be used: then ``written`` says what they are."""
    written: str
    """The rules in words, one by one."""
    said: Mapping[str, str] = field(default_factory=dict)
    """The rules in words, by ``rule_key``."""
    description: str = ""
    """Staff's own words: they win."""
    is_penalty: bool = False
    count: int = 1
    counted_by: str = ""
    needs_badge: str = ""
    """The name of a badge that is needed."""


@dataclass(frozen=True)
class Period:
    start: datetime | None = None
    end: datetime | None = None

    def applied_to(self, sentence: str) -> str:
        """Return the sentence with the period. Whole days are told as days, where the site is."""
        if self.start and self.end:
            # "Before 1 July" of a period that begins on a day is "until 30 June" to people.
            last = day(self.end - timedelta(microseconds=1)) if _is_midnight(self.end) else _moment(self.end)
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
            "course": courses.names[0] if courses.names else "",
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
        if courses.org:
            return forms[1]
        return forms[2] if courses.pattern else forms[3]


def phrase(facts: Facts, titles: Mapping[str, str]) -> Phrase:
    """Return what a requirement or penalty asks for. ``titles`` are names of courses by key, where they are known."""
    if facts.description:
        return Phrase(None, text=facts.description)
    if facts.needs_badge:
        return Phrase(None, text=_("Earn the badge “%(badge)s”") % {"badge": facts.needs_badge})
    rules = facts.rules
    if rules is None:
        return Phrase(None, text=_fallback(facts, facts.written))
    period, rest = _period(rules)
    if counted := _counted(facts):
        return Phrase(None, text=counted, period=period, others=_others(facts, rest))
    found = _about_courses(facts, rest, titles)
    if found is None:
        return Phrase(None, text=_fallback(facts, _others(facts, rest)), period=period)
    return replace(found, period=period)


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


def rule_key(rule: Rule) -> str:
    """Return what tells the rules of one condition apart."""
    return "\n".join(rule.canonical)


def courses_in(facts: Facts) -> set[str]:
    """Return the keys of courses whose titles a sentence would say."""
    named = [rule for rule in facts.rules or () if rule.equal_to and is_course_path(facts.event_type, rule.key_path)]
    return {str(value) for rule in named for value in rule.equal_to or ()}


def is_course_path(event_type: str, key_path: str) -> bool:
    """Whether values at the key path are keys of courses."""
    try:
        cls = events.get_event_type(event_type).classes.get(key_path)
    except UnusableEventType:
        return False
    return cls is not None and issubclass(cls, CourseKey)


def _period(rules: Sequence[Rule]) -> tuple[Period, list[Rule]]:
    """Return the period, and the other rules. What is no period is left among them."""
    starts, ends, rest = [], [], []
    for rule in rules:
        if rule.key_path == EVENT_TIME and isinstance(rule.wanted, datetime) and rule.operator in _FROM:
            starts.append(rule.wanted)
        elif rule.key_path == EVENT_TIME and isinstance(rule.wanted, datetime) and rule.operator in _UNTIL:
            ends.append(rule.wanted)
        else:
            rest.append(rule)
    return Period(max(starts, default=None), min(ends, default=None)), rest


def _counted(facts: Facts) -> str:
    """Return the sentence of an event type that has one of its own and no wording about courses."""
    forms = wordings.COUNTED.get(facts.event_type)
    if forms is None or facts.is_penalty or facts.counted_by:
        return ""
    once, many = forms
    return str(once) if facts.count == 1 else many % {"count": facts.count}


def _about_courses(facts: Facts, rules: Sequence[Rule], titles: Mapping[str, str]) -> Phrase | None:
    """Return the phrase of an event type that is about courses and has a wording, or None."""
    wording, grade, rest = _wording(facts, rules)
    counts_courses = facts.count > 1 and is_course_path(facts.event_type, facts.counted_by)
    if wording is None or (facts.counted_by and not counts_courses):
        return None
    courses = Courses()
    for rule in rest:
        found = _courses(rule, titles) if is_course_path(facts.event_type, rule.key_path) else None
        if found is not None:
            courses, rest = found, [other for other in rest if other is not rule]
            break
    return Phrase(wording, courses, facts.count, counts_courses, grade=grade, others=_others(facts, rest))


def _wording(
    facts: Facts, rules: Sequence[Rule]
) -> tuple[wordings.CourseWording | wordings.LossWording | None, str, list[Rule]]:
    """Return the wording, the grade that it names, and the rules that it does not say."""
    if facts.event_type in wordings.PASSING_STATUS:
        # By what satisfies it, not by how it is written: "not equal to false" is passing, too.
        said = [rule for rule in rules if rule.key_path == "is_passing" and rule.kind is ValueKind.BOOLEAN]
        outcomes = {(rule.wanted is True) is (rule.operator is Operator.EQUAL) for rule in said}
        rest = [rule for rule in rules if rule not in said]
        if outcomes == {not facts.is_penalty}:
            return (wordings.FAIL if facts.is_penalty else wordings.PASS), "", rest
        return None, "", rest
    if facts.event_type == wordings.GRADE and not facts.is_penalty:
        for rule in rules:
            if rule.key_path == "percent_grade" and rule.operator is Operator.GREATER_OR_EQUAL:
                return wordings.REACH_GRADE, _percent(rule.wanted), [other for other in rules if other is not rule]
        return None, "", list(rules)
    table = wordings.LOSS_WORDINGS if facts.is_penalty else wordings.COURSE_WORDINGS
    return table.get(facts.event_type), "", list(rules)


def _courses(rule: Rule, titles: Mapping[str, str]) -> Courses | None:
    """Return which courses a rule means; None for what no wording says, such as all but one."""
    if rule.equal_to is not None:
        return Courses(names=tuple(sorted(titles.get(str(key), str(key)) for key in rule.equal_to)))
    wanted = str(rule.wanted)
    match rule.operator:
        case Operator.STARTS_WITH:
            pattern = f"{wanted}*"
        case Operator.MATCHES:
            pattern = wanted
        case Operator.CONTAINS:
            pattern = f"*{wanted}*"
        case _:
            return None
    found = _ORG.fullmatch(pattern)
    return Courses(org=found["org"]) if found else Courses(pattern=pattern)


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


def _others(facts: Facts, rules: Sequence[Rule]) -> str:
    return join_and(facts.said.get(rule_key(rule), "") for rule in rules)


def _fallback(facts: Facts, rules: str) -> str:
    """Return a sentence that names the event and its rules."""
    label = event_label(facts.event_type)
    sentence = _("%(event)s: %(rules)s") % {"event": label, "rules": rules} if rules else label
    if facts.is_penalty:
        return _("Lost on this event: %(event)s") % {"event": sentence}
    if facts.count > 1 and facts.counted_by:
        text = ngettext(
            "%(what)s, for %(count)d value of %(key_path)s",
            "%(what)s, for %(count)d different values of %(key_path)s",
            facts.count,
        )
        return text % {"what": sentence, "count": facts.count, "key_path": facts.counted_by}
    return times(sentence, facts.count)


def _percent(wanted: object) -> str:
    """Return "80%" for 0.8, as grades travel."""
    number = round(float(wanted) * 100, 2) if isinstance(wanted, int | float) else 0
    return _("%(number)s%%") % {"number": number_format(int(number) if number == int(number) else number)}


def _moment(moment: datetime) -> str:
    return day(moment) if _is_midnight(moment) else day_and_time(moment)


def _is_midnight(moment: datetime) -> bool:
    """Whether a day begins then where the site is."""
    return site_midnight(site_day(moment)) == moment
