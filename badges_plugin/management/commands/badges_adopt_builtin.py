"""``manage.py badges_adopt_builtin``: make what the host's built-in badges app holds ours."""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from django.core.management.base import CommandError

from badges_plugin.adoption.grouping import SameGroup
from badges_plugin.adoption.report import Finding, Kind, Report, Topic
from badges_plugin.adoption.running import CannotAdopt, adopt
from badges_plugin.backfill.commands import INTERRUPTED
from badges_plugin.backfill.progress import Output, Progress
from badges_plugin.command_line import BadgesCommand

STANDARD_OUTPUT = Path("-")
SHOWN = 5
"""Lines of each topic on the screen; the file has all."""


class Command(BadgesCommand):
    help = (
        "Adopt what the badges app of the Credentials service (credentials.apps.badges) holds: accounts with their "
        "keys, badge templates with requirements and penalties, progress, and badges with what the providers have "
        "issued. Nothing is sent, and nobody gets a second badge. Changes nothing without --apply. It can be "
        "interrupted and run again at any time; what was adopted before is left alone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="Do it. Without this option, only report.")
        parser.add_argument(
            "--same-group",
            type=SameGroup,
            choices=list(SameGroup),
            default=SameGroup.ASK,
            metavar="{ask,any,all}",
            help="Several requirements with the same group, or without any, are alternatives in that app, but may be "
            "meant as “all of them”. ask: adopt them as alternatives and leave the badge inactive until somebody has "
            "looked (default). any: they are alternatives. all: each must be fulfilled.",
        )
        parser.add_argument(
            "--report",
            type=Path,
            metavar="FILE",
            help="Write everything that needs a look to this file, as CSV, or with “-” to the standard output. The "
            "report contains user names.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.require_enabled()
        is_applied, path = options["apply"], options["report"]
        # What is read by a program is written alone.
        self.out = self.stderr if path == STANDARD_OUTPUT else self.stdout
        with self._csv(path) as tell:
            report, progress = Report(tell), Progress(cast("Output", self.stderr), "Badge templates", None)
            try:
                adopt(
                    report,
                    dry_run=not is_applied,
                    same_group=options["same_group"],
                    on_template=lambda number, total: progress.to(number),
                )
            except CannotAdopt as error:
                raise CommandError(str(error)) from error
            except KeyboardInterrupt as error:
                raise CommandError(
                    "Interrupted. What was adopted stays so; run the command again for the rest.",
                    returncode=INTERRUPTED,
                ) from error
            finally:
                progress.finish()
        if not is_applied:
            self._say("Nothing was changed. This is what --apply would do.")
        self._counts(report)
        self._findings(report)

    def _counts(self, report: Report) -> None:
        for kind in Kind:
            outcomes = ", ".join(f"{number} {outcome}" for outcome, number in sorted(report.counts[kind].items()))
            self._say(f"{kind}: {report.total(kind)}{f' ({outcomes})' if outcomes else ''}")

    def _findings(self, report: Report) -> None:
        for topic in Topic:
            if not (sample := report.findings.get(topic)):
                continue
            self._say(f"\n{len(sample)}: {topic.value}")
            for line in sample.lines[:SHOWN]:
                self._say(f"  {line}")
            if len(sample) > SHOWN:
                self._say(f"  and {len(sample) - SHOWN} more")

    def _say(self, line: str) -> None:
        self.out.write(line, style_func=str)  # not in red, if it is the error output

    @contextmanager
    def _csv(self, path: Path | None) -> Iterator[Callable[[Finding], None]]:
        """Yield what writes a finding, if that is wanted. Raises CommandError."""
        if path is None:
            yield lambda finding: None
        elif path == STANDARD_OUTPUT:
            yield _writer(self.stdout)
        else:
            try:
                with path.open("w", encoding="utf-8", newline="") as file:
                    yield _writer(file)
            except OSError as error:
                raise CommandError(f"{path}: {error.strerror}") from error


def _writer(file: Any) -> Callable[[Finding], None]:
    """Return what writes a finding as a row of CSV, after the names of the columns."""
    rows = csv.writer(file)
    rows.writerow(["topic", "badge", "learner", "id at the provider", "detail"])

    def write(finding: Finding) -> None:
        rows.writerow([finding.topic.value, *map(_cell, finding[1:])])

    return write


def _cell(text: str) -> str:
    """Return a text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
