"""Apply the events in a spool, learner by learner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from badges_plugin import api
from badges_plugin.consumers.config import consumer_config
from badges_plugin.consumers.exceptions import CannotGoOn
from badges_plugin.consumers.retrying import Retrying
from badges_plugin.data import BadgingEvent
from badges_plugin.database import is_transient, refresh_connections
from badges_plugin.logs import get_logger
from badges_plugin.models import BadgeTemplate
from badges_plugin.redaction import describe

logger = get_logger(__name__)


@dataclass
class ApplyReport:
    """The effects of applying events, or what they would be. Awards and revocations are counted by template key."""

    learners: int = 0
    new_learners: int = 0
    unchanged: int = 0
    awarded: Counter[int] = field(default_factory=Counter)
    revoked: Counter[int] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    """The first event's id and the error for each learner whose events failed; no personal data."""


class Source(Protocol):
    """Where events come from: a spool, or the badges that learners hold."""

    def count_learners(self) -> int: ...
    def by_learner(self) -> Iterator[list[BadgingEvent]]: ...


def apply_all(
    source: Source, *, templates: Collection[int] | None, dry_run: bool, on_learner: Callable[[int], None]
) -> ApplyReport:
    """Apply all events; ``on_learner`` is called with the number of learners done so far.

    Transient database errors are retried, as in the consumers; raises CannotGoOn if they last. Applied events stay
    applied, and applying them again changes nothing. Any other error affects only its learner.
    """
    applied = ApplyReport()
    config = consumer_config()
    retrying = Retrying(
        limit=config.patience,
        max_pause=config.max_backoff,
        is_transient=is_transient,
        refresh=refresh_connections,
        stop=lambda: False,
    )
    for events in source.by_learner():
        apply = partial(api.process_history, events, templates=templates, dry_run=dry_run)
        try:
            changes = retrying.run(apply, "Applying a learner's events", while_waiting=lambda: None)
        except CannotGoOn:
            raise
        except Exception as error:  # noqa: BLE001 - one learner's events must not block those of the others
            _note_failure(applied, events, error)
        else:
            _count(applied, changes)
        applied.learners += 1
        on_learner(applied.learners)
    return applied


def names(counted: Counter[int]) -> list[tuple[str, int]]:
    """Return the templates' names with their counts, most frequent first."""
    templates = BadgeTemplate.objects.in_bulk(list(counted))
    return [(f"{templates[pk]} ({templates[pk].uuid})", number) for pk, number in counted.most_common()]


def _count(applied: ApplyReport, changes: api.HistoryChanges) -> None:
    applied.awarded.update(changes.awarded)
    applied.revoked.update(changes.revoked)
    applied.ignored.update(changes.ignored)
    applied.new_learners += changes.is_new_learner
    applied.unchanged += not (changes.awarded or changes.revoked)


def _note_failure(applied: ApplyReport, events: list[BadgingEvent], error: Exception) -> None:
    first = events[0].stamp.id
    logger.error("The learner's events that begin with event %s could not be applied: %s", first, describe(error))
    applied.failed.append(f"event {first}: {describe(error)}")
