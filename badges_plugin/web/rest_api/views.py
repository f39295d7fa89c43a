"""What learners ask about themselves, and what everybody may ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from badges_plugin import reading
from badges_plugin.host import other_tenants
from badges_plugin.reading import AwardFilter
from badges_plugin.web.rest_api import access, answers, public, showing
from badges_plugin.web.rest_api.base import Found, LearnerView, ListView, PublicView
from badges_plugin.web.rest_api.conf import config
from badges_plugin.web.rest_api.paging import Wanted
from badges_plugin.web.shared import site_of


class OwnBadgesView(LearnerView, ListView):
    """My badges, newest first; those that ended, too."""

    shape = answers.OwnAwardShape

    def find(self, request: Request, wanted: Wanted, **kwargs: Any) -> Found:
        own = AwardFilter(user_ids=self.people(request))
        found = reading.list_awards(own, after=wanted.after, limit=wanted.limit)
        return showing.awards(found.holders, request, for_owner=True), found.next


class OwnProgressView(LearnerView, ListView):
    """What I am on the way to, the newest first."""

    shape = answers.ProgressShape

    def find(self, request: Request, wanted: Wanted, **kwargs: Any) -> Found:
        found = reading.on_the_way(self.people(request), after=wanted.after, limit=wanted.limit)
        return showing.progress(found.keys, request), found.next


class CatalogView(PublicView, ListView):
    """The badges of this site that can be earned, and what each asks for."""

    shape = answers.CatalogShape
    kept = "public, max-age=60"

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if config().anonymous_catalog else [each() for each in access.LOGGED_IN]

    def get_permissions(self) -> Sequence[BasePermission]:
        return [] if config().anonymous_catalog else [each() for each in access.LEARNERS]

    def find(self, request: Request, wanted: Wanted, **kwargs: Any) -> Found:
        others = other_tenants(site_of(request))
        found = reading.active_badges(except_sites=others, after=wanted.after, limit=wanted.limit)
        return showing.catalog(found.keys, request), found.next


class PublicBadgeView(PublicView):
    """One badge that its learner published."""

    shape = answers.PublicAwardShape
    # What is public may be taken back at once.
    kept = "public, no-cache"

    def get(self, request: Request, uuid: UUID) -> Response:
        return Response(self.shape(public.award(uuid, request)).data)
