"""``manage.py badges_backfill``: award badges for events that the event bus no longer has."""

from __future__ import annotations

import sqlite3
from argparse import ArgumentParser
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from badges_plugin.backfill.commands import BackfillCommand, interruptible_reading, spool_error
from badges_plugin.backfill.held_badges import HeldBadges
from badges_plugin.backfill.rows import BadRow, read_rows
from badges_plugin.backfill.samples import Sample
from badges_plugin.backfill.selection import Selector
from badges_plugin.backfill.spool import Spool
from badges_plugin.consumers.exceptions import CannotGoOn
from badges_plugin.exceptions import CannotRead

_ROWS_BETWEEN_REPORTS = 100


class Command(BackfillCommand):
    help = (
        "Award badges for courses that were passed before there were events. FILE is CSV in UTF-8 with a header row: "
        "username or lms_user_id (or both), course_key, passed, time. The whole file is checked before anything is "
        "applied. A row always gives the same event, so the same file, or a longer one, can be used again, also after "
        "the command was interrupted. Learners who are new to Credentials are created from rows with a username. They "
        "have no e-mail address until an event brings it; providers that need one wait for it. With --held-badges, "
        "award badges that need other badges to learners who have held those all along. Begin with --dry-run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="FILE", nargs="?")
        parser.add_argument(
            "--held-badges",
            action="store_true",
            help="Instead of a file: apply the badges that learners hold to the badges that need them.",
        )
        parser.add_argument(
            "--unknown-learners",
            choices=("create", "refuse"),
            default="create",
            help="Create learners who are unknown to Credentials (default), or refuse the file. In both cases they are "
            "listed with their line numbers; --dry-run lists all of them.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.require_enabled()
        selection = self.selection(options)
        if bool(options["file"]) is options["held_badges"]:
            raise CommandError("A file is required, or --held-badges.")
        if options["held_badges"]:
            held = HeldBadges(selection.templates)
            self.apply(held, selection, dry_run=options["dry_run"])
            return
        try:
            with Spool(options["spool_dir"]) as spool:
                selector = Selector(spool, selection)
                refuse = options["unknown_learners"] == "refuse"
                with interruptible_reading():
                    self._read(options["file"], selector)
                    self.report_read(selector.seen)
                    self.report_newcomers(spool, refuse=refuse, dry_run=options["dry_run"])
                self.apply(spool, selection, dry_run=options["dry_run"])
        except CannotRead as error:
            raise CommandError(f"{options['file']}: {error}") from error
        except (CannotGoOn, OSError) as error:
            raise CommandError(str(error)) from error
        except sqlite3.Error as error:
            raise spool_error(error) from error

    def _read(self, path: Path, selector: Selector) -> None:
        bad = Sample()
        # utf-8-sig: spreadsheets write a byte order mark.
        with path.open("rb") as raw, TextIOWrapper(raw, encoding="utf-8-sig", newline="") as file:
            size = path.stat().st_size if raw.seekable() else None  # a pipe has none
            progress, number = self.progress("Rows", size), 0
            for number, row in enumerate(read_rows(file), 1):
                if isinstance(row, BadRow):
                    bad.add(str(row))
                else:
                    selector.select(row.event, line=row.line)
                if number % _ROWS_BETWEEN_REPORTS == 0:
                    progress.to(number, position=None if size is None else raw.tell())
            progress.to(number, position=size)
            progress.finish()
        if bad:
            lines = "\n".join(f"  {each}" for each in bad.lines)
            left_out = len(bad) - len(bad.lines)
            more = f"\n  and {left_out} more" if left_out else ""
            raise CommandError(f"{path} has {len(bad)} errors; nothing was applied.\n{lines}{more}")
