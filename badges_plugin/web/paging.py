"""Show long lists a page at a time, with plain links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import QueryDict

ItemT = TypeVar("ItemT")


@dataclass(frozen=True)
class Slice(Generic[ItemT]):
    """Some of many. The queries are those of links to the pages before and after; empty where there is none."""

    items: tuple[ItemT, ...]
    total: int
    number: int
    of: int
    before: str
    after: str


def slice_of(rows: Sequence[ItemT] | QuerySet[Any], asked: QueryDict, name: str, *, size: int) -> Slice[ItemT]:
    """Return the page of ``rows`` that ``asked[name]`` says; the first for nonsense, the last for too much."""
    paginator = Paginator(rows, size)
    found = paginator.get_page(asked.get(name))
    return Slice(
        items=tuple(found.object_list),
        total=paginator.count,
        number=found.number,
        of=paginator.num_pages,
        before=_query(asked, name, found.number - 1) if found.has_previous() else "",
        after=_query(asked, name, found.number + 1) if found.has_next() else "",
    )


def _query(asked: QueryDict, name: str, number: int) -> str:
    query = asked.copy()
    query[name] = str(number)
    return f"?{query.urlencode()}"
