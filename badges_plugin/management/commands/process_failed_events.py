"""``manage.py process_failed_events``: process many failed events again after their cause was fixed."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, cast

from django.core.management.base import CommandError
from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet

from badges_plugin.backfill.progress import Output, Progress
from badges_plugin.command_line import BadgesCommand, text
from badges_plugin.consumers.exceptions import ReceiversFailed
from badges_plugin.consumers.reprocessing import NotReprocessable, process_again
from badges_plugin.models import FailedEvent
from badges_plugin.redaction import describe, one_line


class Command(BadgesCommand):
    help = (
        "Process undecided failed events again, oldest first. An event that fails again, or cannot be processed, stays "
        "a failed event; the command continues with the next one and ends with exit code 1. It can be interrupted and "
        "run again at any time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--event-type", type=text, metavar="TYPE", help="Only events of this type.")
        parser.add_argument("--reason", type=text, metavar="TEXT", help="Only those whose reason contains this text.")
        parser.add_argument("--dry-run", action="store_true", help="Only count them, by reason.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.require_enabled()
        rows = _undecided(options["event_type"], options["reason"])
        if options["dry_run"]:
            reasons = Counter(rows.values_list("reason", flat=True).iterator())
            self.stdout.write(f"{reasons.total()} failed events would be processed.")
            self._list(reasons)
        else:
            self._process(list(rows.values_list("pk", flat=True)))

    def _process(self, keys: list[int]) -> None:
        progress = Progress(cast("Output", self.stdout), "Failed events", len(keys))
        processed, left = 0, Counter[str]()
        try:
            for failed in _still_undecided(progress.over(keys)):
                if reason := _why_not_processed(failed):
                    left[reason] += 1
                else:
                    processed += 1
        except (OperationalError, InterfaceError) as error:
            raise CommandError(
                f"The database is unavailable ({type(error).__name__}). Run the command again to continue."
            ) from error
        self.stdout.write(f"{processed} failed events were processed, {left.total()} were not.")
        self._list(left)
        if left:
            raise CommandError(f"{left.total()} events are still failed events.")

    def _list(self, reasons: Counter[str]) -> None:
        for reason, number in reasons.most_common():
            self.stdout.write(f"  {number} x {one_line(reason)}")


def _undecided(event_type: str | None, reason: str | None) -> QuerySet[FailedEvent]:
    rows = FailedEvent.objects.filter(state=FailedEvent.State.FAILED).order_by("pk")
    if event_type:
        rows = rows.filter(event_type=event_type)
    if reason:
        rows = rows.filter(reason__contains=reason)
    return rows


def _still_undecided(keys: Iterable[int]) -> Iterator[FailedEvent]:
    """Yield the events one by one: each may be large, and staff may decide about it in the meantime."""
    for key in keys:
        yield from FailedEvent.objects.filter(pk=key, state=FailedEvent.State.FAILED)


def _why_not_processed(failed: FailedEvent) -> str:
    """Process the event again; return the reason if that failed, without personal data, otherwise an empty text."""
    try:
        process_again(failed)
    except NotReprocessable as refusal:
        return str(refusal)
    except ReceiversFailed as error:
        return describe(error)
    return ""
