"""Mirroring badge templates. The provider decides what there is; what staff configured here is never deleted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from django.contrib.sites.models import Site
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from badges_plugin.api import deactivate_template
from badges_plugin.distribution.accounts.records import skip_on_data_error
from badges_plugin.models import BadgeTemplate


class HasId(Protocol):
    """What a provider says of one template, under the id that it has there. ``title`` is empty where it has no name."""

    @property
    def id(self) -> Any: ...

    @property
    def title(self) -> str: ...


RecordT = TypeVar("RecordT", bound=HasId)
TemplateT = TypeVar("TemplateT", bound=BadgeTemplate)

MAX_NAME_LENGTH = 255
_SHOWN = 5


@dataclass(slots=True)
class SyncResult:
    """How many templates of one account were what."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deactivated: int = 0
    refused: int = 0
    unreadable: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Templates that exist at the provider."""
        return self.created + self.updated + self.unchanged + self.refused + len(self.unreadable)

    @property
    def needs_attention(self) -> bool:
        """Whether something is not as it should be at the provider."""
        return bool(self.refused or self.unreadable or self.unnamed)

    def count(self, word: str) -> None:
        """Add one to "created", "updated", "unchanged" or "refused"."""
        setattr(self, word, getattr(self, word) + 1)

    def __str__(self) -> str:
        text = _("%(total)d found, %(created)d new, %(updated)d changed, %(deactivated)d deactivated")
        if self.refused:
            text += _(", %(refused)d that the database does not take (see the log)")
        if self.unreadable:
            text += _(", %(unreadable)d left out because they cannot be read: %(which)s. Nothing was deactivated")
        if self.unnamed:
            text += _(", %(unnamed)d without a name, called by their id: %(whose)s")
        return text % {
            "refused": self.refused,
            "total": self.total,
            "created": self.created,
            "updated": self.updated,
            "deactivated": self.deactivated,
            "unreadable": len(self.unreadable),
            "which": _some(self.unreadable),
            "unnamed": len(self.unnamed),
            "whose": _some(self.unnamed),
        }


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")


def mirror(
    read: Callable[[list[str]], Iterable[RecordT]],
    *,
    known_without: Callable[[Collection[Any]], QuerySet[TemplateT]],
    apply: Callable[[RecordT], str],
    mark_gone: Callable[[TemplateT], bool],
) -> SyncResult:
    """Bring the templates of one account in line with the provider's.

    Args:
        read: asks the provider for all templates, and says in the list which of them cannot be read.
        known_without: the account's templates here that have none of these ids, but for those that are marked as gone.
        apply: creates or updates one template; returns "created", "updated" or "unchanged".
        mark_gone: notes that the provider has it no more; returns whether it was active until now.

    Raises what ``read`` raises; then nothing was changed, since all pages are read first.
    """
    result = SyncResult()
    records = {record.id: record for record in read(result.unreadable)}
    if known_without(records).exists():
        # Pages are counted: a template that is deleted at the provider meanwhile moves another one past the reader.
        result.unreadable.clear()
        records |= {record.id: record for record in read(result.unreadable)}
    for record in records.values():
        what = "refused"
        with skip_on_data_error(f"Badge template {record.id}"), transaction.atomic():
            what = apply(record)
        result.count(what)
        if not record.title:
            result.unnamed.append(str(record.id))
    if result.unreadable:
        # What seems to be gone may be what cannot be read.
        return result
    for template in known_without(records):
        result.deactivated += mark_gone(template)
    return result


def name_for(record: HasId, known: BadgeTemplate | None) -> str:
    """The provider's name for a template or, where it has none, the one that it had before, or one of its id."""
    return (record.title or (known.name if known else "") or _("Badge template %s") % record.id)[:MAX_NAME_LENGTH]


def retire(template: BadgeTemplate, values: Mapping[str, object]) -> bool:
    """Take over that the provider has it no more, and deactivate it. Returns whether it was active until now."""
    take_over(template, values)
    was_active = template.is_active
    if was_active:
        deactivate_template(template)
    return was_active


def take_over(template: BadgeTemplate, values: Mapping[str, object]) -> bool:
    """Save those of the provider's values that differ. Returns whether any did."""
    changed = {name: value for name, value in values.items() if getattr(template, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(template, name, value)
        template.save(update_fields=[*changed, "modified"])
    return bool(changed)


def default_site() -> Site:
    """The site of templates that are mirrored: no request tells it. Staff can change it in the admin."""
    site = Site.objects.order_by("pk").first()
    if site is None:
        raise Site.DoesNotExist("There is no site. Create one in the admin under Sites.")
    return site
