"""``manage.py purge_failed_events``: delete failed events, which name learners."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from badges_plugin.command_line import BadgesCommand, days, text
from badges_plugin.consumers import retention


class Command(BadgesCommand):
    help = (
        "Delete failed events of the event bus: those that were processed or dismissed long ago, or those that name "
        "a given learner."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--older-than", type=days, metavar="DAYS", help="Those without a change for this many days.")
        which.add_argument(
            "--username", type=text, metavar="NAME", help="All that name this learner, whatever their age and state."
        )
        parser.add_argument(
            "--also-failed", action="store_true", help="With --older-than: also those about which nobody has decided."
        )
        parser.add_argument("--dry-run", action="store_true", help="Only count.")

    def handle(self, *args: Any, **options: Any) -> None:
        age, dry_run = options["older_than"], options["dry_run"]
        if age is None and options["also_failed"]:
            raise CommandError("Use --also-failed only with --older-than; --username always deletes undecided events.")
        if age is None:
            count = retention.forget(options["username"], dry_run=dry_run)
        else:
            before = timezone.now() - timedelta(days=age)
            count = retention.purge(before, also_undecided=options["also_failed"], dry_run=dry_run)
        self.stdout.write(f"{count} failed events {'would be deleted' if dry_run else 'deleted'}.")
