"""``manage.py badges_remove``: what has to go before the plugin is removed."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from badges_plugin import removal
from badges_plugin.command_line import BadgesCommand, text

CONFIRMATION = "yes"


class Command(BadgesCommand):
    help = (
        "Delete all badge templates, progress, awards and the user credentials of badges, for good: before the plugin "
        "is removed, or with --origin one of its backends. Nothing is revoked at a provider. Stop consumers and "
        "workers first. It may be stopped, and run again, at any time."
    )
    # It must also work where the settings of what is being removed are gone.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--origin",
            type=text,
            metavar="NAME",
            help="Only badges of this origin: openedx, or the name of a backend, as credly.",
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
                f"{removed.detached} user credentials stay, revoked, because verifiable credentials or other rows of "
                "the service refer to them; they belong to no badge any more."
            )

    def _ask(self) -> None:
        self.stdout.write("All of this is deleted here, and stays as it is at the providers.")
        try:
            answer = input(f"Write “{CONFIRMATION}” to go on: ")
        except EOFError:
            raise CommandError("Nothing was removed: nobody is there to answer. Give --no-input to go on.") from None
        if answer.strip() != CONFIRMATION:
            raise CommandError("Nothing was removed.")
