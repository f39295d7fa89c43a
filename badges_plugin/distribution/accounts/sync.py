"""Mirror badge templates. The provider decides which exist; what staff configured here is never deleted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from django.contrib.sites.models import Site
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from badges_plugin.api import deactivate_template
from badges_plugin.distribution.accounts.payloads import skip_on_data_error
from badges_plugin.models import BadgeTemplate


class TemplatePayload(Protocol):
    """The provider's data about one template. ``title`` is empty where the template has no name."""

    @property
    def id(self) -> Any: ...

    @property
    def title(self) -> str: ...


PayloadT = TypeVar("PayloadT", bound=TemplatePayload)
TemplateT = TypeVar("TemplateT", bound=BadgeTemplate)

MAX_NAME_LENGTH = 255
_MAX_SHOWN = 5


@dataclass(slots=True)
class SyncResult:
    """The numbers of one account's templates, by outcome."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deactivated: int = 0
    refused: int = 0
    unreadable: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """The number of templates that exist at the provider."""
        return self.created + self.updated + self.unchanged + self.refused + len(self.unreadable)

    @property
    def needs_attention(self) -> bool:
        """Whether something is wrong with templates at the provider."""
        return bool(self.refused or self.unreadable or self.unnamed)

    def count(self, outcome: str) -> None:
        """Add one to "created", "updated", "unchanged" or "refused"."""
        setattr(self, outcome, getattr(self, outcome) + 1)

    def __str__(self) -> str:
        text = _("%(total)d found, %(created)d new, %(updated)d changed, %(deactivated)d deactivated.")
        numbers = {name: getattr(self, name) for name in ("total", "created", "updated", "deactivated")}
        return " ".join([text % numbers, *self._problems()])

    def _problems(self) -> Iterator[str]:
        if number := self.refused:
            text = ngettext(
                "%(number)d template cannot be stored; the log says why.",
                "%(number)d templates cannot be stored; the log says why.",
                number,
            )
            yield text % {"number": number}
        if number := len(self.unreadable):
            text = ngettext(
                "%(number)d template cannot be read and was skipped: %(names)s. Nothing was deactivated.",
                "%(number)d templates cannot be read and were skipped: %(names)s. Nothing was deactivated.",
                number,
            )
            yield text % {"number": number, "names": _some(self.unreadable)}
        if number := len(self.unnamed):
            text = ngettext(
                "%(number)d template has no name and is called by its id: %(ids)s.",
                "%(number)d templates have no name and are called by their ids: %(ids)s.",
                number,
            )
            yield text % {"number": number, "ids": _some(self.unnamed)}


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_MAX_SHOWN]) + (" …" if len(names) > _MAX_SHOWN else "")


def mirror(
    read: Callable[[list[str]], Iterable[PayloadT]],
    *,
    known_without: Callable[[Collection[Any]], QuerySet[TemplateT]],
    apply: Callable[[PayloadT], str],
    mark_gone: Callable[[TemplateT], bool],
) -> SyncResult:
    """Bring the templates of one account in line with the provider's.

    Args:
        read: fetches all templates from the provider, and appends those that cannot be read to the list.
        known_without: the account's templates here with other ids, except those already marked as gone.
        apply: creates or updates one template; returns "created", "updated" or "unchanged".
        mark_gone: marks a template that the provider no longer has; returns whether it was active until now.

    Raises the failures of ``read``; then nothing was changed, since all pages are read first.
    """
    result = SyncResult()
    payloads = {payload.id: payload for payload in read(result.unreadable)}
    if known_without(payloads).exists():
        # Read again: if a template is deleted at the provider meanwhile, another one moves to a page already read.
        result.unreadable.clear()
        payloads |= {payload.id: payload for payload in read(result.unreadable)}
    for payload in payloads.values():
        outcome = "refused"
        with skip_on_data_error(f"Badge template {payload.id}"), transaction.atomic():
            outcome = apply(payload)
        result.count(outcome)
        if not payload.title:
            result.unnamed.append(str(payload.id))
    if result.unreadable:
        # A template that seems to be gone may be the one that cannot be read.
        return result
    for template in known_without(payloads):
        result.deactivated += mark_gone(template)
    return result


def name_for(payload: TemplatePayload, known: BadgeTemplate | None) -> str:
    """Return the provider's name for a template; where it has none, its earlier name or one made of its id."""
    return (payload.title or (known.name if known else "") or _("Badge template %s") % payload.id)[:MAX_NAME_LENGTH]


def deactivate_gone(template: BadgeTemplate, values: Mapping[str, object]) -> bool:
    """Save that the provider no longer has the template, and deactivate it. Return whether it was active until now."""
    take_over(template, values)
    was_active = template.is_active
    if was_active:
        deactivate_template(template)
    return was_active


def take_over(template: BadgeTemplate, values: Mapping[str, object]) -> bool:
    """Save those of the provider's values that differ. Return whether any did."""
    changed = {name: value for name, value in values.items() if getattr(template, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(template, name, value)
        template.save(update_fields=[*changed, "modified"])
    return bool(changed)


def default_site() -> Site:
    """Return the site for new templates: no request tells it. Staff can change it in the admin."""
    site = Site.objects.order_by("pk").first()
    if site is None:
        raise Site.DoesNotExist("There is no site. Create one in the admin under Sites.")
    return site
