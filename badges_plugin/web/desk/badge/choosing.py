"""What a line is about, from what somebody typed, pasted or chose: a course, an organization, a program, a badge."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote
from uuid import UUID

from django.contrib.sites.models import Site
from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey
from opaque_keys.edx.locator import CourseLocator

from badges_plugin import catalog
from badges_plugin.models import BadgeTemplate
from badges_plugin.times import day_text
from badges_plugin.web.desk.badge.encoding import is_ccx
from badges_plugin.web.desk.badge.setup import Kind

_KEY = re.compile(r"(?:course-v1|ccx-v1):[^/?#\s&]+")
_COURSE = re.compile(r"[\w\-~.]+\+[\w\-~.]+")
_ORG = re.compile(r"[\w\-~.]+")


@dataclass(frozen=True)
class Option:
    """Something that can be chosen. ``key`` and ``note`` tell it from others of the same title."""

    value: str
    title: str
    key: str = ""
    note: str = ""


@dataclass(frozen=True)
class Reading:
    """What a text was understood as: a value, or a problem and perhaps something to choose from."""

    value: str = ""
    problem: str = ""
    options: tuple[Option, ...] = ()


def read(kind: Kind, text: str, site: Site | None, *, but: int | None = None) -> Reading:
    """Return what a text means. ``but``: a badge that cannot be meant. One query at most, none for a key."""
    text = text.strip()
    if not text:
        return Reading(problem=str(_EMPTY[kind]()))
    if value := _READERS[kind](text):
        return Reading(value)
    options = tuple(find(kind, text, site, but=but))
    exact = [option for option in options if text.casefold() == option.title.casefold()]
    if len(exact) == 1:
        return Reading(exact[0].value)
    if options:
        return Reading(problem=_("Choose one of those found."), options=options)
    return Reading(problem=_PROBLEMS[kind](text))


def chosen(kind: Kind, value: str, *, but: int | None = None) -> str:
    """Return a value that was chosen from a list, or nothing for what no list offers. One query for a badge."""
    if kind is not Kind.BADGE:
        return _READERS[kind](value)
    return value if value in _badges_by_key({value}) and value != str(but) else ""


def find(kind: Kind, term: str, site: Site | None, *, but: int | None = None) -> list[Option]:
    """Return what can be chosen by a search, the most likely first. One query."""
    term = _looked_for(term)
    if kind is Kind.BADGE:
        return _badges(term, but)
    if kind is Kind.PROGRAM:
        return [Option(each.key, each.title, each.key) for each in catalog.find_programs(term, site)]
    if kind is Kind.ORG:
        return [Option(each.key, each.title, each.key) for each in catalog.find_organizations(term, site)]
    runs = catalog.find_course_runs(term, site)
    if kind is not Kind.ANY_RUN:
        return [_run(run) for run in runs]
    courses = {course: run.title for run in reversed(runs) if (course := course_of(run.key))}
    return [Option(course, title or course, course) for course, title in courses.items()]


def titles(wanted: set[tuple[Kind, str]], site: Site | None) -> dict[tuple[Kind, str], Option]:
    """Return what is known of chosen values. At most four queries; nothing of what no list has."""
    by_kind: dict[Kind, set[str]] = {kind: {value for each, value in wanted if each is kind} for kind in Kind}
    runs = catalog.course_runs(by_kind[Kind.COURSE] | by_kind[Kind.GRADE], site)
    courses = catalog.course_titles(by_kind[Kind.ANY_RUN])
    programs = catalog.program_titles(by_kind[Kind.PROGRAM])
    badges = _badges_by_key(by_kind[Kind.BADGE])
    found: dict[tuple[Kind, str], Option] = {}
    for kind, value in wanted:
        if value in runs and kind in (Kind.COURSE, Kind.GRADE):
            found[kind, value] = _run(runs[value])
        elif kind is Kind.ANY_RUN and value in courses:
            found[kind, value] = Option(value, courses[value], value)
        elif kind is Kind.PROGRAM and value in programs:
            found[kind, value] = Option(value, programs[value], value)
        elif kind is Kind.BADGE and value in badges:
            found[kind, value] = badges[value]
    return found


def course_of(key: str) -> str:
    """Return "Org+Course" for the key of a run of the usual form; nothing for others."""
    parts = key.removeprefix("course-v1:").split("+")
    return "+".join(parts[:2]) if key.startswith("course-v1:") and len(parts) == 3 else ""


def _read_run(text: str) -> str:
    found = _KEY.search(unquote(text))
    text = found[0] if found else text
    try:
        key = CourseKey.from_string(text)
    except InvalidKeyError:
        return ""
    # To opaque-keys, those of libraries and of drafts are keys of courses, too.
    is_run = isinstance(key, CourseLocator) and bool(key.run) and key.branch is None and key.version_guid is None
    return str(key) if is_run else ""


def _read_course(text: str) -> str:
    run = _read_run(text)
    if run:
        return course_of(run)
    return text if _COURSE.fullmatch(text) else ""


def _read_org(text: str) -> str:
    run = _read_run(text)
    if run:
        return "" if is_ccx(run) else course_of(run).partition("+")[0]
    return text if _ORG.fullmatch(text) else ""


def _read_program(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


_READERS: dict[Kind, Callable[[str], str]] = {
    Kind.COURSE: _read_run,
    Kind.GRADE: lambda text: "" if is_ccx(found := _read_run(text)) else found,
    Kind.ANY_RUN: _read_course,
    Kind.ORG: _read_org,
    Kind.PROGRAM: _read_program,
    Kind.BADGE: lambda text: "",
}

_EMPTY: dict[Kind, Callable[[], str]] = {
    Kind.COURSE: lambda: _("Choose a course."),
    Kind.GRADE: lambda: _("Choose a course."),
    Kind.ANY_RUN: lambda: _("Choose a course."),
    Kind.ORG: lambda: _("Name the organization."),
    Kind.PROGRAM: lambda: _("Choose a program."),
    Kind.BADGE: lambda: _("Choose a badge."),
}


def _no_course(text: str) -> str:
    if "://" in text:
        return _("This is the address of a page without a course in it.")
    if is_ccx(text):
        return _("A custom course (CCX) cannot be used here. Choose “Pass a course”.")
    return _("“%s” is not a course key; it looks like course-v1:Org+Course+Run.") % text


_PROBLEMS: dict[Kind, Callable[[str], str]] = {
    Kind.COURSE: _no_course,
    Kind.GRADE: _no_course,
    Kind.ANY_RUN: _no_course,
    Kind.ORG: lambda text: _("“%s” is not the short name of an organization, as it stands in course keys.") % text,
    Kind.PROGRAM: lambda text: _("No program is called “%s”. Its UUID can be pasted here as well.") % text,
    Kind.BADGE: lambda text: _("No badge is called “%s”.") % text,
}


def _looked_for(term: str) -> str:
    found = _KEY.search(unquote(term))
    return found[0] if found else term


def _run(run: catalog.CourseRun) -> Option:
    starts = _("starts on %s") % day_text(run.starts_at) if run.starts_at else ""
    return Option(run.key, run.title or run.key, run.key if run.title else "", starts)


def _badges(term: str, but: int | None) -> list[Option]:
    rows = BadgeTemplate.objects.exclude(pk=but) if but is not None else BadgeTemplate.objects.all()
    for word in term.split()[:10]:
        rows = rows.filter(name__icontains=word)
    return [_badge(row) for row in rows.order_by("-is_active", "name", "pk")[: catalog.MOST]]


def _badges_by_key(keys: set[str]) -> dict[str, Option]:
    wanted = [int(key) for key in keys if key.isdecimal() and len(key) < 10]
    return (
        {str(row.pk): _badge(row) for row in BadgeTemplate.objects.filter(pk__in=wanted).order_by("pk")}
        if wanted
        else {}
    )


def _badge(row: BadgeTemplate) -> Option:
    return Option(str(row.pk), row.name, note="" if row.is_active else _("inactive"))
