"""Actions of lists in the admin: give a badge to the users who are selected, or whose progress is."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from badges_plugin.host import User
from badges_plugin.models import BadgeProgress
from badges_plugin.web.desk.giving.views import MAY_GIVE, ask_about

_PERMISSION = "award_by_hand"


def add_to(site: AdminSite) -> None:
    """Add the action to the pages of users, which are the host's, and of progress. Calling it twice adds it once."""
    for model, action in ((User, give_to_users), (BadgeProgress, give_to_these_learners)):
        page = site._registry.get(model)  # noqa: SLF001 - the public way to it is younger than Django 4.2
        if page is not None and action not in (page.actions or ()):
            # Django asks the page whether it shows an action with permissions.
            setattr(page, f"has_{_PERMISSION}_permission", _may_give)
            page.actions = [*(page.actions or ()), action]


def _may_give(request: HttpRequest) -> bool:
    return bool(request.user.has_perm(MAY_GIVE))


@admin.action(description=gettext_lazy("Give a badge by hand…"), permissions=[_PERMISSION])
def give_to_users(page: ModelAdmin[Any], request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
    """Ask which badge these users get."""
    return ask_about(request, queryset)


@admin.action(description=gettext_lazy("Give a badge by hand…"), permissions=[_PERMISSION])
def give_to_these_learners(page: ModelAdmin[Any], request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
    """Ask which badge the learners of these rows get; it is chosen already if all rows are of one badge."""
    templates = list(queryset.order_by("template").values_list("template", flat=True).distinct()[:2])
    badge = templates[0] if len(templates) == 1 else None
    return ask_about(request, User.objects.filter(pk__in=queryset.order_by().values("user")), badge=badge)
