"""The shapes of answers. Names of fields are promised: they may be added, never changed or taken away."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from rest_framework import serializers

Shape = serializers.Serializer[Any]


class MomentField(serializers.DateTimeField):
    """An instant in UTC, to the second, whatever the time zone and the format of the service."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M:%SZ", default_timezone=UTC, **kwargs)


class BadgeShape(Shape):
    """A badge that can be earned."""

    uuid = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    image_url = serializers.URLField()


class FilesShape(Shape):
    """Where a signed badge can be downloaded. ``svg`` is null where the image is a PNG."""

    json = serializers.URLField()
    jwt = serializers.URLField()
    png = serializers.URLField()
    svg = serializers.URLField(allow_null=True)


class AwardShape(Shape):
    """One award of a badge. The last five say how it ended; of an award that is held they are null or empty."""

    id = serializers.IntegerField(source="award.id")
    badge = BadgeShape()
    number = serializers.IntegerField(source="award.number")
    state = serializers.CharField(source="award.state.value")
    awarded_at = MomentField(source="award.awarded_at")
    expires_at = MomentField(source="award.expires_at", allow_null=True)
    ended_at = MomentField(source="award.ended_at", allow_null=True)
    ended_by = serializers.CharField(source="award.ending")
    ended_by_text = serializers.CharField(source="award.ending_text")
    reason = serializers.CharField(source="award.reason")


class OwnAwardShape(AwardShape):
    """One of my awards. ``public_url`` is null unless it is published, ``files`` unless it is signed."""

    public_url = serializers.URLField(allow_null=True)
    files = FilesShape(allow_null=True)


class LearnerShape(Shape):
    """A learner, as staff see one."""

    username = serializers.CharField()
    name = serializers.CharField()


class StaffAwardShape(OwnAwardShape):
    """An award with the learner who has it."""

    learner = LearnerShape()


class LastEventShape(Shape):
    """The newest event that said something about a requirement."""

    type = serializers.CharField()
    time = MomentField()
    is_fulfilled = serializers.BooleanField()
    text = serializers.CharField()


class RequirementProgressShape(Shape):
    """What was done for one requirement: ``done`` of ``needed``."""

    sentence = serializers.CharField()
    needed = serializers.IntegerField()
    done = serializers.IntegerField()
    is_fulfilled = serializers.BooleanField()
    since = MomentField(allow_null=True)
    counted = serializers.ListField(child=serializers.CharField())
    missing = serializers.ListField(child=serializers.CharField())
    last_event = LastEventShape(allow_null=True)
    explanation = serializers.CharField()


class StepProgressShape(Shape):
    """What was done for one step: so many of its requirements are needed."""

    name = serializers.CharField()
    sentence = serializers.CharField()
    needed = serializers.IntegerField()
    done = serializers.IntegerField()
    is_fulfilled = serializers.BooleanField()
    is_next = serializers.BooleanField()
    requirements = RequirementProgressShape(many=True)


class ProgressShape(Shape):
    """How far a learner is on the way to a badge: ``done`` of ``needed`` steps."""

    badge = BadgeShape()
    state = serializers.CharField()
    is_complete = serializers.BooleanField(source="progress.is_complete")
    done = serializers.IntegerField(source="progress.done")
    needed = serializers.IntegerField()
    share = serializers.FloatField()
    steps = StepProgressShape(many=True, source="progress.groups")


class RequirementShape(Shape):
    sentence = serializers.CharField()


class StepShape(Shape):
    """Requirements of which so many are needed."""

    name = serializers.CharField()
    sentence = serializers.CharField()
    needed = serializers.IntegerField()
    requirements = RequirementShape(many=True)


class CriteriaShape(Shape):
    """All that a badge asks for; ``sentences`` is all of it in the order in which people read it."""

    sentences = serializers.ListField(child=serializers.CharField())
    in_order = serializers.BooleanField()
    steps = StepShape(many=True, source="groups")


class CatalogShape(BadgeShape):
    """A badge that can be earned now, and what it asks for."""

    criteria = CriteriaShape()


class IssuerShape(Shape):
    """Who signed a badge."""

    name = serializers.CharField()
    url = serializers.URLField(allow_null=True)


class PublicAwardShape(Shape):
    """A published badge, as everybody sees it. ``name`` is empty where the learner chose so, or it was revoked."""

    uuid = serializers.UUIDField()
    public_url = serializers.URLField()
    badge = BadgeShape()
    criteria = serializers.CharField()
    state = serializers.CharField()
    name = serializers.CharField()
    awarded_at = MomentField()
    expires_at = MomentField(allow_null=True)
    ended_at = MomentField(allow_null=True)
    issuer = IssuerShape()
    files = FilesShape(allow_null=True)
