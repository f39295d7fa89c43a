"""Select the events that matter for an active badge template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from badges_plugin import api, conf
from badges_plugin.backfill.samples import Sample, count_reasons
from badges_plugin.backfill.spool import Spool
from badges_plugin.consumers.exceptions import CannotGoOn, DecodingUnavailable
from badges_plugin.consumers.message import DecodedEvent, Message
from badges_plugin.exceptions import IgnoredEvent
from badges_plugin.redaction import describe
from badges_plugin.retirement import is_retired
from badges_plugin.ruleset import current_ruleset


@dataclass(frozen=True)
class Filter:
    """Which events to select. ``templates``: primary keys, None for all; ``since``: events at this time or later."""

    templates: frozenset[int] | None = None
    since: datetime | None = None


@dataclass
class ReadReport:
    """Counts of the events that were read."""

    total: int = 0
    other_types: int = 0
    too_old: int = 0
    unmatched: int = 0
    kept: int = 0
    unreadable: Sample = field(default_factory=Sample)
    """Messages that could not be decoded, with the reason; no personal data."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Number of events that are not applied, by reason."""


class Selector:
    """Reads events, adds the selected ones to the spool, and counts them."""

    def __init__(self, spool: Spool, selection: Filter) -> None:
        self.seen = ReadReport()
        self._spool = spool
        self._selection = selection
        self._types = frozenset(conf.config().events)
        self._ruleset = current_ruleset()

    def read(self, messages: Iterable[Message]) -> None:
        """Decode messages of the bus and select from them.

        Raises DecodingUnavailable when the schema registry is unavailable, CannotGoOn when none is configured. A
        message that cannot be decoded is reported.
        """
        for message in messages:
            try:
                event = message.decode()
            except (CannotGoOn, DecodingUnavailable):
                raise
            except Exception as error:  # noqa: BLE001 - as in the consumers, one bad message must not end it
                self.seen.total += 1
                self.seen.unreadable.add(f"{message}: {describe(error)}")
            else:
                self.select(event)

    def select(self, event: DecodedEvent, *, line: int | None = None) -> None:
        """Add the event to the spool if it matches. ``line`` is its line in a file."""
        self.seen.total += 1
        event_type = event.signal.event_type
        if event_type not in self._types:
            self.seen.other_types += 1
            return
        if self._selection.since is not None and event.metadata.time < self._selection.since:
            self.seen.too_old += 1
            return
        try:
            badging = api.read_event(event_type, event.metadata, event.data)
        except IgnoredEvent as ignored:
            count_reasons(self.seen.ignored, [ignored.reason])
            return
        if is_retired(badging.learner.username, badging.learner.email):
            # Always: it prevents the learner's earlier events from being applied.
            self._spool.add(badging, line=line)
        match = self._ruleset.match(badging)
        if not (match if self._selection.templates is None else match.only(self._selection.templates)):
            self.seen.unmatched += 1
            return
        self._spool.add(badging, line=line)
        self.seen.kept += 1
