"""What the page of the form shows: its fields with their problems, and the column at the side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.sites.models import Site
from django.utils.translation import gettext as _

from badges_plugin import api
from badges_plugin.models import BadgeTemplate
from badges_plugin.times import site_day
from badges_plugin.web.desk.badge import dry_run, wording
from badges_plugin.web.desk.badge.checking import Checked, Problem, warnings_of
from badges_plugin.web.desk.badge.choosing import Option
from badges_plugin.web.desk.badge.dry_run import DryRun
from badges_plugin.web.desk.badge.fields import (
    ANY,
    LABELS,
    STAFF,
    BadgeFields,
    BlockFields,
    LineFields,
    is_only_given,
    text_id,
)
from badges_plugin.web.desk.badge.memory import made_of
from badges_plugin.web.desk.badge.setup import Kind

_LINE = re.compile(r"b(?P<block>\d+)-(?P<line>\d+)-")


@dataclass(frozen=True)
class LineView:
    """A line as it is shown. ``place`` is "1:2" for buttons, ``prefix`` "b1-2" for names of fields."""

    prefix: str
    place: str
    fields: LineFields
    chosen: Option | None
    options: Sequence[Option]
    problems: dict[str, str]
    is_next: bool

    @property
    def label(self) -> str:
        return str(LABELS[self.fields.kind])

    @property
    def text_id(self) -> str:
        return f"{self.prefix}-text"

    @property
    def problem(self) -> str:
        return self.problems.get(self.text_id, "")

    @property
    def grade_problem(self) -> str:
        return self.problems.get(f"{self.prefix}-grade", "")

    @property
    def count_problem(self) -> str:
        return self.problems.get(f"{self.prefix}-count", "")

    @property
    def hint(self) -> str:
        match self.fields.kind:
            case Kind.ORG:
                return _("The short name, as it stands in course keys; or paste the key of one of its courses.")
            case Kind.PROGRAM:
                return _("Type two letters of the name or paste the program’s UUID.")
            case Kind.BADGE:
                return _("Type a part of the name.")
            case _:
                return _("Type two letters of the name or paste the course’s key or address.")

    @property
    def what(self) -> str:
        """The name of the field."""
        names = {Kind.ORG: _("Organization"), Kind.PROGRAM: _("Program"), Kind.BADGE: _("Badge")}
        return names.get(self.fields.kind, _("Course"))


@dataclass(frozen=True)
class BlockView:
    number: int
    fields: BlockFields
    lines: Sequence[LineView]
    problem: str
    needed_problem: str
    is_open: bool
    """Whether what can be added is shown."""

    @property
    def asks_how_many(self) -> bool:
        return len(self.lines) > 1 or self.fields.mode == ANY


@dataclass(frozen=True)
class Aside:
    """The column at the side: what the form says, in words, and what follows from it."""

    sentence: str
    missing: Sequence[Problem]
    problems: Sequence[Problem]
    warnings: Sequence[str]
    dry_run: DryRun | None

    @property
    def is_fine(self) -> bool:
        return not (self.missing or self.problems)


def blocks(fields: BadgeFields, checked: Checked | None, focus: str, *, shows_missing: bool) -> Iterator[BlockView]:
    """Yield the blocks of the form. Without ``shows_missing`` an empty field is not yet called wrong."""
    problems: dict[str, str] = {}
    if checked is not None:
        told = [each for each in checked.problems if shows_missing or not each.is_empty]
        problems = {each.field: each.text for each in reversed(told)}
    for number, block in enumerate(fields.blocks, 1):
        lines = tuple(
            _line(fields, number, place, line, checked, problems, focus) for place, line in enumerate(block.lines, 1)
        )
        yield BlockView(
            number=number,
            fields=block,
            lines=lines,
            problem=problems.get(f"b{number}", ""),
            needed_problem=problems.get(f"b{number}-needed", ""),
            is_open=not lines or any(line.is_next for line in lines[1:]),
        )


def _line(
    fields: BadgeFields,
    number: int,
    place: int,
    line: LineFields,
    checked: Checked | None,
    problems: dict[str, str],
    focus: str,
) -> LineView:
    where = text_id(number, place)
    return LineView(
        prefix=f"b{number}-{place}",
        place=f"{number}:{place}",
        fields=line,
        chosen=checked.chosen.get(where) if checked is not None else None,
        options=checked.options.get(where, ()) if checked is not None else (),
        problems=problems,
        is_next=where == focus,
    )


def is_given_by_staff(fields: BadgeFields, stored: BadgeTemplate | None) -> bool:
    """Return what the form says; one that learners can earn besides stays so."""
    if fields.how == STAFF or stored is None:
        return fields.how == STAFF
    return stored.is_given_by_staff and not is_only_given(stored)


def described(fields: BadgeFields, checked: Checked, stored: BadgeTemplate | None, site: Site | None) -> BadgeTemplate:
    """Return the template as the form describes it, in memory. One query where other badges are asked for."""
    template = BadgeTemplate(
        pk=stored.pk if stored is not None else None,
        uuid=fields.uuid,
        site=stored.site if stored is not None else site,
        name=fields.name.strip() or _("This badge"),
        description=fields.description,
        valid_days=checked.valid_days,
        can_be_reawarded=fields.can_be_reawarded,
        is_given_by_staff=is_given_by_staff(fields, stored),
        renewal_days=stored.renewal_days if stored is not None else 0,
    )
    wanted = [int(stored.line.value) for stored in checked.setup.lines if stored.line.kind is Kind.BADGE]
    return made_of(template, checked.setup, BadgeTemplate.objects.in_bulk(wanted) if wanted else {})


def _placed(problem: Problem, fields: BadgeFields) -> str:
    """Return a problem with the place of its line, where there are several."""
    found = _LINE.match(problem.field)
    if found is None or len(fields.lines) == 1:
        return problem.text
    names = {"block": found["block"], "line": found["line"], "problem": problem.text}
    if len(fields.blocks) == 1:
        return _("Line %(line)s: %(problem)s") % names
    return _("Block %(block)s, line %(line)s: %(problem)s") % names


def problems_of(template: BadgeTemplate) -> list[str]:
    """Return why a template in memory could not be active."""
    return api.review_unsaved(template).problems


def aside(
    template: BadgeTemplate, fields: BadgeFields, checked: Checked, site: Site | None, now: Any, *, looks: bool
) -> Aside:
    """Return what stands at the side of the form. ``looks``: whether who would have the badge is looked up."""
    has_lines = bool(checked.setup.lines)
    is_whole = has_lines and not checked.unfinished
    review = api.review_unsaved(template)
    told = [replace(each, text=_placed(each, fields)) for each in checked.problems]
    problems = [each for each in told if not each.is_empty]
    missing = [each for each in told if each.is_empty]
    if not checked.problems:
        problems += [Problem("", text) for text in review.problems]
    return Aside(
        sentence=wording.paragraph(template, unfinished=checked.unfinished),
        missing=missing,
        problems=problems,
        warnings=[*warnings_of(checked, site, site_day(now)), *(review.warnings if is_whole else ())],
        dry_run=dry_run.who_would_have(template) if looks and is_whole else None,
    )
