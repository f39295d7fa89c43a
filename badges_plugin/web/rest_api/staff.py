"""What staff ask about learners."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from badges_plugin import reading
from badges_plugin.models import BadgeTemplate
from badges_plugin.reading import AwardFilter, AwardState
from badges_plugin.web.rest_api import access, answers, showing
from badges_plugin.web.rest_api.base import Found, ListView, StaffView
from badges_plugin.web.rest_api.paging import PageQuery, Wanted


class AwardQuery(PageQuery):
    """Which awards staff want. A day stands for its first instant in UTC."""

    badge = serializers.UUIDField(required=False)
    learner = serializers.CharField(required=False, max_length=255)
    state = serializers.ChoiceField([each.value for each in AwardState], required=False)
    awarded_after = serializers.DateTimeField(required=False, default_timezone=UTC)
    awarded_before = serializers.DateTimeField(required=False, default_timezone=UTC)


class AwardsView(StaffView, ListView):
    """Who has what, newest first."""

    shape = answers.StaffAwardShape
    query = AwardQuery

    def find(self, request: Request, wanted: Wanted, **kwargs: Any) -> Found:
        sought = _filter(wanted.parameters)
        if sought is None:
            return (), None
        found = reading.list_awards(sought, after=wanted.after, limit=wanted.limit)
        return showing.awards(found.holders, request, for_owner=False), found.next


class LearnerBadgesView(StaffView, ListView):
    """The badges of a learner, newest first."""

    shape = answers.StaffAwardShape

    def find(self, request: Request, wanted: Wanted, **kwargs: Any) -> Found:
        theirs = AwardFilter(user_ids=_users(kwargs["username"]))
        found = reading.list_awards(theirs, after=wanted.after, limit=wanted.limit)
        return showing.awards(found.holders, request, for_owner=False), found.next


class LearnerProgressView(StaffView, ListView):
    """What a learner is on the way to, the newest first."""

    shape = answers.ProgressShape
    permission_classes = access.STAFF_PROGRESS

    def find(self, request: Request, wanted: Wanted, **kwargs: Any) -> Found:
        found = reading.on_the_way(_users(kwargs["username"]), after=wanted.after, limit=wanted.limit)
        return showing.progress(found.keys, request), found.next


def _users(username: str) -> tuple[int, ...]:
    """Return the keys of the users of this name. Raises NotFound (404) if there are none."""
    found = reading.learners_called(username)
    if not found:
        raise NotFound
    return found


def _filter(parameters: dict[str, Any]) -> AwardFilter | None:
    """Return the filter, or None if it names a badge or a learner that does not exist: nothing can match."""
    template_id, user_ids = None, None
    if uuid := parameters.get("badge"):
        template_id = BadgeTemplate.objects.filter(uuid=uuid).values_list("pk", flat=True).first()
        if template_id is None:
            return None
    if learner := parameters.get("learner"):
        user_ids = reading.learners_called(learner)
        if not user_ids:
            return None
    state = parameters.get("state")
    return AwardFilter(
        template_id=template_id,
        user_ids=user_ids,
        state=AwardState(state) if state else None,
        awarded_from=parameters.get("awarded_after"),
        awarded_before=parameters.get("awarded_before"),
    )
