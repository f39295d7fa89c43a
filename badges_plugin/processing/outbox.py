"""The events BADGE_AWARDED and BADGE_REVOKED: sent after the commit, until this service and the event bus have them.

That something is to be published is written in the transaction of the award. A process that dies before it has
sent it leaves it to ``publish_pending``. An event that is sent twice has the same id and time both times. The badges
that need this one hear of it first (see ``hearing``). If that fails, nothing is published, and all of it is tried
again.

All awards of a transaction are published together: the bus is waited for once, and what it has is noted at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import DatabaseError, connection, transaction
from django.db.models import Case, DateTimeField, F, Q, QuerySet, Value, When
from django.utils import timezone
from edx_django_utils.monitoring import set_custom_attribute

from badges_plugin import retirement, synthetic
from badges_plugin.logs import get_logger, level_of_each
from badges_plugin.models import BadgeAward, Ending
from badges_plugin.processing import hearing, publishing
from badges_plugin.processing.badge_events import SIGNALS, Kind, badge_data, event_id, metadata_of
from badges_plugin.processing.hearing import Unpublished
from badges_plugin.processing.publishing import PublicEvent
from badges_plugin.ruleset import current_ruleset, last_ruleset

logger = get_logger(__name__)

CLAIM_TIME = timedelta(minutes=5)
"""How long an award is left to the process that publishes it, and the pause before the next attempt."""


def first_due() -> datetime:
    """Return when others may publish what is written now: this process does so right after the commit."""
    return timezone.now() + CLAIM_TIME


def has_audience(kind: Kind) -> bool:
    """Return whether anybody is told of what follows from an event: the bus, another app, or badges that need it.

    By the ruleset that this process used last, which is the one that the event was applied by.
    """
    ruleset, event_type = last_ruleset(), SIGNALS[kind].event_type
    return ruleset is None or ruleset.hears(event_type) or publishing.has_listeners(SIGNALS[kind])


def after_commit(awards: Sequence[BadgeAward]) -> None:
    """Publish awards or their revocations once the running transaction, which wrote them, is committed."""
    if awards:
        transaction.on_commit(partial(_publish_now, awards))


def publish_pending(*, limit: int = 100) -> int:
    """Publish what others left unpublished, oldest first; stop when the bus does not take something.

    Returns how many events the bus took. Any number of processes may do this at the same time; one query when
    there is nothing to do.
    """
    published = 0
    # The first one alone finds out whether the bus is there. Those after it stay due if it is not.
    for size in (1, limit - 1):
        awards = _claim(size) if size > 0 else []
        if not awards:
            break
        living = _without(retirement.retired_among(award.progress.user for award in awards), awards)
        taken, is_all = _publish(hearing.tell(_unpublished(living), current_ruleset()))
        published += taken
        if not is_all:
            break
    return published


def _claim(size: int) -> list[BadgeAward]:
    """Return awards that are due, oldest first, and leave them to nobody else for a while. One query if there are none.

    The learners are as they are now: publishing those before may have taken minutes.
    """
    due = BadgeAward.objects.filter(publish_due_at__lte=timezone.now()).order_by("publish_due_at", "pk")
    keys = list(due.values_list("pk", flat=True)[:size])
    if not keys:
        return []
    with transaction.atomic():
        skip_locked = connection.features.has_select_for_update_skip_locked
        free = due.filter(pk__in=keys).select_for_update(skip_locked=skip_locked)
        mine = list(free.values_list("pk", flat=True))
        BadgeAward.objects.filter(pk__in=mine).update(publish_due_at=timezone.now() + CLAIM_TIME)
    rows = _with_all_that_is_told(BadgeAward.objects.filter(pk__in=mine)).in_bulk()
    return [rows[pk] for pk in mine if pk in rows]


def _publish_now(awards: Sequence[BadgeAward]) -> None:
    _refresh([award for award in awards if award.revoked_at is not None])
    # Whoever earned or lost it by an event was found among the living a moment ago.
    by_event = {award.pk for award in awards if award.ended_by in ("", Ending.PENALTY)}
    others = [award.progress.user for award in awards if award.pk not in by_event]
    living = _without(retirement.retired_among(others), awards)
    sequences = _unpublished(living)
    told = [sequence for sequence in sequences if sequence[-1][0].pk in by_event]
    untold = [sequence for sequence in sequences if sequence[-1][0].pk not in by_event]
    # This process has just applied the events, and so knows without a query whether there are badges to be told.
    _publish([*hearing.tell(told, last_ruleset()), *hearing.tell(untold)])


def _refresh(awards: Sequence[BadgeAward]) -> None:
    """Read again what another process may have published since these awards were read, before they ended."""
    if not awards:
        return
    rows = BadgeAward.objects.filter(pk__in=[award.pk for award in awards])
    published = dict(rows.values_list("pk", "published_at"))
    for award in awards:
        award.published_at = published.get(award.pk)


def _without(gone: set[int], awards: Iterable[BadgeAward]) -> list[BadgeAward]:
    """Return the awards of the living, save those of a load test. Nothing is said of the others, and nothing is due."""
    living: list[BadgeAward] = []
    withheld: dict[int, str] = {}
    for award in awards:
        user = award.progress.user
        if user.pk in gone or retirement.is_retired(user.get_username(), user.email):
            withheld[award.pk] = f"user {user.pk} was retired"
        elif synthetic.is_synthetic(user.get_username(), user.lms_user_id):
            withheld[award.pk] = f"user {user.pk} belongs to a load test"
        else:
            living.append(award)
    if withheld:
        BadgeAward.objects.filter(pk__in=withheld).update(publish_due_at=None)
        for pk, why in withheld.items():
            logger.info("Award %s is not published: %s.", pk, why)
    return living


def _unpublished(awards: Sequence[BadgeAward]) -> list[list[Unpublished]]:
    """Return what of each badge is unpublished, that of its earlier awards first; nothing of what is published.

    All of them are events about one badge: whoever goes by the last one must not take it for revoked when it is held.
    """
    newest = {award.progress_id: award for award in sorted(awards, key=lambda award: award.number)}
    # In the order of the awards: the oldest is due first.
    ordered = list(dict.fromkeys(award.progress_id for award in awards))
    earlier = _earlier_awards(list(newest.values()))
    sequences = [
        [
            (each, kind)
            for each in [*earlier[progress_id], newest[progress_id]]
            for kind, is_left in (
                (Kind.AWARDED, each.published_at is None),
                (Kind.REVOKED, each.revoked_at is not None and each.revocation_published_at is None),
            )
            if is_left
        ]
        for progress_id in ordered
    ]
    return [sequence for sequence in sequences if sequence]


def _earlier_awards(newest: Sequence[BadgeAward]) -> dict[int, list[BadgeAward]]:
    """Return the earlier awards, by progress, of which something is due. One query, or none where there are none."""
    found: dict[int, list[BadgeAward]] = defaultdict(list)
    numbers = {award.progress_id: award.number for award in newest if award.number > 1}
    if not numbers:
        return found
    left = BadgeAward.objects.filter(progress__in=sorted(numbers), publish_due_at__isnull=False)
    for award in _with_all_that_is_told(left).order_by("number"):
        if award.number < numbers[award.progress_id]:
            found[award.progress_id].append(award)
    return found


def _with_all_that_is_told(awards: QuerySet[BadgeAward]) -> QuerySet[BadgeAward]:
    return awards.select_related("progress__user", "progress__template", "credential")


def _publish(sequences: Iterable[Sequence[Unpublished]]) -> tuple[int, bool]:
    """Send the events of each badge in their order. Returns how many are done with, and whether the bus took all.

    Nobody else sends them meanwhile: their due times lie in the future.
    """
    listened_to = {kind for kind in Kind if publishing.has_listeners(SIGNALS[kind])}
    left = [outgoing for sequence in sequences if (outgoing := _describe(sequence, listened_to))]
    done: list[_Outgoing] = []
    is_all = True
    while left:
        firsts = [sequence[0] for sequence in left]
        taken = publishing.publish([first.event for first in firsts if first.event is not None])
        sent = [first.event is None or first.event.metadata.id in taken for first in firsts]
        for first, is_sent in zip(firsts, sent, strict=True):
            if not is_sent:
                _report_not_taken(first)
        done += [first for first, is_sent in zip(firsts, sent, strict=True) if is_sent]
        is_all = is_all and all(sent)
        # What follows about the same badge is not sent before what the bus did not take.
        left = [rest for (_, *rest), is_sent in zip(left, sent, strict=True) if is_sent and rest]
    _note(done)
    return len(done), is_all


@dataclass(frozen=True)
class _Outgoing:
    """An event that is about to be sent; ``event`` is None where nobody listens to it."""

    award: BadgeAward
    kind: Kind
    event: PublicEvent | None


def _describe(sequence: Iterable[Unpublished], listened_to: Collection[Kind]) -> list[_Outgoing]:
    outgoing = []
    for award, kind in sequence:
        event: PublicEvent | None = None
        try:
            if kind in listened_to:
                event = PublicEvent(SIGNALS[kind], metadata_of(award, kind), {"badge": badge_data(award)})
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - one that cannot even be described must not keep the others back
            logger.error("Award %s could not be published: %s", award.pk, type(error).__name__)
            return []
        outgoing.append(_Outgoing(award, kind, event))
    return outgoing


def _report_not_taken(outgoing: _Outgoing) -> None:
    event = event_id(outgoing.award, outgoing.kind)
    set_custom_attribute("badges_announcement_failed", str(event))
    logger.warning("Event %s (award %s %s) was not taken yet.", event, outgoing.award.pk, outgoing.kind.value)


def _note(done: Sequence[_Outgoing]) -> None:
    """Note that the events are done with. One statement for awards, one for revocations."""
    sent = [(each, each.event) for each in done if each.event is not None]
    if len(sent) > 1:
        logger.info("%d events of awards published.", len(sent))
    level = level_of_each(len(sent))
    for each, event in sent if logger.isEnabledFor(level) else ():
        logger.log(
            level,
            "Award %s of user %s published as %s by event %s.",
            each.award.pk,
            each.award.progress.user_id,
            each.kind.value,
            event.metadata.id,
        )
    try:
        for kind in Kind:
            _mark_published([each.award.pk for each in done if each.kind is kind], kind)
    except DatabaseError as error:
        # At worst they are sent once more, with the same ids.
        logger.warning("%d events were sent, but that could not be noted: %s", len(done), type(error).__name__)


def _mark_published(keys: Sequence[int], kind: Kind) -> None:
    """Note that the bus has the events. Nothing is due any more, unless the award's other event still is."""
    if not keys:
        return
    rows = BadgeAward.objects.filter(pk__in=keys)
    now = timezone.now()
    if kind is Kind.AWARDED:
        other_is_due = Q(revoked_at__isnull=False, revocation_published_at=None)
        rows.update(published_at=now, publish_due_at=_due_if(other_is_due))
    else:
        rows.update(revocation_published_at=now, publish_due_at=_due_if(Q(published_at=None)))


def _due_if(condition: Q) -> Case:
    return Case(When(condition, then=F("publish_due_at")), default=Value(None), output_field=DateTimeField())
