"""
How every process learns that the configuration changed.

The ruleset is compiled in memory. Each change of a template, requirement, rule or penalty writes a new random
token into one row, in the same transaction; whoever processes events compares the token, one query by primary
key, and compiles again when it differs. A random token, not a counter: a counter that was rolled back and
counted up again by somebody else would look unchanged.
"""

from __future__ import annotations

import uuid
from typing import Any, TypeVar

from django.db import models
from django.db.models.signals import m2m_changed, post_delete, post_save

ModelT = TypeVar("ModelT", bound=models.Model, covariant=True)


class RulesetVersion(models.Model):
    """
    One row, with primary key 1.

    .. no_pii: This model has no PII.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    token = models.UUIDField(default=uuid.uuid4)

    def __str__(self) -> str:
        return str(self.token)

    @classmethod
    def current(cls) -> uuid.UUID | None:
        """Return the token, or None while nothing was ever configured. One query."""
        return cls.objects.filter(pk=1).values_list("token", flat=True).first()

    @classmethod
    def renew(cls) -> None:
        """Make every process compile its ruleset again once the running transaction is committed."""
        cls.objects.update_or_create(pk=1, defaults={"token": uuid.uuid4()})


class ConfigurationQuerySet(models.QuerySet[ModelT]):
    """The bulk operations, which send no signals, renew the version as well."""

    def update(self, **kwargs: Any) -> int:
        changed = super().update(**kwargs)
        RulesetVersion.renew()
        return changed

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[ModelT]:
        created = super().bulk_create(*args, **kwargs)
        RulesetVersion.renew()
        return created


class ConfigurationModel(models.Model):
    """
    Base of the models whose rows the ruleset is compiled from.

    .. no_pii: This model has no PII.
    """

    objects = models.Manager.from_queryset(ConfigurationQuerySet)()

    class Meta:
        abstract = True


def _renew(sender: type[models.Model], **kwargs: object) -> None:
    # Connected for every sender: a model of a backend that inherits from BadgeTemplate sends its signals alone.
    if issubclass(sender, ConfigurationModel):
        RulesetVersion.renew()


def _renew_for_links(sender: type[models.Model], instance: models.Model, action: str, **kwargs: object) -> None:
    if action.startswith("post_") and isinstance(instance, ConfigurationModel):
        RulesetVersion.renew()


post_save.connect(_renew, dispatch_uid="badges_plugin.ruleset_version.save")
post_delete.connect(_renew, dispatch_uid="badges_plugin.ruleset_version.delete")
m2m_changed.connect(_renew_for_links, dispatch_uid="badges_plugin.ruleset_version.links")
