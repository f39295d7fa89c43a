"""Read the fields of the form: a setup as far as they say one, and what is to be corrected in them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from django.contrib.sites.models import Site
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from badges_plugin import catalog
from badges_plugin.criteria import MAX_COUNT
from badges_plugin.reading.asking import DAYS_OF_A_YEAR
from badges_plugin.setting_values import MAX_DAYS
from badges_plugin.times import EARLIEST_YEAR
from badges_plugin.web.desk.badge import choosing
from badges_plugin.web.desk.badge.choosing import Option
from badges_plugin.web.desk.badge.fields import (
    ALL,
    EVER,
    STAFF,
    YEARS,
    BadgeFields,
    BlockFields,
    LineFields,
    text_id,
)
from badges_plugin.web.desk.badge.setup import Block, Kind, Line, Setup, Stored, Terms

MAX_NAME = 255
_MAX_GRADE = 1000  # grades over 100 % exist where assignments weigh more together


@dataclass(frozen=True)
class Problem:
    """Something to correct: the id of its field, and a sentence. ``is_empty``: something is only missing."""

    field: str
    text: str
    is_empty: bool = False


@dataclass
class Checked:
    """What the form says. Lines that are not finished are not in ``setup``."""

    setup: Setup
    problems: list[Problem] = field(default_factory=list)
    options: dict[str, tuple[Option, ...]] = field(default_factory=dict)
    """What was found for a text that is no key, by the id of its field."""
    chosen: dict[str, Option] = field(default_factory=dict)
    """What was chosen, by the id of the field."""
    valid_days: int | None = None
    unfinished: int = 0
    """Lines that are not finished."""

    @property
    def named_problem(self) -> Problem | None:
        """Return what is wrong with the name: without one not even a draft can be kept."""
        return next((problem for problem in self.problems if problem.field == "name"), None)


def check(fields: BadgeFields, site: Site | None, *, but: int | None = None) -> Checked:
    """Return what the fields say. ``but``: the primary key of the badge itself, which cannot ask for itself.

    One query for each text that is no key or title, and three for the titles of what was chosen.
    """
    return _Check(fields, site, but).checked()


class _Check:
    def __init__(self, fields: BadgeFields, site: Site | None, but: int | None) -> None:
        self._fields, self._site, self._but = fields, site, but
        self._found = Checked(Setup())
        self._place: dict[str, tuple[Kind, str]] = {}

    def checked(self) -> Checked:
        self._name()
        blocks = () if self._fields.how == STAFF else tuple(self._blocks())
        terms = self._terms()
        self._found.valid_days = self._valid_days()
        self._found.setup = Setup(blocks, terms)
        self._put_titles()
        return self._found

    def _problem(self, field: str, text: str, *, is_empty: bool = False) -> None:
        self._found.problems.append(Problem(field, text, is_empty))

    def _name(self) -> None:
        name = self._fields.name.strip()
        if not name:
            self._problem("name", _("The name is missing."), is_empty=True)
        elif len(name) > MAX_NAME or len(name.splitlines()) > 1:
            self._problem("name", _("A name has at most %d letters, in one line.") % MAX_NAME)
        elif any(unicodedata.category(letter) == "Cc" for letter in name):  # others join letters, say, and are meant
            self._problem("name", _("The name has a character that cannot be shown. Type it again."))

    def _blocks(self) -> Iterator[Block]:
        for number, block in enumerate(self._fields.blocks, 1):
            lines = tuple(self._lines(number, block))
            if not block.lines:
                self._problem(f"b{number}", _("Say what learners must do."), is_empty=True)
            needed = self._needed(number, block)
            if lines:
                yield Block(lines, needed, _key(block.group))

    def _lines(self, number: int, block: BlockFields) -> Iterator[Stored]:
        seen: set[tuple[Kind, str, float | None]] = set()
        for place, fields in enumerate(block.lines, 1):
            line = self._line(number, place, fields)
            if line is None:
                self._found.unfinished += 1
                continue
            same = (line.kind, line.value, line.grade)
            if same in seen:
                self._problem(text_id(number, place), _("This is in the block twice."))
            seen.add(same)
            yield Stored(line, _key(fields.requirement))

    def _line(self, number: int, place: int, fields: LineFields) -> Line | None:
        where = text_id(number, place)
        value = self._value(where, fields)
        grade, count = self._grade(number, place, fields), self._count(number, place, fields)
        if not value or (fields.kind is Kind.GRADE and grade is None) or count is None:
            return None
        self._place[where] = (fields.kind, value)
        return Line(fields.kind, value, grade, count)

    def _value(self, where: str, fields: LineFields) -> str:
        """Return what the line is about; without JavaScript a text may first find things to choose from."""
        if fields.value and (value := choosing.chosen(fields.kind, fields.value, but=self._but)):
            return value
        reading = choosing.read(fields.kind, fields.text, self._site, but=self._but)
        if reading.problem:
            self._problem(where, reading.problem, is_empty=not fields.text.strip())
            self._found.options[where] = reading.options
        return reading.value

    def _grade(self, number: int, place: int, fields: LineFields) -> float | None:
        if fields.kind is not Kind.GRADE:
            return None
        try:
            grade = float(fields.grade.strip().replace(",", "."))
        except ValueError:
            grade = 0.0
        if not 0 < grade <= _MAX_GRADE:  # "nan" is neither
            self._problem(f"b{number}-{place}-grade", _("Enter a grade in percent, such as 80."))
            return None
        return round(grade, 4)

    def _count(self, number: int, place: int, fields: LineFields) -> int | None:
        if fields.kind is not Kind.ORG:
            return 1
        if not fields.count.isdecimal() or len(fields.count) > 6 or not 1 <= int(fields.count) <= MAX_COUNT:
            self._problem(f"b{number}-{place}-count", _("Enter a number from 1 to %d.") % MAX_COUNT)
            return None
        return int(fields.count)

    def _needed(self, number: int, block: BlockFields) -> int | None:
        if block.mode == ALL:
            return None
        needed = int(block.needed) if block.needed.isdecimal() and len(block.needed) < 4 else 0
        if needed < 1:
            self._problem(f"b{number}-needed", _("Enter how many are enough, at least 1."))
            return 1
        if needed > len(block.lines):
            text = ngettext(
                "Any %(needed)d of %(lines)d: take fewer or add a line.",
                "Any %(needed)d of %(lines)d: take fewer or add a line.",
                needed,
            )
            self._problem(f"b{number}-needed", text % {"needed": needed, "lines": len(block.lines)})
        return needed

    def _terms(self) -> Terms:
        start, last = self._day("start"), self._day("last")
        if start and last and last < start:
            self._problem("last", _("The last day is before the first."))
        return Terms(start, last, self._fields.lost_by_failing, self._fields.lost_with_certificate)

    def _day(self, name: str) -> date | None:
        text = str(getattr(self._fields, name)).strip()
        if not text:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = date.min
        if not EARLIEST_YEAR <= day.year < date.max.year:
            self._problem(name, _("“%s” is not a day; write it like 2027-06-01.") % text)
            return None
        return day

    def _valid_days(self) -> int | None:
        if self._fields.valid == EVER:
            return None
        number = self._fields.valid_number.strip()
        days = int(number) if number.isdecimal() and len(number) < 7 else 0
        days *= DAYS_OF_A_YEAR if self._fields.valid_unit == YEARS else 1
        if not 1 <= days <= MAX_DAYS:
            self._problem("valid_number", _("Enter how long the badge is valid, at most %d days.") % MAX_DAYS)
            return None
        return days

    def _put_titles(self) -> None:
        known = choosing.titles(set(self._place.values()), self._site)
        for where, (kind, value) in self._place.items():
            self._found.chosen[where] = known.get((kind, value), Option(value, value))


def warnings_of(checked: Checked, site: Site | None, today: date) -> Iterator[str]:
    """Yield what is allowed but may not be meant, by the catalog. Two queries at most."""
    lines = [stored.line for stored in checked.setup.lines]
    keys = {line.value for line in lines if line.kind in (Kind.COURSE, Kind.GRADE)}
    if keys and catalog.is_filled():
        runs = catalog.course_runs(keys, site)
        for key in sorted(keys):
            run = runs.get(key)
            if run is None:
                yield _("%s is not in the list of courses: check the spelling.") % key
            elif run.ends_at is not None and run.ends_at.date() < today:
                yield _("%s is over.") % (run.title or key)
    last = checked.setup.terms.last
    if last is not None and last < today:
        yield _("The last day is over: nobody new can get the badge.")


def _key(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None
