"""Lists of tables that may have millions of rows: no page counts, sorts or searches all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ALL_VAR, ORDER_VAR, PAGE_VAR, ChangeList
from django.core.paginator import Page, Paginator
from django.db.models import Max, Min, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from badges_plugin.admin.base import ModelT, ReadOnlyAdmin
from badges_plugin.admin.cells import IS_GONE
from badges_plugin.admin.export_view import EXPORTED, SEARCH_IS_CUT, ExportedAdmin
from badges_plugin.counting import MOST, count_up_to, in_thousands
from badges_plugin.host import User
from badges_plugin.retirement import retired_among

LARGE = 10_000
"""Rows from which on a table is searched by indexes only. A smaller one is searched for any part of its texts."""
MOST_PEOPLE = 1000
"""Learners found by a search at most."""
MOST_FOUND = 2000
"""Rows found at most by a search that several indexes answer together."""
FIRST_SPAN = 20_000
"""Users among whom an e-mail address is looked for first."""
NEWEST_FIRST = (("-id",), ("-pk",))  # what follows decides nothing

if TYPE_CHECKING:
    RowPaginator = Paginator[Any]
else:
    RowPaginator = Paginator


def is_large(model: type[Model]) -> bool:
    """Return whether a table may have more than ``LARGE`` rows, as its keys tell without counting."""
    keys = model._base_manager.aggregate(first=Min("pk"), last=Max("pk"))  # noqa: SLF001  Django's documented name
    return keys["last"] is not None and int(keys["last"] - keys["first"]) >= LARGE


class LargePaginator(RowPaginator):
    """Counts up to ``MOST`` rows, and reads a page by the keys of its rows.

    A database that is asked for a few joined rows in the order of their keys may sort the whole table, or read it
    backward to find them. So keys are read alone and without an order: all of few rows, spans of the newest of many.
    """

    @cached_property
    def _keys(self) -> list[Any]:
        return list(self._rows.order_by().values_list("pk", flat=True)[: MOST + 1])

    @property
    def _rows(self) -> QuerySet[Any]:
        return cast("QuerySet[Any]", self.object_list)

    @cached_property
    def count(self) -> int:
        return min(len(self._keys), MOST)

    @property
    def is_cut(self) -> bool:
        """Whether there are more rows than are counted."""
        return len(self._keys) > MOST

    @property
    def is_newest_first(self) -> bool:
        """Whether the rows are in the order of their keys."""
        return self._rows.query.order_by[:1] in NEWEST_FIRST

    def rows(self, start: int, end: int) -> QuerySet[Any]:
        """Return some rows, the newest first, by their keys."""
        keys = self._newest(end) if self.is_cut else sorted(self._keys, reverse=True)
        return self._rows.filter(pk__in=keys[start:end])

    def _newest(self, number: int) -> list[Any]:
        """Return the newest keys, at least ``number`` of the more than ``MOST`` that there are."""
        ends = self._rows.model._base_manager.aggregate(first=Min("pk"), last=Max("pk"))  # noqa: SLF001  documented name
        found: list[Any] = []
        last, span = ends["last"], 2 * number
        while len(found) < number and last >= ends["first"]:
            some = self._rows.filter(pk__gt=last - span, pk__lte=last).order_by().values_list("pk", flat=True)
            keys = list(some[: MOST + 1])
            if len(keys) > MOST and span > MOST:
                # Without an order these are any. After a long span with none, the next may be full of them.
                span //= 2
                continue
            found += sorted(keys, reverse=True)
            last, span = last - span, 4 * span
        return found

    def page(self, number: int | str) -> Page[Any]:
        if not self.is_newest_first:
            return super().page(number)
        start = (self.validate_number(number) - 1) * self.per_page
        return Page(self.rows(start, start + self.per_page), int(number), self)


class LargeList(ChangeList):
    """A list that says where it does not show all rows, and sorts only what is small."""

    is_cut = False
    wide: QuerySet[Any]
    """The rows that the filters and the search leave, before what no index serves."""

    @property
    def export_url(self) -> str:
        """The address of the list as a file; empty where there is none."""
        name = self.model_admin.export_name if isinstance(self.model_admin, ExportedAdmin) else ""
        # Not by get_query_string: what it is told to remove is the beginning of names, and "p" that of "progress".
        given = getattr(self, "filter_params", self.params)  # with all values since Django 5.0
        kept = {key: value for key, value in given.items() if key not in (PAGE_VAR, ORDER_VAR, ALL_VAR)}
        return f"{reverse(f'{self.model_admin.admin_site.name}:{name}')}?{urlencode(kept, doseq=True)}" if name else ""

    @property
    def most(self) -> str:
        """The number of rows that are counted at most."""
        return in_thousands(MOST)

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        self.wide = super().get_queryset(request, *args, **kwargs)
        if EXPORTED in vars(request):
            return self.wide.none()  # nothing is shown
        rows = self.narrowed(request, self.wide)
        if ORDER_VAR not in self.params or not LargePaginator(rows, self.list_per_page).is_cut:
            return rows
        del self.params[ORDER_VAR]
        text = _("There are more than %s rows, too many to be sorted. Search or filter first.")
        messages.warning(request, text % in_thousands(MOST))
        return rows.order_by(*self.model_admin.get_ordering(request))

    def narrowed(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Apply what no index serves to the rows that the filters and the search leave."""
        return rows

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        paginator = cast("LargePaginator", self.paginator)
        if paginator.is_newest_first and (not self.multi_page or (self.show_all and self.can_show_all)):
            self.result_list = paginator.rows(0, MOST)
        self.is_cut = paginator.is_cut
        if self.search_help_text and is_large(self.model):
            hint = _("Type the beginning: this table is too large for a search inside texts.")
            self.search_help_text = f"{self.search_help_text} {hint}"
        if self.is_cut:
            self.full_result_count = self.result_count  # the search form then tells no number
        self._mark_gone()

    def _mark_gone(self) -> None:
        """Note at each row whether its learner was retired, under any of their users. One query."""
        admin = cast("LargeTableAdmin[Any]", self.model_admin)
        users = {row.pk: user for row in self.result_list if (user := admin.learner_of(row))}
        gone = retired_among(users.values())
        for row in self.result_list:
            vars(row)[IS_GONE] = row.pk in users and users[row.pk].pk in gone

    def pages(self) -> Iterator[int | str]:
        """Return the pages to link to."""
        return iter(self.paginator.get_elided_page_range(self.page_num))


