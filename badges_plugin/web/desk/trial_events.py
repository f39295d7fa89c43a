"""Events to be tried: made from choices in words, pasted, or taken from those that failed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4

from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey
from openedx_events.data import EventsMetadata
from openedx_events.event_bus.avro.deserializer import AvroSignalDeserializer
from openedx_events.learning.data import (
    CertificateData,
    CourseData,
    CoursePassingStatusData,
    PersistentCourseGradeData,
    UserData,
    UserPersonalData,
)

from badges_plugin import api, events
from badges_plugin.data import BadgingEvent, LearnerData
from badges_plugin.exceptions import BadgesError
from badges_plugin.host import User
from badges_plugin.times import read_instant

PASSING = "org.openedx.learning.course.passing.status.updated.v1"
GRADE = "org.openedx.learning.course.persistent_grade_summary.changed.v1"
CERTIFICATE = "org.openedx.learning.certificate.created.v1"

MAX_PASTED = 100_000
"""Characters of an event that is pasted. Real ones have one or two thousand."""

_COURSE_IN_URL = re.compile(r"(?:course|ccx)-v1:[^/?#\s]+")
_SOMEBODY = UserData(id=1, is_active=True, pii=UserPersonalData(username="somebody", email="", name=""))


class NoEventError(Exception):
    """No event can be made of what was given. The message is for the person who gave it."""


def course_key(text: str) -> CourseKey:
    """Return the course key that was typed, or that is in the address of a page. Raises NoEventError."""
    text = text.strip()
    if "://" in text:
        found = _COURSE_IN_URL.search(unquote(text))
        if found is None:
            raise NoEventError(_("This is the address of a page without a course in it."))
        text = found[0]
    try:
        return CourseKey.from_string(text)
    except InvalidKeyError:
        message = _("“%(text)s” is not a course key; it looks like course-v1:Org+Course+Run.")
        raise NoEventError(message % {"text": text}) from None


def about_course(kind: str, key: CourseKey, *, user: User | None, at: datetime, percent: float = 0.0) -> BadgingEvent:
    """Return the event of a course that is passed or failed ("pass", "fail"), a grade or a certificate.

    ``percent`` of a grade, from 0 to 100. Without a user it is about nobody in particular.
    """
    person, course = _described(user), CourseData(course_key=key)
    if kind == "grade":
        data: object = PersistentCourseGradeData(
            user_id=person.id, course=course, course_edited_timestamp=at, course_version="", grading_policy_hash="",
            percent_grade=percent / 100, letter_grade="", passed_timestamp=at,
        )  # fmt: skip
        return _read(GRADE, {"grade": data}, at=at, user=user)
    if kind == "certificate":
        data = CertificateData(
            user=person, course=course, mode="verified", grade="", download_url="", name=person.pii.name,
            current_status="downloadable",
        )  # fmt: skip
        return _read(CERTIFICATE, {"certificate": data}, at=at, user=user)
    data = CoursePassingStatusData(is_passing=kind == "pass", course=course, user=person)
    return _read(PASSING, {"course_passing_status": data}, at=at, user=user)


def pasted(text: str, *, user: User | None, at: datetime) -> BadgingEvent:
    """Return the event in a JSON text: an object with "type" and "data", perhaps "id" and "time". Raises NoEventError.

    The longer names under which events are stored are known, too: "event_type", "payload", "metadata".
    """
    if len(text) > MAX_PASTED:
        raise NoEventError(_("This is too long for an event."))
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise NoEventError(_("This is not JSON.")) from None
    if not isinstance(given, Mapping):
        raise NoEventError(_("An event is a JSON object with “type” and “data”."))
    metadata = given.get("metadata")
    told = {**(metadata if isinstance(metadata, Mapping) else {}), **given}
    event_type, data = told.get("type") or told.get("event_type"), told.get("data") or told.get("payload")
    if not isinstance(event_type, str) or not isinstance(data, Mapping):
        raise NoEventError(_("An event is a JSON object with “type” and “data”."))
    return stored(event_type, data, user=user, at=_time(told.get("time"), at), event_id=_id(told.get("id")))


def stored(
    event_type: str, data: Mapping[str, Any], *, user: User | None, at: datetime, event_id: UUID | None = None
) -> BadgingEvent:
    """Return the event with this content, as it crosses the bus. Raises NoEventError."""
    try:
        signal = events.get_event_type(event_type).signal
        content: Mapping[str, object] = AvroSignalDeserializer(signal).from_dict(dict(data))
    except BadgesError as error:
        raise NoEventError(str(error)) from None
    except Exception as error:  # whatever its data classes and keys raise
        message = _("The installed openedx-events cannot read the content of this event (%(error)s).")
        raise NoEventError(message % {"error": f"{type(error).__name__}: {error}"[:200]}) from error
    return _read(event_type, content, at=at, user=user, event_id=event_id)


def _read(
    event_type: str, content: Mapping[str, object], *, at: datetime, user: User | None, event_id: UUID | None = None
) -> BadgingEvent:
    metadata = EventsMetadata(event_type=event_type, id=event_id or uuid4(), time=at.astimezone(UTC))
    try:
        event = api.read_event(event_type, metadata, content)
    except BadgesError as error:
        raise NoEventError(str(error)) from None
    return event if user is None else replace(event, learner=_learner(user))


def _described(user: User | None) -> UserData:
    if user is None:
        return _SOMEBODY
    pii = UserPersonalData(username=user.get_username(), email=user.email, name=user.full_name or "")
    return UserData(id=user.lms_user_id or _SOMEBODY.id, is_active=True, pii=pii)


def _learner(user: User) -> LearnerData:
    return LearnerData(user.lms_user_id or None, user.get_username(), user.email, user.full_name or "", is_active=True)


def _time(value: object, at: datetime) -> datetime:
    if value is None:
        return at
    try:
        return read_instant(str(value))
    except ValueError:
        raise NoEventError(_("The time of this event cannot be read; it looks like 2026-01-31T12:00:00Z.")) from None


def _id(value: object) -> UUID | None:
    try:
        return None if value is None else UUID(str(value))
    except ValueError:
        raise NoEventError(_("The id of this event is not a UUID.")) from None
