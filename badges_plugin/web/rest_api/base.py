"""What all views share: JSON only, reading only, and headers that keep answers where they belong."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from badges_plugin.host import User
from badges_plugin.web.rest_api import access, paging
from badges_plugin.web.rest_api.answers import Shape
from badges_plugin.web.rest_api.paging import PageQuery, Position, Wanted
from badges_plugin.web.shared import people_of

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class ApiView(APIView):
    """A view that reads. Everything that the service's settings could change is said here."""

    http_method_names = ["get", "head"]
    renderer_classes = (JSONRenderer,)
    parser_classes = ()
    throttle_classes = (access.Throttle,)
    versioning_class = None
    metadata_class = None
    shape: ClassVar[type[Shape]]
    """The answer or, of a list, one of its results."""
    query: ClassVar[type[PageQuery] | None] = None
    """The parameters of a list."""
    kept: ClassVar[str] = "no-store"
    """How long everybody may keep an answer that needs no login and is no error; others are never kept."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the headers, to errors as well."""
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in _HEADERS.items():
            response[name] = value
        is_public = not self.get_authenticators()
        if is_public:
            response["Access-Control-Allow-Origin"] = "*"  # pages of any site may read it
        failed = response.status_code >= HTTPStatus.BAD_REQUEST
        response["Cache-Control"] = "private, no-store" if failed or not is_public else self.kept
        patch_vary_headers(response, ["Accept-Language", "Cookie"])  # the cookie of the language
        return response


Found = tuple[Sequence[Any], Position | None]
"""What a page of a list shows, and where the following one begins."""


class ListView(ApiView):
    """A list, page by page."""

    query: ClassVar[type[PageQuery]] = PageQuery

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the page that is asked for."""
        wanted = paging.wanted(request, self.query)
        shown, following = self.find(request, wanted, **kwargs)
        return paging.page(request, self.shape(shown, many=True).data, following)

    def find(self, request: Request, wanted: Wanted, **kwargs: Any) -> Found:
        """Return a page of the list."""
        raise NotImplementedError


class LearnerView(ApiView):
    """About the learner who asks."""

    authentication_classes = access.LOGGED_IN
    permission_classes = access.LEARNERS
    throttle_scope = "learner"

    def people(self, request: Request) -> list[int]:
        """Return the keys of all users of the person who asks."""
        assert isinstance(request.user, User)  # noqa: S101 - for the type checker: the permissions see to it
        return people_of(request.user)


class StaffView(ApiView):
    """About all learners, for staff."""

    authentication_classes = access.LOGGED_IN
    permission_classes: Sequence[type[BasePermission]] = access.STAFF_AWARDS
    throttle_scope = "staff"


class PublicView(ApiView):
    """For everybody. Cookies and tokens are not looked at, so that an expired one does no harm."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_scope = "public"


class NotFoundView(PublicView):
    """Answers for addresses that do not exist: the service's own page would be HTML."""

    swagger_schema = None  # drf-yasg does not list it

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        raise NotFound
