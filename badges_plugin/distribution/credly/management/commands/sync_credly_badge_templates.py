"""``manage.py sync_credly_badge_templates``: mirror the badge templates of Credly organizations."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from badges_plugin.command_line import BadgesCommand
from badges_plugin.distribution.accounts.commands import for_each
from badges_plugin.distribution.credly.models import CredlyOrganization
from badges_plugin.distribution.credly.organizations import ensure_configured
from badges_plugin.distribution.credly.sync import sync_organization


class Command(BadgesCommand):
    help = "Mirror the badge templates of one Credly organization, or of all. New templates are inactive."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", metavar="UUID", help="Only this organization (its id at Credly).")

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_configured()
        organizations = self._organizations(options["organization"])
        for_each(self, organizations, lambda organization: str(sync_organization(organization)))

    def _organizations(self, wanted: str | None) -> list[CredlyOrganization]:
        if wanted is None:
            return list(CredlyOrganization.objects.order_by("name", "pk"))
        try:
            return [CredlyOrganization.objects.get(uuid=UUID(wanted))]
        except ValueError as error:
            raise CommandError(f"{wanted!r} is not an organization id (UUID).") from error
        except CredlyOrganization.DoesNotExist as error:
            raise CommandError(f"There is no Credly organization {wanted}. Add it in the admin first.") from error
