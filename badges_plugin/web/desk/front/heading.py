"""One heading for all that is about badges instead of one for each Django app: on the front page, and beside pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext as _

from badges_plugin.builtin import is_builtin
from badges_plugin.distribution.attention import labels_of_backends
from badges_plugin.models import BadgeTemplate, BadgeTotal, Learner
from badges_plugin.web.desk.front.entries import EXPERTS, SEEN, Entry, entries, order
from badges_plugin.web.desk.front.figures import figures
from badges_plugin.web.desk.reached import desk_url

PACKAGE = "badges_plugin"
LABEL = "badges_plugin"
FRONT = "badges_web/desk/front.html"
FRONT_OF_APP = "badges_web/desk/front_of_app.html"

Apps = list[Any]
"""What Django's index says of the apps whose pages the person may open."""


class OneHeading:
    """Stands in for ``AdminSite.get_app_list``."""

    def __init__(self, inner: Callable[..., Apps]) -> None:
        self.inner = inner

    def __call__(self, request: HttpRequest, app_label: str | None = None) -> Apps:
        ours = _labels()
        if app_label is not None and app_label not in ours:
            return [_told_apart(each) for each in self.inner(request, app_label)]
        found = self.inner(request)
        parts = [each for each in found if each["app_label"] in ours]
        others = [_told_apart(each) for each in found if each["app_label"] not in ours]
        if app_label is not None:
            return [_heading(request, parts, [])] if parts else []
        return [_heading(request, parts, others), *others] if parts else others


def _heading(request: HttpRequest, parts: Sequence[Any], others: Sequence[Any]) -> Any:
    pages = order([_made_in_words(request, page) for part in parts for page in part["models"]])
    first = next((part for part in parts if part["app_label"] == LABEL), parts[0])
    return {
        **first,
        "name": _("Badges"),
        "has_module_perms": any(part["has_module_perms"] for part in parts),
        "models": list(_with_desk(request, pages)),
        "entries_of_badges": Rows(request, pages),
        "find_url": desk_url(request, "desk_find"),
        "others": others,
    }


def _with_desk(request: HttpRequest, pages: Sequence[Any]) -> Iterator[Any]:
    """Yield the pages for the bar beside every page, and those of the desk that have no model of their own there."""
    learners = _desk(request, "desk_learners", _("Learners"), Learner)
    numbers = _desk(request, "desk_numbers", _("Numbers"), BadgeTotal)
    own = [page for page in pages if issubclass(page["model"], BadgeTemplate)]
    later = [page for page in pages if page["model"] in (*EXPERTS, *SEEN)]
    between = [page for page in pages if page not in own and page not in later]
    yield from (*own, *learners, *between, *numbers, *later)


def _desk(request: HttpRequest, name: str, title: str, model: type[Model]) -> list[dict[str, Any]]:
    """Return a page of the desk as Django's index describes a model; nothing for those who may not open it."""
    address = desk_url(request, name)
    described = {
        "model": model,
        "name": title,
        "object_name": model.__name__,
        "perms": {"add": False, "change": False, "delete": False, "view": True},
        "admin_url": address,
        "add_url": None,
        "view_only": True,
    }
    return [described] if address else []


def _made_in_words(request: HttpRequest, page: Any) -> Any:
    """Let *Add* beside *Badges* lead to the page on which a badge is made in words, for who may open it."""
    address = desk_url(request, "desk_new_badge") if page["model"] is BadgeTemplate and page["add_url"] else ""
    return {**page, "add_url": address} if address else page


@dataclass(frozen=True)
class Rows:
    """The entries of the front page. They are made where they are shown: the bar beside every page shows none."""

    request: HttpRequest
    pages: Sequence[Any]

    def rows(self) -> list[Entry]:
        return entries(self.request, self.pages, figures())


def _told_apart(app: Any) -> Any:
    """Give the host's built-in badges app, where it is kept, a name that is not ours."""
    return {**app, "name": _("Badges (built into Credentials)")} if is_builtin(app["app_label"]) else app


def _labels() -> set[str]:
    """Return the labels of our apps, and of those that backends came with."""
    ours = {each.label for each in apps.get_app_configs() if each.name.split(".")[0] == PACKAGE}
    return ours | labels_of_backends()


def gather(site: AdminSite) -> None:
    """Put the heading on a site's front page. Doing so twice is doing so once."""
    if isinstance(site.get_app_list, OneHeading):
        return
    site.get_app_list = OneHeading(site.get_app_list)  # type: ignore[method-assign]
    # A page that the host or a theme has made its own is left alone: it shows the list with Django's own template.
    if site.index_template is None:
        site.index_template = FRONT
    if site.app_index_template is None:
        site.app_index_template = FRONT_OF_APP
