"""``manage.py sync_accredible_badge_templates``: mirror the groups of Accredible API configurations.

From Teak on the host's built-in app has a command sync_accredible_groups, hence another name.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from badges_plugin.command_line import BadgesCommand, text
from badges_plugin.distribution.accounts.commands import for_each
from badges_plugin.distribution.accredible.configurations import ensure_configured
from badges_plugin.distribution.accredible.models import AccredibleApiConfig
from badges_plugin.distribution.accredible.sync import sync_groups


class Command(BadgesCommand):
    help = "Mirror the groups of one Accredible API configuration, or of all. New groups are inactive."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--configuration", type=text, metavar="NAME", help="Only this API configuration.")

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_configured()
        configurations = self._configurations(options["configuration"])
        for_each(self, configurations, lambda api_config: str(sync_groups(api_config)))

    def _configurations(self, wanted: str | None) -> list[AccredibleApiConfig]:
        rows = AccredibleApiConfig.objects.order_by("name", "pk")
        if wanted is None:
            return list(rows)
        found = list(rows.filter(name=wanted))
        if not found:
            raise CommandError(
                f"There is no Accredible API configuration {wanted!r}. Add it in the admin or the settings."
            )
        return found
