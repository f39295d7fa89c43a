"""Write awards and their ends: those of any number of learners, with a fixed number of statements.

Called inside a transaction that holds the learners. Rows are written in the order of learners and templates, so that
two transactions do not wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol

from django.db import transaction
from django.utils import timezone

from badges_plugin import bulk, instances, updating
from badges_plugin.exceptions import about
from badges_plugin.fulfillment_rows import FulfillmentRow
from badges_plugin.host import REVOKED
from badges_plugin.logs import get_logger, level_of_each
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, Ending
from badges_plugin.processing import causes, credentials, outbox, terms
from badges_plugin.processing.badge_events import Kind
from badges_plugin.processing.terms import Term
from badges_plugin.reasons import MAX_LENGTH
from badges_plugin.signals import badge_awarded, badge_revoked, badges_awarded, badges_revoked

logger = get_logger(__name__)

_ENDING = ["revoked_at", "revocation_recorded_at", "revocation_reason", "ended_by", "ending_facts", "publish_due_at"]


class Cause(Protocol):
    """What an award follows from: a change of progress, or a decision of staff."""

    @property
    def progress(self) -> BadgeProgress: ...

    def made_by(self, counts_from: datetime | None) -> Sequence[FulfillmentRow]:
        """Return the fulfillments that made it, in the order of their events."""


@dataclass(frozen=True)
class Grant:
    """A progress that is to be awarded. Without a beginning, the term only says what counts from now on."""

    change: Cause
    last: BadgeAward | None
    term: Term


@dataclass(frozen=True)
class End:
    """An award that ends, and why.

    ``reason`` is in the own words of a person or a provider; otherwise ``facts`` tell it. ``happened_at``: now, unless
    an event or the calendar told of it. ``counts_from``: only what is newer counts toward the next award.
    """

    award: BadgeAward
    ended_by: Ending
    happened_at: datetime | None = None
    reason: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    counts_from: datetime | None = None


def grant(grants: Sequence[Grant]) -> list[BadgeAward | None]:
    """Award badges: the user credentials, the awards and, by the internal signals, whatever must go with them.

    Each is of another progress. Returns the award of each grant, or None for a badge that would have expired by now;
    see ``terms.term_of``.
    """
    terms.count_from((each.change.progress, each.term.counts_from) for each in grants)
    begun = sorted(
        ((each.term.awarded_at, each) for each in grants if each.term.awarded_at is not None),
        key=lambda pair: _order(pair[1].change.progress),
    )
    given = credentials.awarded([(each.change.progress, each.last) for _, each in begun])
    now, is_told = timezone.now(), outbox.has_audience(Kind.AWARDED)
    columns: dict[str, list[object]] = {
        "progress_id": [each.change.progress.pk for _, each in begun],
        "number": [each.last.number + 1 if each.last else 1 for _, each in begun],
        "credential_id": [credential.pk for credential in given],
        "awarded_at": [awarded_at for awarded_at, _ in begun],
        "expires_at": [each.term.expires_at for _, each in begun],
        "recorded_at": [now] * len(begun),
        "events": [_events(each) for _, each in begun],
        "published_at": [None if is_told else now] * len(begun),
        "publish_due_at": [outbox.first_due() if is_told else None] * len(begun),
    }
    awards = instances.make(BadgeAward, len(begun), columns)
    instances.relate(awards, "progress", [each.change.progress for _, each in begun])
    instances.relate(awards, "credential", given)
    bulk.insert(awards, by=("progress_id", "number"))
    for award in awards:
        with about(award.user.get_username()):
            badge_awarded.send(sender=BadgeTemplate, award=award)
    if awards:
        badges_awarded.send(sender=BadgeTemplate, awards=awards)
    # A transaction that is undone, by a failure or because it is a rehearsal, has awarded nothing.
    transaction.on_commit(partial(_log_awards, awards, [each for each in grants if each.term.awarded_at is None]))
    if is_told:
        outbox.after_commit(awards)
    of_progress = {award.progress_id: award for award in awards}
    return [of_progress.get(each.change.progress.pk) for each in grants]


def end(endings: Sequence[End]) -> None:
    """End awards that have not ended yet; each is of another progress."""
    if not endings:
        return
    now, due = timezone.now(), outbox.first_due()
    endings = sorted(endings, key=lambda each: _order(each.award.progress))
    awards = [each.award for each in endings]
    for each in endings:
        award = each.award
        award.revoked_at = terms.after(award.awarded_at, min(each.happened_at or now, now))
        award.revocation_recorded_at = now
        award.revocation_reason = each.reason[:MAX_LENGTH]
        award.ended_by = each.ended_by
        award.ending_facts = dict(each.facts)
        award.publish_due_at = due
    causes.name_courses(awards)
    # By key, as those who note what is published write, who hold no learners.
    updating.update(sorted(awards, key=lambda award: award.pk), _ENDING)
    credentials.set_status([award.credential for award in awards], REVOKED)
    terms.count_from((each.award.progress, each.counts_from) for each in endings)
    for award in awards:
        with about(award.user.get_username()):
            badge_revoked.send(sender=BadgeTemplate, award=award)
    badges_revoked.send(sender=BadgeTemplate, awards=awards)
    transaction.on_commit(partial(_log_endings, awards))
    outbox.after_commit(awards)


def _order(progress: BadgeProgress) -> tuple[int, int]:
    return progress.user_id, progress.template_id


def _events(granted: Grant) -> list[dict[str, str]]:
    return [
        {
            "id": str(row.event_id),
            "type": row.event_type,
            "time": row.event_time.isoformat(),
            **({"grade": row.grade} if row.grade else {}),
        }
        for row in granted.change.made_by(granted.term.counts_from)
    ]


def _log_awards(awards: Sequence[BadgeAward], passed_over: Sequence[Grant]) -> None:
    count = len(awards) + len(passed_over)
    level = level_of_each(count)
    if count > 1:
        logger.info("%d badges awarded; %d that would have expired by now were not.", len(awards), len(passed_over))
    if not logger.isEnabledFor(level):
        return
    for each in passed_over:
        logger.log(
            level,
            "Badge template %s not awarded to user %s: it would have expired by now.",
            each.change.progress.template_id,
            each.change.progress.user_id,
        )
    for award in awards:
        logger.log(
            level,
            "Badge template %s awarded to user %s (award %s) %s.",
            award.progress.template_id,
            award.progress.user_id,
            award.number,
            f"by event {award.events[-1]['id']}" if award.events else "by hand",
        )


def _log_endings(awards: Sequence[BadgeAward]) -> None:
    for award in awards:
        logger.info(
            "Badge template %s revoked from user %s (award %s): %s%s.",
            award.progress.template_id,
            award.progress.user_id,
            award.number,
            award.ended_by,
            f" by event {causes.event_id(award)}" if causes.event_id(award) else "",
        )
