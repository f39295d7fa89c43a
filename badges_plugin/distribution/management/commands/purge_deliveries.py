"""``manage.py purge_deliveries``: delete old attempts and deliveries."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from badges_plugin.command_line import BadgesCommand, days
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.purge import purge


class Command(BadgesCommand):
    help = "Delete old attempts, and old deliveries of badges that were revoked. Unsettled deliveries are kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        for what in ("attempts", "deliveries"):
            parser.add_argument(f"--{what}-days", type=days, help=f"Days to keep {what} (default: the setting).")
        parser.add_argument("--dry-run", action="store_true", help="Only count.")

    def handle(self, *args: Any, **options: Any) -> None:
        settings = config()
        attempts, deliveries = options["attempts_days"], options["deliveries_days"]
        purged = purge(
            timezone.now(),
            attempts_days=settings.keep_attempts_days if attempts is None else attempts,
            deliveries_days=settings.keep_deliveries_days if deliveries is None else deliveries,
            dry_run=options["dry_run"],
        )
        verb = "would be deleted" if options["dry_run"] else "deleted"
        self.stdout.write(f"{purged.attempts} attempts and {purged.deliveries} deliveries {verb}.")
