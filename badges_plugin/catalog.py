"""What the service's catalog knows of courses, organizations and programs, for people who choose one.

A command copies the catalog from Discovery, once for each site: it may be empty or old, and a course of which events
come may not be in it. So it only helps to find keys; badges keep the text of a key and refer to no row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.sites.models import Site
from django.db.models import Case, F, IntegerField, Q, QuerySet, When

APP, LABEL = "credentials.apps.catalog", "catalog"

MOST = 20
"""How many are offered at once."""
MIN_LETTERS = 2
"""Of a search: with one letter it would read the whole catalog and find nothing of use."""


@dataclass(frozen=True, slots=True)
class CourseRun:
    """A run of a course. ``title`` is that of the run, or else of the course; it may be empty."""

    key: str
    title: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A course, by its key such as "Org+Course"; an organization, by its key; or a program, by its UUID."""

    key: str
    title: str


def is_filled() -> bool:
    """Return whether the catalog knows any course run. One query, none without a catalog."""
    runs = _rows("CourseRun")
    return runs is not None and runs.exists()


def find_course_runs(term: str, site: Site | None) -> list[CourseRun]:
    """Return course runs whose key or title has every word of ``term``, newest first, each key once. One query."""
    found = _found("CourseRun", term, ("key", "title_override", "course__title"))
    if found is None:
        return []
    return _runs(
        _own_first(found, site, "course__site").order_by("is_foreign", F("start_date").desc(nulls_last=True), "key")
    )


def course_runs(keys: Collection[str], site: Site | None) -> dict[str, CourseRun]:
    """Return the course runs of these keys that the catalog knows. One query, none without keys."""
    rows = _rows("CourseRun")
    if not keys or rows is None:
        return {}
    found = _own_first(rows.filter(key__in=list(keys)), site, "course__site").order_by("is_foreign", "-pk")
    return {run.key: run for run in _runs(found, most=None)}


def course_titles(keys: Collection[str]) -> dict[str, str]:
    """Return the titles of courses by their keys, such as "Org+Course". One query, none without keys."""
    rows = _rows("Course")
    if not keys or rows is None:
        return {}
    found = rows.filter(key__in=list(keys)).order_by("-pk").values_list("key", "title")
    return {key: title for key, title in found if title}


def find_organizations(term: str, site: Site | None) -> list[Entry]:
    """Return organizations whose key or name has every word of ``term``, each key once. One query."""
    found = _found("Organization", term, ("key", "name"))
    return (
        [] if found is None else _entries(_own_first(found, site, "site").order_by("is_foreign", "key"), "key", "name")
    )


def find_programs(term: str, site: Site | None) -> list[Entry]:
    """Return programs whose title has every word of ``term``, active ones first. One query."""
    found = _found("Program", term, ("title",))
    if found is None:
        return []
    is_over = Case(When(status="active", then=0), default=1, output_field=IntegerField())
    rows = _own_first(found.annotate(is_over=is_over), site, "site")
    return _entries(rows.order_by("is_foreign", "is_over", "title"), "uuid", "title")


def program_titles(uuids: Collection[str]) -> dict[str, str]:
    """Return the titles of programs by UUID, as texts; what is no UUID has none. One query, none without any."""
    rows, wanted = _rows("Program"), {text: found for text in uuids if (found := _uuid(text)) is not None}
    if not wanted or rows is None:
        return {}
    titles = dict(rows.filter(uuid__in=wanted.values()).order_by("-pk").values_list("uuid", "title"))
    return {text: titles[uuid] for text, uuid in wanted.items() if uuid in titles}


def _rows(model: str) -> QuerySet[Any] | None:
    if not apps.is_installed(APP):
        return None
    # Not a literal: the type checker would look for the app.
    rows: QuerySet[Any] = apps.get_model(LABEL, model).objects.all()
    return rows


def _found(model: str, term: str, fields: Iterable[str]) -> QuerySet[Any] | None:
    """Return the rows in which each word is in one of the fields; None for a term that is too short."""
    rows, words = _rows(model), term.split()[:10]
    if rows is None or len("".join(words)) < MIN_LETTERS:
        return None
    for word in words:
        wanted = Q()
        for name in fields:
            wanted |= Q(**{f"{name}__icontains": word})
        rows = rows.filter(wanted)
    return rows


def _own_first(rows: QuerySet[Any], site: Site | None, path: str) -> QuerySet[Any]:
    own = Q(**{path: site.pk if site is not None else 0})
    found: QuerySet[Any] = rows.annotate(is_foreign=Case(When(own, then=0), default=1, output_field=IntegerField()))
    return found


def _runs(rows: QuerySet[Any], most: int | None = MOST) -> list[CourseRun]:
    """Return runs, the first of each key: those of other sites are the same."""
    found: dict[str, CourseRun] = {}
    # Each run is there once for each site, and few services have more than three.
    values = rows.values_list("key", "title_override", "course__title", "start_date", "end_date")
    for key, own, title, starts_at, ends_at in values[: most and most * 3]:
        found.setdefault(key, CourseRun(key, own or title or "", starts_at, ends_at))
    return list(found.values())[:most]


def _entries(rows: QuerySet[Any], key: str, title: str) -> list[Entry]:
    found: dict[str, Entry] = {}
    for value, name in rows.values_list(key, title)[: MOST * 3]:
        found.setdefault(str(value), Entry(str(value), name or ""))
    return list(found.values())[:MOST]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
