"""``manage.py badges_remove``: delete all badges before the plugin, or one of its backends, is removed."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from badges_plugin import removal
from badges_plugin.command_line import BadgesCommand, text

CONFIRMATION = "yes"


class Command(BadgesCommand):
    help = (
        "Permanently delete all badge templates, progress, awards and user credentials of badges, before the plugin "
        "or, with --origin, one of its backends is removed. Nothing is revoked at a provider. Stop consumers and "
        "workers first. The command can be interrupted and run again at any time."
    )
    # It must run even if the settings of a backend that is being removed are gone.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--origin",
            type=text,
            metavar="NAME",
            help="Only badges of this origin: openedx, or the name of a backend such as credly.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Only count.")
        parser.add_argument("--no-input", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        found = removal.count(options["origin"])
        self.stdout.write(
            f"{found.templates} badge templates with {found.awards} awards, and {found.credentials} user credentials."
        )
        if options["dry_run"]:
            return
        if not options["no_input"]:
            self._ask()
        removed = removal.remove(options["origin"])
        self.stdout.write(f"Removed: {removed.templates} badge templates, {removed.credentials} user credentials.")
        if removed.detached:
            self.stdout.write(
                f"{removed.detached} user credentials are kept as revoked, because verifiable credentials or other "
                "rows of the service refer to them; they no longer belong to a badge."
            )

    def _ask(self) -> None:
        self.stdout.write("All of this will be deleted here; badges at the providers are not changed.")
        try:
            answer = input(f"Type “{CONFIRMATION}” to continue: ")
        except EOFError:
            raise CommandError("Nothing was removed: the question was not answered. Use --no-input.") from None
        if answer.strip() != CONFIRMATION:
            raise CommandError("Nothing was removed.")
