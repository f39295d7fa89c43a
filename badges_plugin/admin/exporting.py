"""Lists as CSV files: with the filters and the search of the list, written while their rows are read."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, cast

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Max, Min, Model, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from badges_plugin import retirement
from badges_plugin.host import User

PAGE = 1000
"""Rows read at once at most."""
SPAN = 2000
"""Keys looked through at once at first; more where they are far between."""
LONGEST_SPAN = 200_000

BOM = "\ufeff"
"""Tells spreadsheets that the file is UTF-8."""

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")

Narrow = Callable[[QuerySet[Any]], QuerySet[Any]]
"""Applies to some rows what no index serves."""


@dataclass(frozen=True)
class Person:
    """Who a row is about. Of the retired nothing but the user name is told.

    .. pii: Carries the user name, name and e-mail address of a learner in memory; never logged.
    .. pii_types: username, name, email_address
    .. pii_retirement: retained
    """

    username: str
    full_name: str
    email: str


class Rows(Protocol):
    """Reads the rows with these keys, at most ``PAGE``, in this order. Those that are gone meanwhile are left out."""

    def __call__(self, keys: Sequence[int]) -> Iterable[tuple[User, Sequence[object]]]: ...


@dataclass(frozen=True)
class Export:
    """What the file of a list says. Names of columns are for programs, too: they stay, and are in English."""

    name: str
    columns: tuple[str, ...]
    """Those after the learner's."""
    rows: Rows


PERSON = ("username", "full_name", "email")


def answer(
    request: HttpRequest, export: Export, rows: QuerySet[Any], *, narrow: Narrow | None, with_addresses: bool
) -> StreamingHttpResponse:
    """Return the file, newest rows first, and put into the log of the admin who has it."""
    _log(request, rows.model)
    parts = written(export, rows, narrow=narrow, with_addresses=with_addresses, language=get_language())
    response = StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8")
    name = f"badges-{export.name}-{timezone.localdate():%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def written(
    export: Export, rows: QuerySet[Any], *, narrow: Narrow | None, with_addresses: bool, language: str | None
) -> Iterator[str]:
    """Yield the file in parts of up to ``PAGE`` rows. Reasons and sentences are in ``language``."""
    columns = [name for name in PERSON if with_addresses or name != "email"]
    yield BOM + lines([[*columns, *export.columns]])
    for keys in pages(rows, narrow):
        with override(language):  # not across parts: between them the server may do something else
            found = list(export.rows(keys))
            gone = retirement.retired_among([user for user, _cells in found])
            text = lines(
                [*_cells_of(_person(user, is_gone=user.pk in gone), with_addresses), *cells] for user, cells in found
            )
        yield text


def pages(rows: QuerySet[Any], narrow: Narrow | None = None) -> Iterator[list[int]]:
    """Yield the keys of rows, newest first, up to ``PAGE`` at a time.

    Keys are read span by span and without an order, which costs the same whatever the other conditions are: a server
    that is asked for the next joined rows in the order of their keys may sort all of them each time.
    """
    ends = rows.model._base_manager.aggregate(first=Min("pk"), last=Max("pk"))  # noqa: SLF001  documented name
    last, span = ends["last"], SPAN
    while last is not None and last >= ends["first"]:
        some = rows.filter(pk__gt=last - span, pk__lte=last).order_by()
        keys = list(some.values_list("pk", flat=True)[: PAGE + 1])
        if len(keys) > PAGE and span > 1:
            span //= 2
            continue
        if narrow is not None and keys:
            keys = list(narrow(rows.filter(pk__in=keys)).order_by().values_list("pk", flat=True))
        if keys:
            yield sorted(keys, reverse=True)
        last -= span
        if len(keys) < PAGE // 4:
            span = min(2 * span, LONGEST_SPAN)


def cell(value: object) -> str:
    """Return what a cell says. What a spreadsheet would take for a formula is made a text."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, int):
        return str(value)
    text = str(value).replace("\0", "")
    return f"'{text}" if text.startswith(_FORMULAS) else text


class _Buffer:
    """A file that keeps nothing: what is written is returned."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def write(self, text: str) -> None:
        self.parts.append(text)


def lines(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV, each value as ``cell`` writes it."""
    buffer = _Buffer()
    csv.writer(buffer).writerows([cell(each) for each in row] for row in rows)
    return "".join(buffer.parts)


def _cells_of(person: Person, with_addresses: bool) -> list[str]:
    return [person.username, person.full_name, *([person.email] if with_addresses else [])]


def _person(user: User, *, is_gone: bool) -> Person:
    return Person(user.get_username(), "" if is_gone else user.full_name or "", "" if is_gone else user.email or "")


def _log(request: HttpRequest, model: type[Model]) -> None:
    opts = model._meta
    LogEntry.objects.create(
        user_id=cast("int", request.user.pk),
        content_type=ContentType.objects.get_for_model(model),
        object_repr=str(opts.verbose_name_plural),
        action_flag=CHANGE,
        change_message=_("Downloaded as CSV."),
    )
