"""Apply the events in a spool in batches of learners."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from django.db import DatabaseError

from badges_plugin import api
from badges_plugin.backfill.batches import History, batched
from badges_plugin.backfill.samples import Sample, count_reasons
from badges_plugin.consumers.config import consumer_config
from badges_plugin.consumers.exceptions import CannotGoOn
from badges_plugin.consumers.retrying import Retrying
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
    failed: Sample = field(default_factory=Sample)
    """The first event's id and the error for each learner whose events failed; no personal data."""


class Source(Protocol):
    """Where events come from: a spool, or the badges that learners hold."""

    def count_learners(self) -> int: ...
    def by_learner(self) -> Iterator[History]: ...


def apply_all(
    source: Source,
    *,
    templates: Collection[int] | None,
    dry_run: bool,
    on_learner: Callable[[int], None],
    report: ApplyReport | None = None,
) -> ApplyReport:
    """Apply all events in batches; ``on_learner`` is called with the number of learners done so far.

    Transient database errors are retried, as in the consumers; raises CannotGoOn if they last. Any other error affects
    only its learner: the batch is divided until that one is alone. Applied events stay applied, and applying them
    again changes nothing. ``report`` is the one to fill, so that it is there if this is interrupted.
    """
    applied = report or ApplyReport()
    retrying = _retrying()

    def apply(histories: Sequence[History]) -> list[api.HistoryChanges]:
        work = partial(api.process_histories, histories, templates=templates, dry_run=dry_run)
        return retrying.run(work, "Applying learners' events", while_waiting=lambda: None)

    for batch in batched(source.by_learner()):
        for part, outcome in _divided(apply, batch):
            if isinstance(outcome, Exception):
                _note_failure(applied, part[0], outcome)
            else:
                _count(applied, outcome)
            applied.learners += len(part)
            on_learner(applied.learners)
    return applied


def _divided(
    apply: Callable[[Sequence[History]], list[api.HistoryChanges]], batch: Sequence[History]
) -> Iterator[tuple[Sequence[History], list[api.HistoryChanges] | Exception]]:
    """Apply a batch, or its halves if it fails and so on; yield the parts with what changed or the learner's error."""
    waiting = [batch]
    while waiting:
        part = waiting.pop()
        try:
            outcome: list[api.HistoryChanges] | Exception = apply(part)
        except CannotGoOn:
            raise
        except Exception as error:  # noqa: BLE001 - one learner's events must not block those of the others
            if len(part) > 1:
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]
                continue
            outcome = error
        yield part, outcome


def names(counted: Counter[int]) -> list[tuple[str, int]]:
    """Return the templates' names with their counts, most frequent first; their keys while the database is away."""
    templates: dict[int, BadgeTemplate] = {}
    with suppress(DatabaseError):
        templates = BadgeTemplate.objects.in_bulk(list(counted))
    return [
        (f"{templates[pk]} ({templates[pk].uuid})" if pk in templates else f"badge template {pk}", number)
        for pk, number in counted.most_common()
    ]


def _retrying() -> Retrying:
    config = consumer_config()
    return Retrying(
        limit=config.patience,
        max_pause=config.max_backoff,
        is_transient=is_transient,
        refresh=refresh_connections,
        stop=lambda: False,
    )


def _count(applied: ApplyReport, results: Iterable[api.HistoryChanges]) -> None:
    for changes in results:
        applied.awarded.update(changes.awarded)
        applied.revoked.update(changes.revoked)
        count_reasons(applied.ignored, changes.ignored)
        applied.new_learners += changes.is_new_learner
        applied.unchanged += not (changes.awarded or changes.revoked)


def _note_failure(applied: ApplyReport, events: History, error: Exception) -> None:
    first = events[0].stamp.id
    logger.error("The learner's events that begin with event %s could not be applied: %s", first, describe(error))
    applied.failed.add(f"event {first}: {describe(error)}")
