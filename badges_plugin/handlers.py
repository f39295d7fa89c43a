"""Connect the receivers: one for every configured event type, and those of what happens in this service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_delete
from openedx_events.data import EventsMetadata
from openedx_events.tooling import OpenEdxPublicSignal

from badges_plugin import activation, conf, dispatch, receiving
from badges_plugin import events as event_types
from badges_plugin.consumers import storing
from badges_plugin.data import BadgingEvent, Deferral
from badges_plugin.database import is_transient
from badges_plugin.exceptions import DeferredEvent, UnusableEventType
from badges_plugin.host import User
from badges_plugin.logs import get_logger
from badges_plugin.models import BadgeRequirement
from badges_plugin.processing import badge_events, erasure, traces
from badges_plugin.redaction import describe_with_traceback
from badges_plugin.signals import badge_events as badge_events_signal

logger = get_logger(__name__)


def connect() -> None:
    """Connect the receivers. An event type that cannot be used is logged here and reported by a check."""
    try:
        names = conf.config().events
    except ImproperlyConfigured as error:
        # The check E001 reports it as well. Raised here, it would keep the whole service from starting.
        logger.error("No event is received: %s", error)
        names = ()
    for name in names:
        try:
            event_type = event_types.get_event_type(name)
        except UnusableEventType as error:
            logger.error("An event type is not received: %s", error)
        else:
            event_type.signal.connect(handle_badging_event, dispatch_uid=dispatch.UID)
            dispatch.put_first(event_type.signal)
    badge_events_signal.connect(hear_badge_events, dispatch_uid=dispatch.UID)
    post_delete.connect(activation.deactivate_emptied_template, sender=BadgeRequirement, dispatch_uid=dispatch.UID)
    post_save.connect(notice_retirement, sender=User, dispatch_uid=dispatch.UID)
    pre_delete.connect(forget_deleted_user, sender=User, dispatch_uid=dispatch.UID)


def disconnect() -> None:
    """Undo ``connect``, for every event type that there is."""
    for signal in OpenEdxPublicSignal.all_events():
        signal.disconnect(handle_badging_event, dispatch_uid=dispatch.UID)
    badge_events_signal.disconnect(dispatch_uid=dispatch.UID)
    post_delete.disconnect(sender=BadgeRequirement, dispatch_uid=dispatch.UID)
    post_save.disconnect(sender=User, dispatch_uid=dispatch.UID)
    pre_delete.disconnect(sender=User, dispatch_uid=dispatch.UID)


def handle_badging_event(signal: OpenEdxPublicSignal, metadata: EventsMetadata, **kwargs: object) -> None:
    """Process an event that was sent in this process. Our consumers apply and store events themselves.

    An event that may be applied later is stored as a failed event, since nobody sends it again. An exception is passed
    on: the event was not applied, and the sender must know.
    """
    if dispatch.is_done_here(metadata):
        return
    arguments = {name: kwargs.get(name) for name in signal.init_data}
    try:
        receiving.receive(signal, metadata, arguments)
    except DeferredEvent as deferred:
        storing.store_in_process(signal, metadata, arguments, deferred)
        logger.warning("Event %s %s is kept as a failed event: %s.", signal.event_type, metadata.id, deferred.reason)


def hear_badge_events(events: Sequence[BadgingEvent], **kwargs: object) -> None:
    """Process awards and revocations of this service, for the badges that need them.

    A chain without end is stored as failed events, for staff. Any other exception is passed on: the outbox sends the
    events again.
    """
    try:
        receiving.hear(events)
    except DeferredEvent as deferred:
        if deferred.cause is not Deferral.ENDLESS_CHAIN:
            raise
        for event in events:
            _store(event, deferred)


def _store(event: BadgingEvent, deferred: DeferredEvent) -> None:
    signal = event_types.get_event_type(event.type).signal
    metadata = EventsMetadata(event_type=event.type, id=event.stamp.id, time=event.stamp.time)
    storing.store_in_process(signal, metadata, {"badge": badge_events.badge_data_of(event)}, deferred)
    logger.warning("Event %s %s is kept as a failed event: %s.", event.type, event.stamp.id, deferred.reason)


def notice_retirement(instance: User, *, raw: bool = False, **kwargs: object) -> None:
    """Erase what is kept of a user who is saved as retired. The host retires by a query, which sends no signal."""
    if not raw:
        with _sparing_the_host(f"Whether user {instance.pk} was retired could not be decided"):
            erasure.notice(instance)


def forget_deleted_user(instance: User, **kwargs: object) -> None:
    """Erase a deleted user from what has no foreign key to the user: failed events, and texts of staff."""
    # In a savepoint, so that the host's transaction can go on after an error.
    what = f"What failed events say of the deleted user {instance.pk} could not be erased"
    with _sparing_the_host(what), transaction.atomic():
        traces.forget_deleted(instance)
    what = f"What staff wrote about the deleted user {instance.pk} could not be erased"
    with _sparing_the_host(what), transaction.atomic():
        erasure.forget_deleted(instance)


@contextmanager
def _sparing_the_host(what: str) -> Iterator[None]:
    """Log errors and go on, so that logging in, or saving or deleting a user, still works.

    Raises only transient errors of the database: they concern the host as well, and may have ended its transaction.
    """
    try:
        yield
    except Exception as error:
        if is_transient(error):
            raise
        logger.error("%s: %s", what, describe_with_traceback(error))
