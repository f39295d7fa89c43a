"""Where signals enter: one receiver for every configured event type."""

from __future__ import annotations

from contextvars import ContextVar

from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_delete
from openedx_events.data import EventsMetadata
from openedx_events.tooling import OpenEdxPublicSignal

from . import api, conf, events
from .exceptions import IgnoredEvent, UnusableEventType
from .logs import get_logger
from .models import BadgeRequirement, BadgeTemplate

logger = get_logger(__name__)

LONGEST_CHAIN = 10
"""How many badges may follow from one another: each is announced, and heard here, before the one before is done."""

_depth: ContextVar[int] = ContextVar("badges_plugin.handlers.depth", default=0)
_DISPATCH_UID = "badges_plugin.handlers"


def connect() -> None:
    """Connect what is configured. An event type that cannot be used is logged here and reported by a check."""
    try:
        names = conf.config().events
    except ImproperlyConfigured as error:
        # The check E001 says so as well; here it would keep the whole service from starting.
        logger.error("No event is received: %s", error)
        names = ()
    for name in names:
        try:
            event_type = events.get_event_type(name)
        except UnusableEventType as error:
            logger.error("Events of type %s are not received: %s", name, error)
        else:
            event_type.signal.connect(handle_badging_event, dispatch_uid=_DISPATCH_UID)
    post_delete.connect(deactivate_emptied_template, sender=BadgeRequirement, dispatch_uid=_DISPATCH_UID)


def disconnect() -> None:
    """Undo ``connect``, for every event type that there is."""
    for signal in OpenEdxPublicSignal.all_events():
        signal.disconnect(handle_badging_event, dispatch_uid=_DISPATCH_UID)
    post_delete.disconnect(sender=BadgeRequirement, dispatch_uid=_DISPATCH_UID)


def handle_badging_event(signal: OpenEdxPublicSignal, metadata: EventsMetadata, **kwargs: object) -> None:
    """
    Process an event and log what became of it, with its id and without personal data.

    What must be ignored is logged and done with. Any other exception is passed on: the event was not applied,
    and whoever delivered it must know.
    """
    arguments = {name: kwargs.get(name) for name in signal.init_data}
    depth = _depth.set(_depth.get() + 1)
    try:
        _refuse_endless_chain()
        outcome = api.handle_event(signal.event_type, metadata, arguments)
    except IgnoredEvent as ignored:
        logger.warning("Event %s %s ignored: %s.", signal.event_type, metadata.id, ignored.reason)
    else:
        logger.info("Event %s %s: %s.", signal.event_type, metadata.id, outcome.value)
    finally:
        _depth.reset(depth)


def _refuse_endless_chain() -> None:
    if _depth.get() > LONGEST_CHAIN:
        raise IgnoredEvent("badges that depend on one another award and revoke each other without end")


def deactivate_emptied_template(instance: BadgeRequirement, **kwargs: object) -> None:
    """A template that lost its last requirement stops being processed: nobody could complete it."""
    template = BadgeTemplate.objects.filter(pk=instance.template_id, is_active=True).first()
    if template is not None and not template.requirements.exists():
        api.deactivate_template(template)
        logger.warning("Badge template %s was deactivated: its last requirement was deleted.", template.pk)
