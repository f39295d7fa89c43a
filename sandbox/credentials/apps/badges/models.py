"""The built-in badges app, reduced to what a plugin can collide with, and to what it holds that can be adopted.

The label ``badges``, the model names and the default reverse accessors (``Site.badgetemplate_set``,
``UserCredential.credlybadge``) are the real ones; the fields are those that make the relations and that tell of badges.
Nothing here processes an event.
"""

from __future__ import annotations

import uuid

from credentials.apps.credentials.models import AbstractCredential, TimeStampedModel, UserCredential
from django.db import models


class CredlyOrganization(TimeStampedModel):
    """.. no_pii: This model has no PII."""

    uuid = models.UUIDField(unique=True)
    api_key = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True)

    def __str__(self) -> str:
        return self.name or str(self.uuid)


class BadgeTemplate(AbstractCredential):
    """.. no_pii: This model has no PII."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    icon = models.CharField(max_length=255, blank=True)
    origin = models.CharField(max_length=128, blank=True)
    state = models.CharField(max_length=100, blank=True, null=True)  # noqa: DJ001  as the real one

    def __str__(self) -> str:
        return self.name


class CredlyBadgeTemplate(BadgeTemplate):
    """.. no_pii: This model has no PII."""

    organization = models.ForeignKey(CredlyOrganization, on_delete=models.CASCADE)


class AccredibleAPIConfig(TimeStampedModel):
    """.. no_pii: This model has no PII."""

    name = models.CharField(max_length=255)
    api_key = models.CharField(max_length=255)

    def __str__(self) -> str:
        return self.name


class AccredibleGroup(BadgeTemplate):
    """.. no_pii: This model has no PII."""

    api_config = models.ForeignKey(AccredibleAPIConfig, on_delete=models.CASCADE)


class BadgeRequirement(models.Model):
    """.. no_pii: This model has no PII."""

    template = models.ForeignKey(BadgeTemplate, on_delete=models.CASCADE, related_name="requirements")
    event_type = models.CharField(max_length=255)
    description = models.TextField(blank=True, null=True)  # noqa: DJ001
    blend = models.CharField(max_length=255, blank=True, null=True)  # noqa: DJ001


class DataRule(models.Model):
    """.. no_pii: This model has no PII."""

    requirement = models.ForeignKey(BadgeRequirement, on_delete=models.CASCADE, related_name="rules")
    data_path = models.CharField(max_length=255)
    operator = models.CharField(max_length=32)
    value = models.CharField(max_length=255)


class BadgePenalty(models.Model):
    """.. no_pii: This model has no PII."""

    template = models.ForeignKey(BadgeTemplate, on_delete=models.CASCADE)
    event_type = models.CharField(max_length=255)
    requirements = models.ManyToManyField(BadgeRequirement)


class PenaltyDataRule(models.Model):
    """.. no_pii: This model has no PII."""

    penalty = models.ForeignKey(BadgePenalty, on_delete=models.CASCADE, related_name="rules")
    data_path = models.CharField(max_length=255)
    operator = models.CharField(max_length=32)
    value = models.CharField(max_length=255)


class BadgeProgress(models.Model):
    """How far a learner is.

    .. pii: Stores the user name of a learner.
    .. pii_types: username
    .. pii_retirement: retained
    """

    username = models.CharField(max_length=255)
    template = models.ForeignKey(BadgeTemplate, on_delete=models.SET_NULL, blank=True, null=True)


class Fulfillment(models.Model):
    """.. no_pii: This model has no PII."""

    progress = models.ForeignKey(BadgeProgress, on_delete=models.CASCADE)
    requirement = models.ForeignKey(
        BadgeRequirement, on_delete=models.SET_NULL, blank=True, null=True, related_name="fulfillments"
    )


class CredlyBadge(UserCredential):
    """A badge at Credly.

    .. pii: Stores the user name of a learner, by its parent.
    .. pii_types: username
    .. pii_retirement: retained
    """

    state = models.CharField(max_length=100, default="created")
    external_uuid = models.UUIDField(blank=True, null=True, unique=True)


class AccredibleBadge(UserCredential):
    """A badge at Accredible.

    .. pii: Stores the user name of a learner, by its parent.
    .. pii_types: username
    .. pii_retirement: retained
    """

    state = models.CharField(max_length=100, default="created")
    external_id = models.IntegerField(blank=True, null=True, unique=True)
