"""Keep what staff configured in all its states, and who made it so, with django-simple-history.

The package makes a table beside each recorded one, and hears of rows that are saved or deleted one by one. ``Records``
adds what it does not know of: templates that are saved as a backend's (multi-table inheritance), bulk operations, the
user of a host that has not its middleware; and saving what is the same, as synchronizations do, records nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.utils import timezone
from simple_history.models import HistoricalRecords

from badges_plugin.host import current_user

BATCH = 500

PERSON = "person"
"""The reason of a record that somebody made who was signed in. It stays when the user is gone."""
BEGAN = "began"
"""The reason of a record of what there was when the history began."""

ADDED, CHANGED, DELETED = "+", "~", "-"

State = dict[str, Any]

_all: dict[type[models.Model], Records] = {}


class Linked(models.Model):
    """What a record also has where rows refer to several others: their keys.

    .. no_pii: This model has no PII.
    """

    linked_ids = models.JSONField(default=list)

    class Meta:
        abstract = True


class Records(HistoricalRecords):  # type: ignore[misc]  # has no types
    """The history of one model: ``history = Records(...)`` in its class.

    ``left_out``: fields whose changes do not matter. ``links``: a many-to-many field to record.
    """

    def __init__(self, *, left_out: Sequence[str] = (), links: str = "") -> None:
        # The types of columns are said here: the package would take them from settings, and a setting must not become
        # a migration.
        super().__init__(
            bases=(Linked,) if links else (models.Model,),
            excluded_fields=list(left_out),
            history_id_field=models.BigAutoField(),
            history_change_reason_field=models.CharField(max_length=16, blank=True, default=""),
        )
        self.links = links

    @property
    def _date_indexing(self) -> bool:
        return False

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        """Without permissions: nobody edits a history, and whoever may see a badge may see its history."""
        return {**super().get_meta_options(model), "default_permissions": ()}

    def contribute_to_class(self, cls: type[models.Model], name: str) -> None:
        super().contribute_to_class(cls, name)
        _all[cls] = self

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        """Watch the model, and those that inherit from it."""
        if sender is self.cls:
            super().finalize(sender, **kwargs)
            if self.links:
                through = sender._meta.get_field(self.links).remote_field.through
                m2m_changed.connect(self._links_changed, sender=through, weak=False)
        elif issubclass(sender, self.cls):
            # Django tells of the rows above a saved one only when they are deleted; of a proxy never.
            post_save.connect(self.post_save, sender=sender, weak=False)
            if sender._meta.proxy:
                post_delete.connect(self.post_delete, sender=sender, weak=False)

    @cached_property
    def _model(self) -> type[models.Model]:
        """The model of the records. The package makes a class for each question for it."""
        return self.cls.history.model  # type: ignore[no-any-return]

    @property
    def records(self) -> models.QuerySet[Any]:
        """Return all records, in no order."""
        return self._model._default_manager.order_by()  # noqa: SLF001

    @property
    def columns(self) -> list[str]:
        """Return the names of the columns of which a record keeps the values."""
        own = [field.attname for field in self.fields_included(self.cls)]
        return [*own, "linked_ids"] if self.links else own

    def keeps(self, names: Collection[str]) -> bool:
        """Whether a record keeps any of these fields, named as in ``update``."""
        kept = {name for field in self.fields_included(self.cls) for name in (field.name, field.attname)}
        return not kept.isdisjoint(names)

    def create_historical_record(self, instance: models.Model, history_type: str, using: str | None = None) -> None:
        """Receive from the package that one row was saved or deleted."""
        if history_type == DELETED:
            self._note_deleted(instance)
        elif history_type == ADDED and type(instance) is self.cls and _is_on():
            # Of a new row nothing is recorded. What is added to one that inherits from it may have been there before.
            self._write(self._stored([instance.pk]), history_type)
        else:
            self.note([instance.pk], history_type)

    def note(self, keys: Collection[int], history_type: str = CHANGED) -> None:
        """Record the present state of rows, unless it is the last recorded. Four queries for up to 500 of them.

        As they are stored: what an object has in memory may be older than the row, or not saved with it.
        """
        if not keys or not _is_on():
            return
        given = sorted(keys)
        for start in range(0, len(given), BATCH):
            some = given[start : start + BATCH]
            last = self._last(some)
            self._write({pk: row for pk, row in self._stored(some).items() if row != last.get(pk)}, history_type)

    def newest_key(self) -> int:
        """Return the largest key of the model's rows; 0 if there are none. One query."""
        found = self.cls._base_manager.aggregate(newest=models.Max("pk"))["newest"]  # noqa: SLF001
        return found or 0

    def note_added(self, keys: Sequence[int | None], after: int) -> None:
        """Record rows that were inserted together, nobody else inserting: MySQL does not tell their keys."""
        known = [pk for pk in keys if pk is not None]
        if len(known) < len(keys):
            newer = self.cls._base_manager.filter(pk__gt=after)  # noqa: SLF001
            known = [*{*known, *newer.order_by().values_list("pk", flat=True)}]
        self.note(known, ADDED)

    def _stored(self, keys: Sequence[int]) -> dict[int, State]:
        rows = self.cls._base_manager.filter(pk__in=keys).order_by()  # noqa: SLF001
        own = [name for name in self.columns if name != "linked_ids"]
        found: dict[int, State] = {row["id"]: row for row in rows.values(*own)}
        if self.links:
            for row in found.values():
                row["linked_ids"] = []
            for pk, linked in rows.exclude(**{self.links: None}).order_by(self.links).values_list("pk", self.links):
                found[pk]["linked_ids"].append(linked)
        return found

    def _last(self, keys: Sequence[int]) -> dict[int, State]:
        """Return what is recorded last, of those whose last record is not that they were deleted."""
        rows = self.newest_of(self.records.filter(id__in=keys))
        return {row["id"]: row for row in rows.values(*self.columns, "history_type") if _is_there(row)}

    def newest_of(self, records: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Return the newest of these records of each row. One query here."""
        # Asked first: with the question inside the other one, MySQL reads the whole table.
        newest = records.order_by().values("id").annotate(newest=models.Max("history_id"))
        return self.records.filter(history_id__in=list(newest.values_list("newest", flat=True)))

    def _note_deleted(self, instance: models.Model) -> None:
        """Record that a row is gone, with its last state."""
        state = self._last([instance.pk]).get(instance.pk)
        if state is None and not instance.get_deferred_fields():
            state = {name: getattr(instance, name, []) for name in self.columns}
        if state is not None:
            self._write({instance.pk: state}, DELETED)

    def _write(self, states: Mapping[int, State], history_type: str) -> None:
        user, now = current_user(), timezone.now()
        facts = {
            "history_date": now,
            "history_type": history_type,
            "history_user_id": None if user is None else user.pk,
            "history_change_reason": "" if user is None else PERSON,
        }
        rows = [self._model(**states[pk], **facts) for pk in sorted(states)]
        if rows:
            self._model._default_manager.bulk_create(rows)  # noqa: SLF001

    def _links_changed(self, instance: models.Model, action: str, reverse: bool, **kwargs: Any) -> None:
        if not action.startswith("post_"):
            return
        # From the other side: of which rows the links are gone, a cleared relation does not tell.
        of_template = {"template": getattr(instance, "template_id", None)} if reverse else {"pk": instance.pk}
        rows = self.cls._base_manager.filter(**of_template)  # noqa: SLF001
        self.note(list(rows.order_by().values_list("pk", flat=True)))


def _is_on() -> bool:
    """Whether the host keeps histories."""
    return bool(getattr(settings, "SIMPLE_HISTORY_ENABLED", True))


def _is_there(row: State) -> bool:
    return bool(row.pop("history_type") != DELETED)


def records_of(model: type[models.Model]) -> Records | None:
    """Return the history of a model, or of the one that it inherits from."""
    return next((_all[base] for base in model.__mro__ if base in _all), None)


def all_records() -> list[Records]:
    """Return the histories of all recorded models."""
    return list(_all.values())


def forget_users(user_ids: Collection[int]) -> None:
    """Remove people from all records of what they changed. One query for each recorded model."""
    for records in all_records():
        records.records.filter(history_user__in=user_ids).update(history_user=None)
