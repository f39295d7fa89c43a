"""The term of an award: when it begins and ends, and what counts toward the next one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from badges_plugin import updating
from badges_plugin.models import BadgeAward, BadgeProgress
from badges_plugin.processing.progression import ProgressChange


@dataclass(frozen=True)
class Term:
    """When a new award begins and ends, and from when on events count. Without a beginning there is no award."""

    awarded_at: datetime | None
    expires_at: datetime | None = None
    counts_from: datetime | None = None


def term_of(change: ProgressChange, last: BadgeAward | None, now: datetime) -> Term:
    """Return the term of the award that follows from a complete progress.

    Nobody wants a badge that is born expired. One that would be, because its events come late, is passed over as if it
    had been awarded in time and had ended: only what happened since the opening of its renewal counts then, and the
    badge is awarded if that is enough, with its date. So a history ends as it would have ended event by event, save
    that awards whose time is over are left out.
    """
    template = change.template.row
    counts_from = change.progress.counts_from
    while (completed_at := change.completed_since(counts_from)) is not None:
        awarded_at = after(last.revoked_at if last else None, min(completed_at, now))
        expires_at = template.expires_at(awarded_at)
        if expires_at is None or expires_at > now:
            return Term(awarded_at, expires_at, counts_from)
        # A day later than the beginning at least, whatever the template says now: so this comes to an end, even where a
        # needed badge counts from any moment on.
        counts_from = max(template.renewal_opens_at(expires_at), awarded_at + timedelta(days=1))
    return Term(None, None, counts_from)


def count_from(moments: Iterable[tuple[BadgeProgress, datetime | None]]) -> None:
    """Let nothing of a progress count that is not newer than a moment. It only ever gets later. One statement."""
    changed = []
    for progress, moment in moments:
        if moment is not None and (progress.counts_from is None or progress.counts_from < moment):
            progress.counts_from = moment
            changed.append(progress)
    updating.update(changed, ["counts_from"])


def after(earlier: datetime | None, moment: datetime) -> datetime:
    """Return a moment, or the next one after ``earlier`` if that is later.

    The clocks of those who tell what happened differ, and events come late. Badges that depend on this one go by the
    times of its awards and revocations: one that is not newer than the one before would mean nothing to them.
    """
    return moment if earlier is None else max(moment, earlier + timedelta(microseconds=1))
