"""The OpenAPI document: kept by hand in ``openapi.json``, and compared with the views by a test."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from badges_plugin.web.rest_api.base import PublicView

FILE = Path(__file__).with_name("openapi.json")


@cache
def document() -> dict[str, Any]:
    """Return the document as it is kept. Nobody may change it."""
    loaded: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return loaded


class DocumentView(PublicView):
    """What this API is, for programs: https://spec.openapis.org/oas/v3.1.1.html"""

    swagger_schema = None  # drf-yasg does not list it
    kept = "public, max-age=3600"

    def get(self, request: Request) -> Response:
        here = request.build_absolute_uri(request.path.removesuffix("openapi.json"))
        return Response({**document(), "servers": [{"url": here}]})
