"""Who may ask what, and how often."""

from __future__ import annotations

from edx_rest_framework_extensions.auth.jwt.authentication import JwtAuthentication
from edx_rest_framework_extensions.permissions import NotJwtRestrictedApplication
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from badges_plugin.web.rest_api.conf import config
from badges_plugin.web.visitors import address_of

# The first one says with which header a 401 asks for a login.
LOGGED_IN = (JwtAuthentication, SessionAuthentication)


class _HasPermission(BasePermission):
    codename = ""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user.is_active and request.user.has_perm(f"badges_plugin.{self.codename}"))


class MayViewAwards(_HasPermission):
    codename = "view_badgeaward"


class MayViewProgress(_HasPermission):
    codename = "view_badgeprogress"


# A token that the LMS gives to another site for its users ("restricted application") opens nothing here.
LEARNERS = (IsAuthenticated, NotJwtRestrictedApplication)
STAFF_AWARDS = (*LEARNERS, MayViewAwards)
STAFF_PROGRESS = (*LEARNERS, MayViewProgress)


class Throttle(ScopedRateThrottle):
    """Limits requests by the view's ``throttle_scope``, counted in the service's cache: by user, else by address."""

    def get_rate(self) -> str | None:
        return config().rates[self.scope]  # type: ignore[index]

    def get_ident(self, request: Request) -> str:
        """Return the address that asks. REST framework's own believes all that a client writes of itself."""
        return address_of(request._request)  # noqa: SLF001 - the request that it wraps
