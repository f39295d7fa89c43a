"""The events BADGE_AWARDED and BADGE_REVOKED, as what is stored of an award describes them: always the same."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC
from typing import Any, cast
from uuid import UUID, uuid5

import attr
from django.utils import timezone
from openedx_events.data import EventsMetadata
from openedx_events.learning.data import BadgeData, BadgeTemplateData, UserData, UserPersonalData
from openedx_events.learning.signals import BADGE_AWARDED, BADGE_REVOKED

from badges_plugin.data import BadgingEvent, EventStamp, LearnerData
from badges_plugin.models import BadgeAward
from badges_plugin.ruleset import OWN_TEMPLATE

NAMESPACE = UUID("6f1a0d8e-58a6-5c0b-9d0e-0b1f4a2c7d35")


class Kind(enum.Enum):
    """The public events of an award, in their order."""

    AWARDED = "awarded"
    REVOKED = "revoked"


SIGNALS = {Kind.AWARDED: BADGE_AWARDED, Kind.REVOKED: BADGE_REVOKED}


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
    user, metadata = award.progress.user, metadata_of(award, kind)
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


def metadata_of(award: BadgeAward, kind: Kind) -> EventsMetadata:
    """Return the metadata of the public event: its id and the time of what happened."""
    signal = SIGNALS[kind]
    happened_at = award.awarded_at if kind is Kind.AWARDED else award.revoked_at
    return EventsMetadata(
        event_type=signal.event_type,
        minorversion=signal.minor_version,
        id=event_id(award, kind),
        time=(happened_at or timezone.now()).astimezone(UTC),
    )
