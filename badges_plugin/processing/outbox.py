"""The events BADGE_AWARDED and BADGE_REVOKED: sent after the commit, until this service and the event bus have them.

That something is to be published is written in the transaction of the award. A process that dies before it has
sent it leaves it to ``publish_pending``. An event that is sent twice has the same id and time both times. The badges
that need this one hear of it first, by the internal signal ``badge_event``. If that fails, nothing is published, and
all of it is tried again.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast
from uuid import UUID, uuid5

import attr
from django.db import DatabaseError, transaction
from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.utils import timezone
from edx_django_utils.monitoring import set_custom_attribute
from openedx_events.data import EventsMetadata
from openedx_events.learning.data import BadgeData, BadgeTemplateData, UserData, UserPersonalData
from openedx_events.learning.signals import BADGE_AWARDED, BADGE_REVOKED

from badges_plugin import dispatch, retirement, synthetic
from badges_plugin.data import BadgingEvent, EventStamp, LearnerData
from badges_plugin.logs import get_logger
from badges_plugin.models import BadgeAward, BadgeTemplate, Ending
from badges_plugin.processing.publishing import publish
from badges_plugin.redaction import describe_with_traceback
from badges_plugin.ruleset import OWN_TEMPLATE, Ruleset, last_ruleset
from badges_plugin.signals import badge_event

logger = get_logger(__name__)

NAMESPACE = UUID("6f1a0d8e-58a6-5c0b-9d0e-0b1f4a2c7d35")

CLAIM_TIME = timedelta(minutes=5)
"""How long an award is left to the process that publishes it, and the pause before the next attempt."""


class Kind(enum.Enum):
    """The public events of an award, in their order."""

    AWARDED = "awarded"
    REVOKED = "revoked"


_SIGNALS = {Kind.AWARDED: BADGE_AWARDED, Kind.REVOKED: BADGE_REVOKED}


def first_due() -> datetime:
    """Return when others may publish what is written now: this process does so right after the commit."""
    return timezone.now() + CLAIM_TIME


def after_commit(award: BadgeAward) -> None:
    """Publish an award or its revocation once the running transaction, which wrote it, is committed."""
    transaction.on_commit(partial(_publish_now, award))


def publish_pending(*, limit: int = 100) -> int:
    """Publish what others left unpublished, oldest first; stop at the first that the bus does not take.

    Returns how many events the bus took. Any number of processes may do this at the same time; one query when
    there is nothing to do.
    """
    sent = 0
    due = BadgeAward.objects.filter(publish_due_at__lte=timezone.now()).order_by("publish_due_at", "pk")
    for award in due.select_related("progress__user", "progress__template", "credential")[:limit]:
        claim = BadgeAward.objects.filter(pk=award.pk, publish_due_at=award.publish_due_at)
        if not claim.update(publish_due_at=timezone.now() + CLAIM_TIME):
            continue
        # As they are now: the events before this one may have taken minutes.
        award.progress.user.refresh_from_db(fields=["username", "email", "full_name", "lms_user_id", "is_active"])
        try:
            if retirement.is_gone(award.progress.user):
                _withhold(award)
                continue
            for each, kind in _heard(award):
                if not _publish(each, kind):
                    return sent
                sent += 1
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - one that cannot even be described must not keep the others back
            logger.error("Award %s could not be published: %s", award.pk, type(error).__name__)
    return sent


def event_id(award: BadgeAward, kind: Kind) -> UUID:
    """Return the id of the public event, always the same one for the same award or revocation."""
    return uuid5(NAMESPACE, f"{award.credential.uuid}/{award.number}/{kind.value}")


def badge_data(award: BadgeAward) -> BadgeData:
    """Describe an award in the language of openedx-events. An LMS user id of 0 means that it is not known."""
    user = award.progress.user
    template = award.progress.template
    return BadgeData(
        uuid=str(award.credential.uuid),
        user=UserData(
            pii=UserPersonalData(username=user.get_username(), email=user.email, name=user.full_name or ""),
            id=user.lms_user_id or 0,
            is_active=user.is_active,
        ),
        template=BadgeTemplateData(
            uuid=str(template.uuid),
            origin=template.origin,
            name=template.name,
            description=template.description,
            image_url=template.icon,
        ),
    )


def badge_event_of(award: BadgeAward, kind: Kind) -> BadgingEvent:
    """Describe an award or its revocation as an event of this service, with id and time of the public event.

    It says no more of the learner than who they are: the profile is where it came from.
    """
    user, metadata = award.progress.user, _metadata(award, kind)
    return BadgingEvent(
        metadata.event_type,
        EventStamp(metadata.time, metadata.id),
        LearnerData(
            lms_user_id=user.lms_user_id or None,
            username="" if user.lms_user_id else user.get_username(),
            email="",
            name="",
            is_active=user.is_active,
        ),
        {**attr.asdict(badge_data(award), recurse=False), OWN_TEMPLATE: award.progress.template_id},
    )


def badge_data_of(event: BadgingEvent) -> BadgeData:
    """Return what the public event of an event of this service carries."""
    payload = cast("Mapping[str, Any]", event.payload)
    return BadgeData(**{field.name: payload[field.name] for field in attr.fields(BadgeData)})


def _publish_now(award: BadgeAward) -> None:
    if award.revoked_at is not None:
        award.refresh_from_db(fields=["published_at"])
    # Whoever earned or lost it by an event was found among the living a moment ago.
    is_told_by_event = award.ended_by in ("", Ending.PENALTY)
    if not is_told_by_event and retirement.is_gone(award.progress.user):
        _withhold(award)
        return
    for each, kind in _heard(award, by_event=is_told_by_event):
        if not _publish(each, kind):
            return


def _heard(award: BadgeAward, *, by_event: bool = False) -> list[tuple[BadgeAward, Kind]]:
    """Return what of an award is unpublished, once the badges that need it have heard it; nothing if they could not.

    They hear all of it before any of it is published: while the bus is away, a revocation is not. ``by_event``: this
    process has just applied the event that it follows from, and so knows without a query whether there are such badges.
    """
    unpublished = list(_unpublished(award))
    ruleset = last_ruleset() if by_event else None
    return unpublished if all(_is_heard(each, kind, ruleset) for each, kind in unpublished) else []


def _unpublished(award: BadgeAward) -> Iterator[tuple[BadgeAward, Kind]]:
    """Yield what of an award is unpublished, after what was left of earlier awards of the same badge.

    All of them are events about one badge: whoever goes by the last one must not take it for revoked when it is held.
    """
    user = award.progress.user
    if retirement.is_retired(user.get_username(), user.email):
        _withhold(award)
        return
    if synthetic.is_synthetic(user.get_username(), user.lms_user_id):
        _withhold(award, "its learner is one of a load test")
        return
    for each in [*_earlier_awards(award), award]:
        if each.published_at is None:
            yield each, Kind.AWARDED
        if each.revoked_at is not None and each.revocation_published_at is None:
            yield each, Kind.REVOKED


def _withhold(award: BadgeAward, why: str = "its learner was retired") -> None:
    """Nothing is said of the award any more; then nothing is due either."""
    BadgeAward.objects.filter(pk=award.pk).update(publish_due_at=None)
    logger.info("Award %s of user %s is not published: %s.", award.pk, award.progress.user_id, why)


def _earlier_awards(award: BadgeAward) -> list[BadgeAward]:
    if award.number == 1:
        return []
    left = BadgeAward.objects.filter(progress=award.progress_id, number__lt=award.number, publish_due_at__isnull=False)
    return list(left.select_related("progress__user", "progress__template", "credential").order_by("number"))


def _is_heard(award: BadgeAward, kind: Kind, ruleset: Ruleset | None) -> bool:
    """Tell the badges that need this one, in this process. Whether that is done with; heard again, it changes nothing.

    The award is committed: what goes wrong is logged, and it is due again. By a ruleset that is known to be current
    nobody is told of what matters to no badge.
    """
    event = badge_event_of(award, kind)
    if ruleset is not None and not ruleset.match(event):
        return True
    try:
        badge_event.send(sender=BadgeTemplate, event=event)
    except Exception as error:  # noqa: BLE001 - whoever awarded has done so
        logger.error(
            "Badges that need another one could not be told of award %s (%s) yet: %s",
            award.pk,
            kind.value,
            describe_with_traceback(error),
        )
        return False
    return True


def _metadata(award: BadgeAward, kind: Kind) -> EventsMetadata:
    signal = _SIGNALS[kind]
    happened_at = award.awarded_at if kind is Kind.AWARDED else award.revoked_at
    return EventsMetadata(
        event_type=signal.event_type,
        minorversion=signal.minor_version,
        id=event_id(award, kind),
        time=(happened_at or timezone.now()).astimezone(UTC),
    )


def _publish(award: BadgeAward, kind: Kind) -> bool:
    """Send the event; whether that is done with. Nobody else sends it meanwhile: its due time lies in the future."""
    metadata = _metadata(award, kind)
    # Our receiver would hear what ``_is_heard`` has told already.
    with dispatch.done_here(metadata.id):
        is_taken = publish(_SIGNALS[kind], metadata, badge=badge_data(award))
    if not is_taken:
        set_custom_attribute("badges_announcement_failed", str(metadata.id))
        logger.warning("Event %s (award %s %s) was not taken yet.", metadata.id, award.pk, kind.value)
        return False
    logger.info(
        "Award %s of user %s published as %s by event %s.", award.pk, award.progress.user_id, kind.value, metadata.id
    )
    try:
        _mark_published(award, kind)
    except DatabaseError as error:
        # At worst it is sent once more, with the same id.
        logger.warning("Event %s was sent, but that could not be noted: %s", metadata.id, type(error).__name__)
    return True


def _mark_published(award: BadgeAward, kind: Kind) -> None:
    """Note that the bus has the event. Nothing is due any more, unless the award's other event still is."""
    row = BadgeAward.objects.filter(pk=award.pk)
    now = timezone.now()
    if kind is Kind.AWARDED:
        other_is_due = Q(revoked_at__isnull=False, revocation_published_at=None)
        row.update(published_at=now, publish_due_at=_due_if(other_is_due))
    else:
        row.update(revocation_published_at=now, publish_due_at=_due_if(Q(published_at=None)))


def _due_if(condition: Q) -> Case:
    return Case(When(condition, then=F("publish_due_at")), default=Value(None), output_field=DateTimeField())
