"""The sentence of one requirement or penalty, from its event type and its compiled rules. Pure: knows no database."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from opaque_keys.edx.keys import CourseKey

from badges_plugin import events
from badges_plugin.data import EVENT_TIME, ValueKind
from badges_plugin.exceptions import UnusableEventType
from badges_plugin.reading import wordings
from badges_plugin.reading.phrases import Courses, Period, Phrase, times
from badges_plugin.reading.words import event_label, join_and
from badges_plugin.rules import Operator, Rule

PROGRAM_KEY_PATH = "program.uuid"

_ORG = re.compile(r"course-v1:(?P<org>[^+*?]+)\+\*?")
_RUNS = re.compile(r"course-v1:(?P<course>[^+*?]+\+[^+*?]+)\+\*?")
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
    if program := _program(facts, rest, titles):
        return Phrase(None, text=program, period=period)
    if counted := _counted(facts):
        return Phrase(None, text=counted, period=period, others=_others(facts, rest))
    found = _about_courses(facts, rest, titles)
    if found is None:
        return Phrase(None, text=_fallback(facts, _others(facts, rest)), period=period)
    return replace(found, period=period)


def _program(facts: Facts, rules: Sequence[Rule], titles: Mapping[str, str]) -> str:
    """Return the sentence of an event about one program, and of nothing else."""
    sentence, named = wordings.PROGRAMS.get(facts.event_type), programs_in(facts)
    if sentence is None or len(rules) != 1 or len(named) != 1 or facts.count != 1 or facts.counted_by:
        return ""
    (program,) = named
    return sentence % {"program": titles.get(program, program)}


def rule_key(rule: Rule) -> str:
    """Return what tells the rules of one condition apart."""
    return "\n".join(rule.canonical)


def courses_in(facts: Facts) -> set[str]:
    """Return the keys of courses whose titles a sentence would say."""
    named = [rule for rule in facts.rules or () if rule.equal_to and is_course_path(facts.event_type, rule.key_path)]
    return {str(value) for rule in named for value in rule.equal_to or ()}


def whole_courses_in(facts: Facts) -> set[str]:
    """Return the keys of courses, such as "Org+Course", any run of which is meant."""
    named = [rule for rule in facts.rules or () if is_course_path(facts.event_type, rule.key_path)]
    return {found["course"] for rule in named if (found := _RUNS.fullmatch(_pattern(rule)))}


def programs_in(facts: Facts) -> set[str]:
    """Return the UUIDs of programs that rules name."""
    if facts.event_type not in wordings.PROGRAMS:
        return set()
    named = [rule for rule in facts.rules or () if rule.key_path == PROGRAM_KEY_PATH]
    return {str(value) for rule in named for value in rule.equal_to or ()}


def is_course_path(event_type: str, key_path: str) -> bool:
    """Whether values at the key path are keys of courses."""
    try:
        cls = events.get_event_type(event_type).classes.get(key_path)
    except UnusableEventType:  # of an older or newer openedx-events: go by the name
        return key_path.rpartition(".")[2] == "course_key"
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
    if wording is None or (facts.counted_by and not is_course_path(facts.event_type, facts.counted_by)):
        return None
    courses = Courses()
    for rule in rest:
        is_one = facts.count == 1
        found = _courses(rule, titles, is_one=is_one) if is_course_path(facts.event_type, rule.key_path) else None
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
                return wordings.REACH_GRADE, percent(rule.wanted), [other for other in rules if other is not rule]
        return None, "", list(rules)
    if facts.event_type == wordings.GRADE:
        for rule in rules:
            if rule.key_path == "percent_grade" and rule.operator is Operator.LESS:
                return wordings.MISS_GRADE, percent(rule.wanted), [other for other in rules if other is not rule]
    table = wordings.LOSS_WORDINGS if facts.is_penalty else wordings.COURSE_WORDINGS
    return table.get(facts.event_type), "", list(rules)


def _courses(rule: Rule, titles: Mapping[str, str], *, is_one: bool) -> Courses | None:
    """Return which courses a rule means; None for what no wording says, such as all but one."""
    if rule.equal_to is not None:
        return Courses(names=tuple(sorted(titles.get(str(key), str(key)) for key in rule.equal_to)))
    pattern = _pattern(rule)
    if not pattern:
        return None
    if found := _ORG.fullmatch(pattern):
        return Courses(org=found["org"])
    runs = _RUNS.fullmatch(pattern) if is_one else None
    return Courses(runs_of=titles.get(runs["course"], runs["course"])) if runs else Courses(pattern=pattern)


def _pattern(rule: Rule) -> str:
    """Return the pattern of the texts that a rule means, nothing where it has none."""
    match rule.operator:
        case Operator.STARTS_WITH:
            return f"{rule.wanted}*"
        case Operator.MATCHES:
            return str(rule.wanted)
        case Operator.CONTAINS:
            return f"*{rule.wanted}*"
        case _:
            return ""


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


def percent(wanted: object) -> str:
    """Return "80%" for 0.8, as grades travel."""
    number = round(float(wanted) * 100, 2) if isinstance(wanted, int | float) else 0
    return _("%(number)s%%") % {"number": number_format(int(number) if number == int(number) else number)}
