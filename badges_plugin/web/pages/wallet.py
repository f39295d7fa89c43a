"""Hand a badge to a wallet: it asks how (an interaction URL), and is given the badge in one exchange.

https://w3c-ccg.github.io/vc-api/#interaction-url-format and the exchange there that asks for nothing in return.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from badges_plugin.web.pages.answers import refusal
from badges_plugin.web.pages.limits import limited
from badges_plugin.web.pages.serving import served
from badges_plugin.web.pages.visibility import Hidden, look_at_with_token

_CONTEXT = "https://www.w3.org/ns/credentials/v2"


@csrf_exempt  # nothing is changed, and a wallet has no session
@served
@limited("public", lambda settings: settings.public_rate)
@require_http_methods(["GET", "HEAD", "POST"])
def wallet(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Tell a wallet where to fetch a badge (GET), or give it the badge (POST)."""
    token = request.GET.get("token", "")
    seen = look_at_with_token(request, uuid, token)
    if isinstance(seen, Hidden):
        return refusal(seen.status, "Not found.")
    if not seen.may_have_files:
        return refusal(410 if seen.badge.is_revoked else 404, "There is nothing to fetch.")
    if request.method == "POST":
        presentation = {
            "@context": [_CONTEXT],
            "type": ["VerifiablePresentation"],
            "verifiableCredential": [json.loads(seen.badge.document.json_text)],
        }
        return _answer({"verifiablePresentation": presentation})
    query = f"?{urlencode({'token': token})}" if token else ""
    return _answer({"protocols": {"vcapi": f"{seen.badge.document.url}wallet/{query}"}})


def _answer(content: dict[str, Any]) -> HttpResponse:
    response = JsonResponse(content)
    response["Access-Control-Allow-Origin"] = "*"
    return response
