"""Answers other than what was asked for: nothing here, no longer here, elsewhere, too often. They need no build."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse

from badges_plugin.web.headers import secure
from badges_plugin.web.pages.rendering import page
from badges_plugin.web.pages.serving import served


def not_found(request: HttpRequest) -> HttpResponse:
    """Answer that there is no such page, or none that this reader may see: 404."""
    return page(request, "not_found", status=404)


@served
def nothing_here(request: HttpRequest) -> HttpResponse:
    """Answer for an address below ours at which there is no page."""
    return not_found(request)


def gone(request: HttpRequest) -> HttpResponse:
    """Answer that a page was taken back, or its owner erased: 410. Says nothing of whose it was."""
    return page(request, "gone", status=410)


def see_other(url: str) -> HttpResponseRedirect:
    """Send the reader on after a form was posted, so that reloading the page does not post it again."""
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


def too_many(request: HttpRequest, *, seconds: int) -> HttpResponse:
    """Answer that an address asks too often: 429."""
    response = page(request, "too_many", {"seconds": seconds}, status=429)
    response["Retry-After"] = str(seconds)
    return response


def refusal(status: int, detail: str) -> HttpResponse:
    """Answer a program in a few words of JSON."""
    response = secure(JsonResponse({"detail": detail}, status=status))
    response["Access-Control-Allow-Origin"] = "*"
    return response
