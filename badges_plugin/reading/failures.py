"""Events about a learner that could not be applied."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from badges_plugin import events
from badges_plugin.data import resolve
from badges_plugin.exceptions import UnusableEventType
from badges_plugin.host import User, course_titles
from badges_plugin.models import FailedEvent
from badges_plugin.reading.event_words import event_sentence, subject_key

LOOKED_AT = 500
"""Failed events that are looked through at most, the newest ones: they are not stored by learner."""
BATCH = 50


@dataclass(frozen=True)
class Failure:
    """One event that could not be applied, in words that name no person."""

    id: int
    text: str
    at: datetime
    """The time of the event or, where it has none, when it failed."""
    reason: str
    cause_text: str
    """Why it waits; empty where something went wrong."""
    retry_at: datetime | None


@dataclass(frozen=True)
class Failures:
    """The newest failed events of a learner. ``is_cut``: there are more failed events than were looked through."""

    rows: tuple[Failure, ...]
    is_cut: bool


def failures_of(users: Collection[User]) -> Failures:
    """Return the events about a learner that have failed and nobody has settled, newest first. At most twelve queries.

    ``users``: the user, or the several users, of one person. Those that could not be decoded say of nobody.
    """
    ids = {user.lms_user_id for user in users if user.lms_user_id}
    names = {user.get_username().casefold() for user in users}
    open_ones = FailedEvent.objects.filter(state=FailedEvent.State.FAILED).order_by("-pk")
    keys = list(open_ones.values_list("pk", flat=True)[: LOOKED_AT + 1])
    found: list[tuple[FailedEvent, object]] = []
    # A few at a time: one may be megabytes long.
    for start in range(0, min(len(keys), LOOKED_AT), BATCH):
        some = FailedEvent.objects.filter(pk__in=keys[start : start + BATCH]).defer("raw", "error", "metadata")
        for row in some.order_by("-pk"):
            content = _content(row)
            if content is not None and _is_about(content, row.event_type, ids, names):
                found.append((row, content))
    titles = course_titles({subject_key(row.event_type, content) for row, content in found} - {""})
    return Failures(tuple(_failure(row, content, titles) for row, content in found), len(keys) > LOOKED_AT)


def _content(row: FailedEvent) -> object:
    """Return the part of the event at which key paths start; None where it cannot be read."""
    if not isinstance(row.payload, Mapping):
        return None
    try:
        root = events.get_event_type(row.event_type).root
    except UnusableEventType:
        return None
    return row.payload if root is None else row.payload.get(root)


def _is_about(content: object, event_type: str, ids: set[int], names: set[str]) -> bool:
    """Whether the person whom an event is about has one of these LMS user ids or, without an id, of these names."""
    kind = events.get_event_type(event_type)
    person = resolve(content, kind.earner_path) if kind.earner_path else content
    if kind.is_by_id:
        return person in ids
    if lms_user_id := resolve(person, "id"):
        return lms_user_id in ids
    return str(resolve(person, "pii.username") or "").casefold() in names


def _failure(row: FailedEvent, content: object, titles: Mapping[str, str]) -> Failure:
    return Failure(
        id=row.pk,
        text=event_sentence(row.event_type, content, titles),
        at=row.event_time or row.failed_at,
        reason=row.reason,
        cause_text=row.get_cause_display() if row.cause else "",
        retry_at=row.retry_at,
    )