class LargeTableAdmin(ExportedAdmin[ModelT], ReadOnlyAdmin[ModelT]):
    """The base of the pages of tables that grow with the learners. A subclass says how indexes find its rows."""

    change_list_template = "badges_plugin/admin/large_list.html"
    paginator = LargePaginator
    ordering = ("-id",)
    list_per_page = 50
    """Half of Django's: a page takes as long to write as it has rows, and longer than they take to be found."""
    show_full_result_count = False
    if hasattr(admin, "ShowFacets"):  # since Django 5.0: a COUNT for each choice of each filter
        show_facets = admin.ShowFacets.NEVER

    def learner_of(self, row: Any) -> Any:
        """Return the user whose row it is, for lists that name learners."""
        return None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LargeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ModelT], search_term: str
    ) -> tuple[QuerySet[ModelT], bool]:
        """Search a small table for words anywhere, and a large one for texts that begin with the search term."""
        term = search_term.strip()
        if not term or not is_large(self.model):
            return super().get_search_results(request, queryset, search_term)
        return self._any(request, queryset, list(self.found_by(request, term))), False

    def found_by(self, request: HttpRequest, term: str) -> Iterable[Q]:
        """Yield conditions by which a search term finds rows of a large table; each is served by an index."""
        raise NotImplementedError

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[ModelT], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Refuse an action on more rows than are counted: nobody knows what it would do."""
        if request.POST.get("select_across", "0") != "0" and count_up_to(queryset) > MOST:
            text = _("Select at most %s rows at once. Search or filter first.") % in_thousands(MOST)
            self.message_user(request, text, messages.ERROR)
            return None
        return super().response_action(request, queryset, *args, **kwargs)

    def _any(self, request: HttpRequest, rows: QuerySet[ModelT], conditions: list[Q]) -> QuerySet[ModelT]:
        """Return the rows that meet one of the conditions. No index serves several of them at once."""
        if len(conditions) > 1:
            share = MOST_FOUND // len(conditions)
            keys = [list(rows.filter(each).order_by().values_list("pk", flat=True)[: share + 1]) for each in conditions]
            conditions = [each for each, found in zip(conditions, keys, strict=True) if found]
            if len(conditions) > 1:
                if any(len(found) > share for found in keys):
                    _say_cut(request, _("Too many rows were found. Only some of them are shown. Type more."))
                return rows.filter(pk__in={key for found in keys for key in found[:share]})
        return rows.filter(conditions[0]) if conditions else rows.none()


def _say_cut(request: HttpRequest, text: str) -> None:
    """Say that not all of what was found is shown. One reason for it is enough."""
    if not vars(request).get(SEARCH_IS_CUT):
        vars(request)[SEARCH_IS_CUT] = True
        messages.warning(request, text)


def people(request: HttpRequest, term: str) -> list[int]:
    """Return the keys of users whose user name or full name begins with a term, or whose e-mail address it is."""
    found: set[int] = set(with_address(term)) if "@" in term else set()
    for condition in (Q(username__istartswith=term), Q(full_name__istartswith=term)):
        found.update(User.objects.filter(condition).order_by().values_list("pk", flat=True)[: MOST_PEOPLE + 1])
    if len(found) > MOST_PEOPLE:
        text = _("More than %s learners were found. Only some of them are shown. Type more of the name.")
        _say_cut(request, text % in_thousands(MOST_PEOPLE))
    return sorted(found)[:MOST_PEOPLE]


def with_address(address: str) -> list[int]:
    """Return the keys of the newest users who have an e-mail address.

    The host has no index for it. Spans of users are read, the newest first, until one of them has it.
    """
    ends = User.objects.aggregate(first=Min("pk"), last=Max("pk"))
    last, span = ends["last"], FIRST_SPAN
    while last is not None and last >= ends["first"]:
        rows = User.objects.filter(pk__gt=last - span, pk__lte=last, email__iexact=address)
        if found := list(rows.order_by().values_list("pk", flat=True)[:MOST_PEOPLE]):
            return found
        last, span = last - span, 4 * span
    return []


def newest(request: HttpRequest, rows: QuerySet[ModelT]) -> QuerySet[ModelT]:
    """Leave the newest rows, for a filter that no index serves; say so if there are more."""
    bounds = list(rows.order_by("-pk").values_list("pk", flat=True)[MOST - 1 : MOST + 1])
    if len(bounds) < 2:
        return rows
    messages.warning(request, _("This filter was applied to the newest %s rows only.") % in_thousands(MOST))
    return rows.filter(pk__gte=bounds[0])
