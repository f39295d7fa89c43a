"""The parameters of requests."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from rest_framework import serializers

from badges_plugin.reading import AwardState
from badges_plugin.web.rest_api.paging import PageQuery


class _InstantField(serializers.DateTimeField):
    """An instant, or a day, which begins at midnight UTC."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)


class AwardQuery(PageQuery):
    """Which awards staff want."""

    badge = serializers.UUIDField(required=False)
    learner = serializers.CharField(required=False, max_length=255)
    state = serializers.ChoiceField([each.value for each in AwardState], required=False)
    awarded_after = _InstantField(required=False)
    awarded_before = _InstantField(required=False)
