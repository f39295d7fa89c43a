"""The filter by badge: its name is typed, and completed by the browser, so that it serves hundreds of badges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from badges_plugin.models import BadgeTemplate

MOST_SUGGESTED = 500
"""Names that the browser is given to complete at most. Others are found as well."""
MOST_MEANT = 200
"""Badges that a typed part of a name may mean at most."""
_DIGITS = 19
"""A number of so many may be too large for a key."""


class TemplateFilter(admin.RelatedFieldListFilter):
    """By badge: by its name, or a part of it; or by its key, in links from other pages."""

    template = "badges_plugin/admin/badge_filter.html"
    parameter = "badge_name"

    def __init__(self, field: Any, request: HttpRequest, params: dict[str, Any], *others: Any, **named: Any) -> None:
        super().__init__(field, request, params, *others, **named)
        self.title = _("badge")
        # Django puts what belongs to a filter here, as text or, since version 5.0, as a list of texts.
        given: Any = self.used_parameters.pop(self.parameter, None)
        self.typed = str(given[-1] if isinstance(given, list) and given else given or "").replace("\0", "").strip()
        own = {*self.expected_parameters(), PAGE_VAR}
        self.kept = [(name, value) for name, values in request.GET.lists() if name not in own for value in values]

    def expected_parameters(self) -> list[str | None]:
        return [*super().expected_parameters(), self.parameter]

    def has_output(self) -> bool:
        return True

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer none as a link: ``suggested`` are offered to be typed."""
        return []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        if not self.typed and any(len(each) >= _DIGITS for each in self._keys):
            return queryset.none()  # too large for a key, which Django 4.2 would leave to the database
        if not self.typed:
            return super().queryset(request, queryset)
        return queryset.filter(**{f"{self.field_path}__in": list(meant(self.typed))})

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield the choice of all badges, and the one that is chosen."""
        chosen = self.chosen
        without = self.expected_parameters()
        yield {
            "selected": not chosen,
            "query_string": changelist.get_query_string(remove=[name for name in without if name]),
            "display": _("All"),
        }
        if chosen:
            yield {"selected": True, "query_string": "", "display": chosen}

    @property
    def chosen(self) -> str:
        """What was typed, or the name of the badge whose key is in the address; empty where neither is."""
        if self.typed:
            return self.typed
        key = self._keys[-1] if self._keys else ""
        if not key.isdecimal() or len(key) >= _DIGITS:
            return ""
        return str(BadgeTemplate.objects.filter(pk=int(key)).values_list("name", flat=True).first() or "")

    @property
    def _keys(self) -> list[str]:
        """The keys in the address, as they are written there: a text or, since Django 5.0, a list of texts."""
        given: Any = self.lookup_val
        return [str(each) for each in (given if isinstance(given, list) else [given] if given else [])]

    def suggested(self) -> list[str]:
        """Return the names that the browser completes."""
        names = BadgeTemplate.objects.order_by("name").values_list("name", flat=True).distinct()
        return list(names[:MOST_SUGGESTED])


def meant(name: str) -> list[int]:
    """Return the keys of the badges of this name or, if there are none, of those that have it in their name."""
    rows = BadgeTemplate.objects.order_by("name", "pk").values_list("pk", flat=True)
    return list(rows.filter(name__iexact=name)[:MOST_MEANT]) or list(rows.filter(name__icontains=name)[:MOST_MEANT])
