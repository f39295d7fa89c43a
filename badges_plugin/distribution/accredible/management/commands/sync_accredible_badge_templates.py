"""``manage.py sync_accredible_badge_templates``: mirror the groups of Accredible API configurations.

From Teak on, the host's built-in app has a command ``sync_accredible_groups``, hence another name.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError

from badges_plugin.command_line import text
from badges_plugin.distribution.accounts.commands import AccountsCommand
from badges_plugin.distribution.accounts.sync import SyncResult
from badges_plugin.distribution.accredible.models import AccredibleApiConfig
from badges_plugin.distribution.accredible.sync import sync_groups


class Command(AccountsCommand[AccredibleApiConfig]):
    help = "Mirror the groups of one Accredible API configuration, or of all. New groups are inactive."
    account_model = AccredibleApiConfig

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--configuration", type=text, metavar="NAME", help="Only this API configuration.")

    def accounts(self, options: dict[str, Any]) -> Sequence[AccredibleApiConfig]:
        wanted = options["configuration"]
        if wanted is None:
            return super().accounts(options)
        found = list(AccredibleApiConfig.objects.filter(name=wanted).order_by("pk"))
        if not found:
            raise CommandError(
                f"There is no Accredible API configuration {wanted!r}. Add it in the admin or in BADGES_CONFIG."
            )
        return found

    def work(self, account: AccredibleApiConfig) -> SyncResult:
        return sync_groups(account)
