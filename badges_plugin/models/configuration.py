"""How every process learns that the configuration changed.

The ruleset is compiled in memory. Each change of a template, requirement, rule or penalty renews the version in the
same transaction (``models.versions``), and names the templates that it concerns; whoever processes events compares the
version, one query by primary key, and compiles these templates again when it differs.

The row of the version is also the first that a change locks, so that changes come one after the other. Each locks
several rows, and in many orders: a template and what a backend adds to it, a requirement and the links of a penalty to
it, a last requirement and then its template. Two of them could deadlock. Events only read the row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, TypeVar

from django.db import models, transaction
from django.db.models.signals import class_prepared, post_delete, post_save

from badges_plugin.models.records import records_of
from badges_plugin.models.versions import MAX_NAMED, RulesetVersion

ModelT = TypeVar("ModelT", bound=models.Model, covariant=True)

Named = frozenset[int] | None
"""Primary keys of the templates that a change concerns; None where it may be any."""


class ConfigurationQuerySet(models.QuerySet[ModelT]):
    """Bulk operations renew the version and are recorded as well: they send no signals."""

    def update(self, **kwargs: Any) -> int:
        with transaction.atomic():
            RulesetVersion.hold()
            # Before: the rows may not be found by the same conditions afterwards.
            named = None if _moves(self.model, kwargs) else _named_by_rows(self)
            records = records_of(self.model)
            keys = list(self.order_by().values_list("pk", flat=True)) if records and records.keeps(kwargs) else []
            changed = super().update(**kwargs)
            if records:
                records.note(keys)
            RulesetVersion.renew(named)
        return changed

    def bulk_create(self, objs: Iterable[ModelT], *args: Any, **kwargs: Any) -> list[ModelT]:
        with transaction.atomic():
            RulesetVersion.hold()
            records = records_of(self.model)
            newest = records.newest_key() if records else 0
            created = super().bulk_create(objs, *args, **kwargs)
            if records:
                records.note_added([row.pk for row in created], newest)
            # What stands in the way and is updated may be of any template.
            named = None if args or kwargs.get("update_conflicts") else _named_by(self.model, created)
            RulesetVersion.renew(named)
        return created

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            hold_rows(self)
            return super().delete()


class ConfigurationModel(models.Model):
    """Base of the models whose rows the ruleset is compiled from.

    .. no_pii: This model has no PII.
    """

    template_path: ClassVar[str] = ""
    """Where its rows name the template that they belong to, as in a filter. Empty: a change may concern any."""

    objects = models.Manager.from_queryset(ConfigurationQuerySet)()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and renew the version in the same transaction: a process that dies in between changes nothing."""
        with transaction.atomic():
            RulesetVersion.hold()
            before = self._stored_templates()
            super().save(*args, **kwargs)
            self._renew_for_others(before)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete. An event that is about to refer to the row waits, and then finds it gone."""
        with transaction.atomic():
            hold_rows(type(self)._base_manager.filter(pk=self.pk))  # noqa: SLF001  Django's documented name
            self._renew_for_others(self._stored_templates())
            return super().delete(*args, **kwargs)

    def _stored_templates(self) -> Named:
        if self.pk is None or self.template_path == "pk":
            return frozenset()
        return _named_by_rows(type(self)._base_manager.filter(pk=self.pk))  # noqa: SLF001

    def _renew_for_others(self, before: Named) -> None:
        """Renew for the template that the row belonged to: what signals tell of is the object in memory."""
        now = _named_by(type(self), [self])
        if before is not None and now is not None and not before <= now:
            RulesetVersion.renew(before - now)


def hold_rows(rows: models.QuerySet[Any]) -> None:
    """Lock rows before what refers to them is collected and deleted.

    Otherwise a fulfillment that is written between the two makes the deletion fail.
    """
    RulesetVersion.hold()
    keys = list(rows.order_by().values_list("pk", flat=True))
    list(rows.model._base_manager.select_for_update().filter(pk__in=keys).values_list("pk"))  # noqa: SLF001


def _named_by_rows(rows: models.QuerySet[Any]) -> Named:
    """Return the templates that stored rows belong to. One query."""
    if not rows.model.template_path:
        return None
    found = rows.order_by().values_list(rows.model.template_path, flat=True).distinct()[: MAX_NAMED + 1]
    named = frozenset(found)
    return named if len(named) <= MAX_NAMED else None


def _named_by(model: type[models.Model], rows: Iterable[models.Model]) -> Named:
    """Return the templates that rows belong to, by the columns that they have in memory. One query at most."""
    path = getattr(model, "template_path", "")
    if not path:
        return None
    first, _, rest = path.partition("__")
    field: Any = model._meta.pk if first == "pk" else model._meta.get_field(first)
    keys = {getattr(row, field.attname) for row in rows}
    if None in keys:  # MySQL does not tell the keys of rows that were inserted together
        return None
    if not rest:
        return frozenset(keys)
    # Not by what the rows have in memory of others: it may be older than the change.
    related: Any = field.related_model
    found = frozenset(related._base_manager.filter(pk__in=keys).values_list("pk", rest))  # noqa: SLF001
    # What is deleted already tells nothing any more.
    return frozenset(named for _, named in found) if len(found) == len(keys) else None


def _moves(model: type[models.Model], changes: Iterable[str]) -> bool:
    """Whether an update of these columns gives rows to another template."""
    first = getattr(model, "template_path", "").partition("__")[0]
    return not {first, f"{first}_id"}.isdisjoint(changes)


def _renew(
    sender: type[models.Model], instance: models.Model, *, raw: bool = False, created: bool = True, **kwargs: object
) -> None:
    # A fixture is written without ``save``: the row may have been another template's.
    RulesetVersion.renew(None if raw and not created else _named_by(sender, [instance]))


def renew_for_links(instance: models.Model, action: str, **kwargs: object) -> None:
    """Receive ``m2m_changed`` of a relation between configuration models of one template."""
    if action.startswith("pre_"):
        RulesetVersion.hold()
    elif action.startswith("post_"):
        RulesetVersion.renew(_named_by_rows(type(instance)._base_manager.filter(pk=instance.pk)))  # noqa: SLF001


def _watch(sender: type[models.Model], **kwargs: object) -> None:
    # Each model by itself, those of backends included: a receiver for all senders would keep Django from deleting
    # anything in the host in one statement.
    if issubclass(sender, ConfigurationModel):
        uid = f"badges_plugin.ruleset_version.{sender.__module__}.{sender.__qualname__}"
        post_save.connect(_renew, sender=sender, dispatch_uid=uid)
        post_delete.connect(_renew, sender=sender, dispatch_uid=uid)


class_prepared.connect(_watch, dispatch_uid="badges_plugin.ruleset_version")
