"""``manage.py sync_credly_badge_templates``: mirror the badge templates of Credly organizations."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from badges_plugin.distribution.accounts.commands import AccountsCommand
from badges_plugin.distribution.accounts.sync import SyncResult
from badges_plugin.distribution.credly.models import CredlyOrganization
from badges_plugin.distribution.credly.sync import sync_organization


class Command(AccountsCommand[CredlyOrganization]):
    help = "Mirror the badge templates of one Credly organization, or of all. New templates are inactive."
    account_model = CredlyOrganization

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", metavar="UUID", help="Only this organization (its ID at Credly).")

    def accounts(self, options: dict[str, Any]) -> Sequence[CredlyOrganization]:
        wanted = options["organization"]
        if wanted is None:
            return super().accounts(options)
        try:
            return [CredlyOrganization.objects.get(uuid=UUID(wanted))]
        except ValueError as error:
            raise CommandError(f"{wanted!r} is not an organization ID (UUID).") from error
        except CredlyOrganization.DoesNotExist as error:
            raise CommandError(f"There is no Credly organization {wanted}. Add it in the admin first.") from error

    def work(self, account: CredlyOrganization) -> SyncResult:
        return sync_organization(account)
