"""``manage.py badges_groups``: make the ready-made groups of permissions."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from badges_plugin.command_line import BadgesCommand
from badges_plugin.web.desk import staff_groups
from badges_plugin.web.desk.staff_groups import Difference


class Command(BadgesCommand):
    help = (
        "Make three groups of permissions: Badge designers, Badge managers and Badge support. A group that is there "
        "gets what it lacks; what it was given besides is kept. Run it again after a new version or a new provider."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Change nothing, and say what would be done.")

    def handle(self, *args: Any, **options: Any) -> None:
        is_dry = options["dry_run"]
        for each in staff_groups.differences() if is_dry else staff_groups.make():
            self.stdout.write(_told(each, is_dry=is_dry))
            for name in each.added:
                self.stdout.write(f"  + {name}")
            for name in each.beyond:
                self.stdout.write(f"    {name} (given besides, kept)")


def _told(difference: Difference, *, is_dry: bool) -> str:
    number = len(difference.added)
    permissions = f"{number} permission{'' if number == 1 else 's'}"
    if difference.is_new:
        return f"{difference.name}: {'would be made' if is_dry else 'made'}, with {permissions}"
    if number:
        return f"{difference.name}: {'would get' if is_dry else 'got'} {permissions}"
    return f"{difference.name}: complete"
