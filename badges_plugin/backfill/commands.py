"""Options, second half and report of the commands that award badges for past events."""

from __future__ import annotations

import sqlite3
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from django.core.management.base import CommandError
from django.db import OperationalError

from badges_plugin.backfill.applying import ApplyReport, Source, apply_all, names
from badges_plugin.backfill.progress import Output, Progress
from badges_plugin.backfill.samples import MAX_LINES, Sample
from badges_plugin.backfill.selection import Filter, ReadReport
from badges_plugin.backfill.spool import Newcomer, Spool
from badges_plugin.command_line import BadgesCommand
from badges_plugin.consumers.exceptions import CannotGoOn
from badges_plugin.garbage import rare_collections
from badges_plugin.models import BadgeTemplate
from badges_plugin.redaction import describe, one_line
from badges_plugin.times import read_time

INTERRUPTED = 130
"""The exit code of a command that ends because of Ctrl-C, as shells have it."""


class BackfillCommand(BadgesCommand):
    """A command that collects events in a spool and applies them."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Change nothing; report what would be awarded and revoked."
        )
        parser.add_argument(
            "--template",
            type=UUID,
            action="append",
            default=[],
            metavar="UUID",
            help="Only events that matter for this badge template; may be given several times.",
        )
        parser.add_argument(
            "--spool-dir",
            type=Path,
            metavar="FOLDER",
            help="Folder with room for the events that matter, about 1 kB each. Default: the temporary folder.",
        )

    def selection(self, options: dict[str, Any], *, since: datetime | None = None) -> Filter:
        """Return the filter that the options describe. Raises CommandError if a template is not active."""
        wanted = set(options["template"])
        if not wanted:
            return Filter(since=since)
        found = dict(BadgeTemplate.objects.filter(uuid__in=wanted, is_active=True).values_list("uuid", "pk"))
        if missing := wanted - found.keys():
            raise CommandError(f"No active badge template: {', '.join(sorted(map(str, missing)))}.")
        return Filter(templates=frozenset(found.values()), since=since)

    def progress(self, what: str, total: int | None) -> Progress:
        """Return a progress line on the command's error output."""
        return Progress(cast("Output", self.stderr), what, total)

    def report_read(self, seen: ReadReport) -> None:
        """Report which events were found."""
        self.stdout.write(
            f"{seen.total} events: {seen.kept} matter, {seen.unmatched} matter for no active badge template, "
            f"{seen.other_types} of types that are not configured, {seen.too_old} too old, "
            f"{len(seen.unreadable)} unreadable."
        )
        self._sample("Unreadable and skipped:", seen.unreadable)
        self._list("Not applied:", _counted(seen.ignored))

    def apply(self, source: Source, selection: Filter, *, dry_run: bool) -> None:
        """Apply what was collected and report it. Raises CommandError when some of it could not be applied."""
        with interruptible_reading():
            learners = source.count_learners()
        progress = self.progress("Learners", learners)
        applied = ApplyReport()
        try:
            with rare_collections():
                apply_all(
                    source, templates=selection.templates, dry_run=dry_run, on_learner=progress.to, report=applied
                )
        except (KeyboardInterrupt, CannotGoOn, OperationalError) as error:
            progress.finish()
            self._report(applied, dry_run=dry_run)
            raise _ended_early(error, applied.learners, learners, dry_run=dry_run) from error
        progress.finish()
        self._report(applied, dry_run=dry_run)
        if applied.failed:
            raise CommandError(
                f"The events of {len(applied.failed)} learners could not be applied. Fix the cause and run the command "
                "again; events that were applied change nothing."
            )

    def _report(self, applied: ApplyReport, *, dry_run: bool) -> None:
        would = "would be " if dry_run else ""
        self.stdout.write(
            f"{applied.learners} learners, {applied.new_learners} {would}new here; "
            f"{applied.awarded.total()} badges {would}awarded, {applied.revoked.total()} {would}revoked; "
            f"nothing {'would change' if dry_run else 'changed'} for {applied.unchanged} learners."
        )
        self._list(f"{would}awarded:".capitalize(), _counted(names(applied.awarded)))
        self._list(f"{would}revoked:".capitalize(), _counted(names(applied.revoked)))
        self._list("Not applied:", _counted(applied.ignored))
        self._sample("Failed:", applied.failed)

    def report_newcomers(self, spool: Spool, *, refuse: bool, dry_run: bool) -> None:
        """List the learners who are new to Credentials. Raises CommandError if ``refuse`` is set and there are any."""
        if refuse:
            _refuse(spool.newcomers())
        title, more = f"{'Would be new' if dry_run else 'New'} here:", 0
        newcomers = (str(newcomer) for newcomer in spool.newcomers() if newcomer.username)
        for number, line in enumerate(newcomers):
            if number == 0:
                self.stdout.write(title)
            if dry_run or number < MAX_LINES:
                self.stdout.write(f"  {one_line(line)}")
            else:
                more += 1
        if more:
            self.stdout.write(f"  and {more} more")

    def _sample(self, title: str, sample: Sample) -> None:
        self._list(title, sample.lines, total=len(sample))

    def _list(self, title: str, lines: Sequence[str], *, total: int | None = None) -> None:
        if lines:
            self.stdout.write(title)
        for line in lines[:MAX_LINES]:
            self.stdout.write(f"  {one_line(line)}")
        if more := max((len(lines) if total is None else total) - MAX_LINES, 0):
            self.stdout.write(f"  and {more} more")


def _refuse(newcomers: Iterable[Newcomer]) -> None:
    unknown = [f"  {newcomer}" for newcomer in newcomers]
    if unknown:
        lines = "\n".join(unknown)
        raise CommandError(
            f"{len(unknown)} learners are unknown to Credentials; nothing was applied. Correct the rows, or let "
            f"--unknown-learners=create create those with a user name.\n{lines}"
        )


def _ended_early(error: BaseException, learners: int, total: int, *, dry_run: bool) -> CommandError:
    """Return the error to raise when the command ends before all is applied; it says how far it came."""
    is_interrupt = isinstance(error, KeyboardInterrupt)
    why = "Interrupted" if is_interrupt else one_line(describe(error))
    far = f"{learners} of {total} learners were done"
    advice = (
        "Nothing was changed."
        if dry_run
        else "What was applied stays. Run the same command again to go on: it passes quickly over what was applied."
    )
    return CommandError(f"{why}: {far}. {advice}", returncode=INTERRUPTED if is_interrupt else 1)


@contextmanager
def interruptible_reading() -> Iterator[None]:
    """Say, after Ctrl-C during the first half, that nothing was applied."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise CommandError("Interrupted while reading: nothing was applied.", returncode=INTERRUPTED) from error


def spool_error(error: OSError | sqlite3.Error) -> CommandError:
    """Return the error to raise when the spool cannot be written."""
    return CommandError(
        f"The events cannot be stored on disk: {error}. Give a folder with enough room as --spool-dir and run the "
        "command again; events that were applied change nothing."
    )


def time_argument(text: str) -> datetime:
    """Parse a time: UTC unless it has a zone; a day means its beginning in the site's TIME_ZONE."""
    try:
        return read_time(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a time such as 2026-01-31T12:00:00Z") from None


def _counted(numbers: Counter[str] | Iterable[tuple[str, int]]) -> list[str]:
    pairs = numbers.most_common() if isinstance(numbers, Counter) else numbers
    return [f"{number} x {what}" for what, number in pairs]
