"""Build the whole content of an event from a few named fields, in the form that openedx-events puts on the bus.

An event's content is nested dictionaries with opaque keys and times as strings. The names are those of
openedx-events' data classes: https://docs.openedx.org/projects/openedx-events/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime

Content = dict[str, object]

LEARNING = "org.openedx.learning"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a caller may specify about an event. Every kind of event uses a part of it."""

    user_id: int
    username: str
    course: str = "course-v1:Demo+1+run"
    email: str | None = None
    name: str = ""
    is_active: bool = True
    is_passing: bool = True
    mode: str = "honor"
    status: str = "downloadable"
    grade: str = "0.92"
    master_course: str | None = None
    created_by_id: int | None = None
    created_by: str | None = None
    moment: str = field(default_factory=lambda: datetime.now(UTC).isoformat())

    @classmethod
    def names(cls) -> frozenset[str]:
        return frozenset(each.name for each in fields(cls))

    def address(self) -> str:
        return f"{self.username}@example.com" if self.email is None else self.email

    def user(self) -> Content:
        return _user(self.user_id, self.username, self.address(), self.name, is_active=self.is_active)

    def staff(self) -> Content | None:
        """Return the person who acted, if that is not the learner."""
        if self.created_by is None:
            return None
        return _user(self.created_by_id or 1, self.created_by, None, self.created_by, is_active=True)

    def course_data(self) -> Content:
        return {"course_key": self.course, "display_name": self.course, "start": None, "end": None}


@dataclass(frozen=True)
class Kind:
    """An event type and how to fill it."""

    event_type: str
    content: Callable[[Facts], Content]


def passing(facts: Facts) -> Content:
    return {
        "course_passing_status": {
            "is_passing": facts.is_passing,
            "course": facts.course_data(),
            "user": facts.user(),
        }
    }


def ccx_passing(facts: Facts) -> Content:
    """Build the event. ``course`` is the key of the custom course (ccx-v1:…@ccx@1); its master is derived."""
    custom, _, _ = facts.course.partition("+ccx@")
    course = {
        "ccx_course_key": facts.course,
        "master_course_key": facts.master_course or custom.replace("ccx-v1:", "course-v1:", 1),
        "display_name": facts.course,
        "coach_email": "",
        "start": None,
        "end": None,
        "max_students_allowed": None,
    }
    return {"course_passing_status": {"is_passing": facts.is_passing, "course": course, "user": facts.user()}}


def enrollment(facts: Facts) -> Content:
    return {
        "enrollment": {
            "user": facts.user(),
            "course": facts.course_data(),
            "mode": facts.mode,
            "is_active": facts.is_active,
            "creation_date": facts.moment,
            "created_by": facts.staff(),
        }
    }


def certificate(facts: Facts) -> Content:
    return {
        "certificate": {
            "user": facts.user(),
            "course": facts.course_data(),
            "mode": facts.mode,
            "grade": facts.grade,
            "download_url": "",
            "name": facts.name,
            "current_status": facts.status,
            "previous_status": "",
        }
    }


def registration(facts: Facts) -> Content:
    return {"user": facts.user()}


KINDS = {
    "passing": Kind(f"{LEARNING}.course.passing.status.updated.v1", passing),
    "ccx-passing": Kind(f"{LEARNING}.ccx.course.passing.status.updated.v1", ccx_passing),
    "enrollment": Kind(f"{LEARNING}.course.enrollment.created.v1", enrollment),
    "enrollment-changed": Kind(f"{LEARNING}.course.enrollment.changed.v1", enrollment),
    "unenrollment": Kind(f"{LEARNING}.course.unenrollment.completed.v1", enrollment),
    "certificate": Kind(f"{LEARNING}.certificate.created.v1", certificate),
    "certificate-changed": Kind(f"{LEARNING}.certificate.changed.v1", certificate),
    "certificate-revoked": Kind(f"{LEARNING}.certificate.revoked.v1", certificate),
    "registration": Kind(f"{LEARNING}.student.registration.completed.v1", registration),
}


def _user(user_id: int, username: str, email: str | None, name: str, *, is_active: bool) -> Content:
    address = f"{username}@example.com" if email is None else email
    return {
        "id": user_id,
        "is_active": is_active,
        "pii": {"username": username, "email": address, "name": name or username},
    }
