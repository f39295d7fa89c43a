"""Serve the public documents: to everybody and every script, without a session, and never for long from a cache."""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views import View

from badges_plugin.distribution.open_badges import documents
from badges_plugin.distribution.open_badges.data import Document

REVOCATION_SECONDS = 30
"""How long a status list may be kept. With the seconds until it is signed again, a revocation shows within a minute."""

_SECONDS = 300

_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class DocumentView(View):
    """One kind of public document. A subclass says what its text is, given what is in the URL."""

    http_method_names = ["get", "head", "options"]
    content_type = "application/ld+json"
    max_age = _SECONDS

    def text(self, request: HttpRequest, **parts: object) -> str | None:
        """Return the document; None where there is none."""
        raise NotImplementedError

    def get(self, request: HttpRequest, **parts: object) -> HttpResponseBase:
        text = self.text(request, **parts)
        if text is None:
            return JsonResponse({"detail": "Not found."}, status=404)
        etag = quote_etag(hashlib.sha256(text.encode()).hexdigest()[:32])
        answer = HttpResponse(text, content_type=self.content_type, headers={"ETag": etag})
        return get_conditional_response(request, etag=etag, response=answer) or answer

    def options(self, request: HttpRequest, *args: object, **parts: object) -> HttpResponseBase:
        """Answer a browser that asks for a script of another site. The host's CORS middleware answers first."""
        return HttpResponse(
            status=204,
            headers={
                "Allow": "GET, HEAD, OPTIONS",
                "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
                "Access-Control-Allow-Headers": "accept, content-type, if-none-match",
                "Access-Control-Max-Age": "86400",
            },
        )

    def dispatch(self, request: HttpRequest, *args: object, **parts: object) -> HttpResponseBase:
        answer = super().dispatch(request, *args, **parts)
        # Not that there is none: whoever asks for the next key before it is made must not hide it from others.
        is_there = answer.status_code < HTTPStatus.BAD_REQUEST
        answer.headers["Cache-Control"] = f"public, max-age={self.max_age}" if is_there else "no-store"
        for name, value in _HEADERS.items():
            answer.headers[name] = value
        return answer


class DidDocumentView(DocumentView):
    content_type = "application/did+ld+json"

    def text(self, request: HttpRequest, **parts: object) -> str | None:
        return _json(documents.did_document(_uuid(parts), request.get_host()))


class ProfileView(DocumentView):
    def text(self, request: HttpRequest, **parts: object) -> str | None:
        return _json(documents.profile_document(_uuid(parts), request.get_host()))


class KeyView(DocumentView):
    content_type = "application/jwk+json"

    def text(self, request: HttpRequest, **parts: object) -> str | None:
        return _json(documents.key_document(_uuid(parts), int(str(parts["number"])), request.get_host()))


class AchievementView(DocumentView):
    def text(self, request: HttpRequest, **parts: object) -> str | None:
        return _json(documents.achievement_document(_uuid(parts), request.get_host()))


class StatusListView(DocumentView):
    content_type = "application/vc+ld+json"
    max_age = REVOCATION_SECONDS

    def text(self, request: HttpRequest, **parts: object) -> str | None:
        return documents.status_list(_uuid(parts))


def _uuid(parts: dict[str, object]) -> UUID:
    return UUID(str(parts["uuid"]))


def _json(document: Document | None) -> str | None:
    return None if document is None else json.dumps(document, ensure_ascii=False)
