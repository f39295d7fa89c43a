"""What all pages of the desk have in common: who may open them, and the frame of the admin around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


MAX_TEMPLATE_KEY, MAX_KEY = 2**31 - 1, 2**63 - 1
"""Keys of templates have 32 bits, those of other rows 64. Before Django 5.0 databases refuse what is larger."""


def _largest(name: str) -> int:
    return MAX_TEMPLATE_KEY if name == "template_id" else MAX_KEY


def desk_page(*permissions: str) -> Callable[[View[P]], View[P]]:
    """Make a view a page of the desk: for staff with all of these permissions ("app_label.codename").

    Who is not logged in, or is no member of staff, is sent to the admin's login; who lacks a permission gets 403.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def permitted(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.has_perms(permissions):
                raise PermissionDenied
            if any(isinstance(value, int) and value > _largest(name) for name, value in kwargs.items()):
                raise Http404
            return view(request, *args, **kwargs)

        vars(permitted)["permissions"] = permissions  # links to the page ask for them
        return admin.site.admin_view(permitted)  # type: ignore[return-value]

    return decorate


def page(
    request: HttpRequest,
    template: str,
    *,
    title: str,
    trail: Sequence[tuple[str, str]] = (),
    context: Mapping[str, Any] | None = None,
    status: int = 200,
) -> TemplateResponse:
    """Return a page of the desk: ``template`` is the name of a file in ``badges_web/desk/``, without its ending.

    ``trail``: the pages between the front page and this one, as pairs of a URL and a name.
    """
    values = {**admin.site.each_context(request), "title": title, "trail": trail, **(context or {})}
    request.current_app = admin.site.name
    return TemplateResponse(request, f"badges_web/desk/{template}.html", values, status=status)
