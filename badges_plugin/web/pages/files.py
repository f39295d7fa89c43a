"""The signed document of a badge as files: JSON, JWT, and images that carry it."""

from __future__ import annotations

import re
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from badges_plugin.web.headers import DOCUMENT_POLICY
from badges_plugin.web.pages.answers import gone, not_found, refusal
from badges_plugin.web.pages.content import content_of
from badges_plugin.web.pages.limits import limited
from badges_plugin.web.pages.serving import served
from badges_plugin.web.pages.visibility import Hidden, Seen, look_at
from badges_plugin.web.shared import baked_png, baked_svg

JSON_TYPE = "application/vc+ld+json"
_JSON_TYPES = ("application/vc+ld+json", "application/vc", "application/ld+json", "application/json")
_TYPES = {"json": JSON_TYPE, "jwt": "text/plain; charset=utf-8", "png": "image/png", "svg": "image/svg+xml"}


@served
@limited("public", lambda settings: settings.public_rate)
@require_safe
def badge_file(request: HttpRequest, uuid: UUID, form: str) -> HttpResponse:
    """Return the signed badge as a file of one of four forms, to everybody who may have it."""
    if form not in _TYPES:
        return not_found(request)
    seen = look_at(request, uuid)
    if isinstance(seen, Hidden):
        return gone(request) if seen.status == 410 else not_found(request)
    if not seen.may_have_files:
        return gone(request) if seen.badge.is_revoked else not_found(request)
    response = HttpResponse(_content(seen, form), content_type=_TYPES[form])
    name = content_of(seen.badge.document.json_text).name
    response["Content-Disposition"] = f'attachment; filename="{_file_name(name)}.{form}"'
    response["Content-Security-Policy"] = DOCUMENT_POLICY
    response["Access-Control-Allow-Origin"] = "*"
    return response


def wants_json(request: HttpRequest) -> bool:
    """Return whether who asks prefers the document to the page. Programs that do not say get the page."""
    qualities = dict(_accepted(request.headers.get("Accept", "")))
    html = max(qualities.get(each, 0.0) for each in ("text/html", "application/xhtml+xml", "text/*", "*/*"))
    return max(qualities.get(each, 0.0) for each in _JSON_TYPES) > html or (
        "text/html" not in qualities and any(qualities.get(each) for each in _JSON_TYPES)
    )


def json_answer(seen: Seen | Hidden) -> HttpResponse:
    """Return the signed document, or in a few words why not."""
    if isinstance(seen, Hidden):
        return refusal(seen.status, "This badge is no longer public." if seen.status == 410 else "Not found.")
    if not seen.may_have_files:
        if seen.badge.is_revoked:
            return refusal(410, "This badge was revoked.")
        return refusal(404, "The signed document is not public.")
    response = HttpResponse(seen.badge.document.json_text, content_type=JSON_TYPE)
    response["Access-Control-Allow-Origin"] = "*"
    return response


def _content(seen: Seen, form: str) -> bytes:
    document = seen.badge.document
    match form:
        case "json":
            return document.json_text.encode()
        case "jwt":
            return document.jwt.encode()
        case "png":
            return baked_png(seen.badge.template, document.json_text)
    return baked_svg(seen.badge.template, document.json_text)


def _accepted(header: str) -> list[tuple[str, float]]:
    """Return media types and their qualities as an Accept header gives them; nonsense counts as 0."""
    found = []
    for part in header.split(","):
        name, *parameters = (each.strip() for each in part.split(";"))
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        found.append((name.lower(), float(quality) if re.fullmatch(r"[01](\.\d{0,3})?", quality) else 0.0))
    return found


def _file_name(name: str) -> str:
    """Return a name that every system takes and a header can hold."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "badge"
