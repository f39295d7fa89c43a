"""The rows of a badge's history: what was changed, together with what the log of its pages notes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from badges_plugin import reading
from badges_plugin.models import BadgeTemplate
from badges_plugin.reading.people import name_of
from badges_plugin.retirement import is_retired

MOST_NOTES = 500
AT_ONCE = timedelta(seconds=10)
"""A page notes what it did just before or after it does it."""


@dataclass(frozen=True)
class Row:
    """What somebody did at once: ``notes`` say it at large, ``edits`` line by line. Either may be empty."""

    at: datetime
    by: str
    user_id: int | None
    notes: tuple[str, ...] = ()
    edits: tuple[reading.Edit, ...] = ()


def rows_of(template_id: int, changes: Sequence[reading.Change]) -> list[Row]:
    """Return the rows, the newest first. One query, and one for each kind of template that a process asks for first."""
    rows = [Row(change.at, change.by, change.user_id, edits=change.edits) for change in changes]
    for entry in _entries(template_id):
        number = _place(rows, entry)
        if number is None:
            rows.append(_row(entry))
        elif text := _worth_saying(entry, rows[number]):
            rows[number] = replace(rows[number], notes=(*rows[number].notes, text))
    return sorted(rows, key=lambda row: row.at, reverse=True)


def _entries(template_id: int) -> Iterable[LogEntry]:
    """Return the log of a template, the oldest first, whatever its provider."""
    # Of all providers: get_models() leaves out the abstract class that some of their templates have in common.
    templates = [model for model in apps.get_models() if issubclass(model, BadgeTemplate)]
    kinds = [ContentType.objects.get_for_model(model) for model in templates]
    mine = LogEntry.objects.filter(content_type__in=kinds, object_id=str(template_id)).select_related("user")
    return reversed(mine.order_by("-action_time", "-pk")[:MOST_NOTES])


def _place(rows: Sequence[Row], entry: LogEntry) -> int | None:
    """Return the number of the row of the same deed; None where only the log knows of it."""
    near = [
        (abs(row.at - entry.action_time), number)
        for number, row in enumerate(rows)
        if row.user_id == entry.user_id and abs(row.at - entry.action_time) <= AT_ONCE
    ]
    return min(near)[1] if near else None


def _worth_saying(entry: LogEntry, row: Row) -> str:
    """Return what the note adds; nothing where it repeats, or names the fields that a form has changed."""
    if entry.change_message.startswith("["):  # Django's own
        return ""
    text = entry.get_change_message()
    return "" if text in row.notes or any(text == edit.sentence for edit in row.edits) else text


def _row(entry: LogEntry) -> Row:
    user = entry.user
    if is_retired(user.get_username(), user.email):
        return Row(entry.action_time, name_of(user), None, (entry.get_change_message(),))
    return Row(entry.action_time, name_of(user), user.pk, (entry.get_change_message(),))
