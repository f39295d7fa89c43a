"""``manage.py badges_reencrypt_keys``: encrypt stored API keys anew, before an old SECRET_KEY is removed."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from badges_plugin.command_line import BadgesCommand
from badges_plugin.distribution.keys import reencrypt


class Command(BadgesCommand):
    help = (
        "Encrypt the stored API keys under today's SECRET_KEY. Keys that were encrypted under an entry of "
        "SECRET_KEY_FALLBACKS are decrypted first; the entry can be removed afterwards. Workers do the same."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.require_enabled()
        dry_run = options["dry_run"]
        result = reencrypt(dry_run=dry_run)
        verb = "would be encrypted anew" if dry_run else "encrypted anew"
        self.stdout.write(f"{result.renewed} stored API keys {verb}, {result.current} are up to date.")
        for account in result.unreadable:
            self.stderr.write(f"The key of {account} cannot be read.")
        if result.unreadable:
            raise CommandError(
                f"{len(result.unreadable)} stored API keys cannot be read. Add the old SECRET_KEY to "
                "SECRET_KEY_FALLBACKS and run the command again, or enter the API keys again in the admin."
            )
