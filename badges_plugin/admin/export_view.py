"""The page of a list that answers with the list as a file."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from badges_plugin.admin import exporting, links
from badges_plugin.admin.base import ModelAdmin, ModelT
from badges_plugin.admin.exporting import Export
from badges_plugin.host import User
from badges_plugin.models import BadgeProgress

SEARCH_IS_CUT, EXPORTED = "badges_search_is_cut", "badges_is_exported"
"""What a request knows of itself."""


class ExportedAdmin(ModelAdmin[ModelT]):
    """Adds ``export/`` to the pages of a model whose list has ``wide`` and ``narrowed``, as ``LargeList`` has."""

    export: Export | None = None
    """What the list says as a file; None: there is no such file."""

    @property
    def export_name(self) -> str:
        """The name of the URL of the list as a file; empty where there is none."""
        return f"{self.opts.app_label}_{self.opts.model_name}_export" if self.export is not None else ""

    def get_urls(self) -> list[URLPattern]:
        urls = super().get_urls()
        if self.export is None:
            return urls
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name=self.export_name), *urls]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Return what the list has, with its filters and search, as a file."""
        if self.export is None or not self.has_view_or_change_permission(request):
            raise PermissionDenied
        vars(request)[EXPORTED] = True
        back = HttpResponseRedirect(f"../?{request.GET.urlencode()}")
        try:
            changelist = cast("Any", self.get_changelist_instance(request))
        except IncorrectLookupParameters:
            return back
        if vars(request).get(SEARCH_IS_CUT):
            return back  # the list says so
        return exporting.answer(
            request,
            self.export,
            changelist.wide,
            narrow=lambda rows: changelist.narrowed(request, rows),
            with_addresses=links.may(request, "view", User) or links.may(request, "view", BadgeProgress),
        )
