"""Divide what is to be applied into batches, each of which is applied in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from badges_plugin.data import BadgingEvent

BATCH_LEARNERS = 150
"""Larger batches are hardly faster, but hold more learners' rows for longer."""
BATCH_EVENTS = 500

History = list[BadgingEvent]


def batched(histories: Iterable[History]) -> Iterator[list[History]]:
    """Yield the histories in batches, in their order. A learner with more events than a batch has is a batch.

    Histories that may be of the same person, by id or by user name, are never in the same batch: "Ann" and "ann" are
    one user, which the source of the events cannot always know.
    """
    batch: list[History] = []
    people: set[object] = set()
    events = 0
    for history in histories:
        names = _names(history)
        is_full = len(batch) >= BATCH_LEARNERS or events + len(history) > BATCH_EVENTS
        if batch and (is_full or not people.isdisjoint(names)):
            yield batch
            batch, people, events = [], set(), 0
        batch.append(history)
        people |= names
        events += len(history)
    if batch:
        yield batch


def _names(history: History) -> set[object]:
    names: set[object] = {event.learner.lms_user_id for event in history}
    names |= {event.learner.username.casefold() for event in history}
    return names - {None, ""}
