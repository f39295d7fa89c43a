"""Mirroring badge templates. The provider decides what there is; what staff configured here is never deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.sites.models import Site
from django.utils.translation import gettext as _

from badges_plugin.models import BadgeTemplate


@dataclass(slots=True)
class SyncResult:
    """How many templates of one account were what."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deactivated: int = 0

    @property
    def total(self) -> int:
        """Templates that exist at the provider."""
        return self.created + self.updated + self.unchanged

    def count(self, word: str) -> None:
        """Add one to "created", "updated" or "unchanged"."""
        setattr(self, word, getattr(self, word) + 1)

    def __str__(self) -> str:
        text = _("%(total)d found, %(created)d new, %(updated)d changed, %(deactivated)d deactivated")
        return text % {
            "total": self.total,
            "created": self.created,
            "updated": self.updated,
            "deactivated": self.deactivated,
        }


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
