"""How every process learns that the configuration changed.

The ruleset is compiled in memory. Each change of a template, requirement, rule or penalty writes a new random
token into one row, in the same transaction; whoever processes events compares the token, one query by primary
key, and compiles again when it differs. A random token, not a counter: a counter that was rolled back and
counted up again by somebody else would look unchanged.

The row is also the first that a change locks, so that changes come one after the other. Each locks several rows, and
in many orders: a template and what a backend adds to it, a requirement and the links of a penalty to it, a last
requirement and then its template. Two of them could deadlock. Events only read the row.
"""

from __future__ import annotations

import uuid
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models.signals import class_prepared, post_delete, post_save

ModelT = TypeVar("ModelT", bound=models.Model, covariant=True)


class RulesetVersion(models.Model):
    """One row, with primary key 1.

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
    def hold(cls) -> None:
        """Wait until nobody else changes the configuration, and keep it so until the end of the transaction."""
        list(cls.objects.select_for_update().filter(pk=1).values_list("pk"))

    @classmethod
    def renew(cls) -> None:
        """Make every process compile its ruleset again once the running transaction is committed."""
        cls.objects.update_or_create(pk=1, defaults={"token": uuid.uuid4()})


class ConfigurationQuerySet(models.QuerySet[ModelT]):
    """Bulk operations renew the version as well: they send no signals."""

    def update(self, **kwargs: Any) -> int:
        with transaction.atomic():
            RulesetVersion.hold()
            changed = super().update(**kwargs)
            RulesetVersion.renew()
        return changed

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[ModelT]:
        with transaction.atomic():
            RulesetVersion.hold()
            created = super().bulk_create(*args, **kwargs)
            RulesetVersion.renew()
        return created

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            hold_rows(self)
            return super().delete()


class ConfigurationModel(models.Model):
    """Base of the models whose rows the ruleset is compiled from.

    .. no_pii: This model has no PII.
    """

    objects = models.Manager.from_queryset(ConfigurationQuerySet)()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and renew the version in the same transaction: a process that dies in between changes nothing."""
        with transaction.atomic():
            RulesetVersion.hold()
            super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete. An event that is about to refer to the row waits, and then finds it gone."""
        with transaction.atomic():
            hold_rows(type(self)._base_manager.filter(pk=self.pk))  # noqa: SLF001  Django's documented name
            return super().delete(*args, **kwargs)


def hold_rows(rows: models.QuerySet[Any]) -> None:
    """Lock rows before what refers to them is collected and deleted.

    Otherwise a fulfillment that is written between the two makes the deletion fail.
    """
    RulesetVersion.hold()
    keys = list(rows.order_by().values_list("pk", flat=True))
    list(rows.model._base_manager.select_for_update().filter(pk__in=keys).values_list("pk"))  # noqa: SLF001


def _renew(**kwargs: object) -> None:
    RulesetVersion.renew()


def renew_for_links(instance: models.Model, action: str, **kwargs: object) -> None:
    """Receive ``m2m_changed`` of a relation between configuration models."""
    if action.startswith("pre_"):
        RulesetVersion.hold()
    elif action.startswith("post_"):
        RulesetVersion.renew()


def _watch(sender: type[models.Model], **kwargs: object) -> None:
    # Each model by itself, those of backends included: a receiver for all senders would keep Django from deleting
    # anything in the host in one statement.
    if issubclass(sender, ConfigurationModel):
        uid = f"badges_plugin.ruleset_version.{sender.__module__}.{sender.__qualname__}"
        post_save.connect(_renew, sender=sender, dispatch_uid=uid)
        post_delete.connect(_renew, sender=sender, dispatch_uid=uid)


class_prepared.connect(_watch, dispatch_uid="badges_plugin.ruleset_version")
