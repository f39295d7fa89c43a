"""The URLs of the pages, below ``badges/``; none while the pages are switched off."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from badges_plugin.web.conf import usable_pages
from badges_plugin.web.pages.answers import nothing_here
from badges_plugin.web.pages.badge import badge
from badges_plugin.web.pages.catalog import badge_type, catalog
from badges_plugin.web.pages.collections import collection, my_collection
from badges_plugin.web.pages.files import badge_file
from badges_plugin.web.pages.mine import mine
from badges_plugin.web.pages.publishing import publish, switch
from badges_plugin.web.pages.verifying import verify_badge
from badges_plugin.web.pages.wallet import wallet

urlpatterns: list[URLPattern] = []
if usable_pages().enabled:
    urlpatterns = [
        path("mine/", mine, name="mine"),
        path("mine/collection/", my_collection, name="my_collection"),
        path("mine/<uuid:uuid>/", publish, name="publish"),
        path("mine/<uuid:uuid>/switch/", switch, name="switch"),
        path("b/<uuid:uuid>/", badge, name="badge"),
        path("b/<uuid:uuid>/badge.<str:form>", badge_file, name="badge_file"),
        path("b/<uuid:uuid>/wallet/", wallet, name="wallet"),
        path("catalogue/", catalog, name="catalog"),
        path("catalogue/<uuid:uuid>/", badge_type, name="badge_type"),
        path("verify/", verify_badge, name="verify"),
        path("c/<uuid:uuid>/", collection, name="collection"),
        # Last: the host's own page for what is not there needs its build. With a slash, so that Django adds one.
        re_path(r"^(?:(?:mine|b|verify|c)/|catalogue/).+/$", nothing_here, name="nothing_here"),
    ]
