"""``manage.py badges_sign_awards``: sign the badges that learners hold since before signing was switched on."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

from badges_plugin.command_line import BadgesCommand
from badges_plugin.distribution.api import BadgeTemplate
from badges_plugin.distribution.open_badges import earlier
from badges_plugin.distribution.open_badges.backend import OpenBadgesBackend


class Command(BadgesCommand):
    help = (
        "Have the worker sign the badges that learners hold and that were awarded before this site signed badges of "
        "their templates. The command can be interrupted and run again at any time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--template", type=UUID, action="append", metavar="UUID", help="Only this badge template. May be repeated."
        )
        parser.add_argument("--dry-run", action="store_true", help="Only count.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.require_enabled()
        templates = self._templates(options["template"])
        if options["dry_run"]:
            self.stdout.write(f"{earlier.count(templates)} badges would be queued to be signed.")
            return
        done = 0
        for queued in earlier.queue(templates):
            done += queued
            self.stderr.write(f"{done} badges are queued.")
        self.stdout.write(f"{done} badges were queued. The worker signs them.")

    def _templates(self, uuids: list[UUID] | None) -> list[BadgeTemplate]:
        backend = OpenBadgesBackend()
        rows = BadgeTemplate.objects.order_by("pk")
        found = list(rows.filter(uuid__in=uuids) if uuids else rows)
        if missing := set(uuids or ()) - {template.uuid for template in found}:
            raise CommandError(f"There is no badge template {min(map(str, missing))}.")
        signed = [template for template in found if backend.handles(template)]
        if not signed:
            raise ImproperlyConfigured(
                'This site signs none of these badges: see BADGES_CONFIG["open_badges"]["enabled"], and “also signed '
                "by this site” on the page of a badge template."
            )
        return signed
