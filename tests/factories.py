"""Rows and events for tests. The events are real ones: signals of openedx-events with their data classes."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import factory
from ccx_keys.locator import CCXLocator
from django.contrib.auth.models import Permission
from django.contrib.sites.models import Site
from opaque_keys.edx.keys import CourseKey
from openedx_events.data import EventsMetadata
from openedx_events.learning.data import (
    CcxCourseData,
    CcxCoursePassingStatusData,
    CourseData,
    CourseEnrollmentData,
    CoursePassingStatusData,
    UserData,
    UserPersonalData,
)

from badges_plugin import api
from badges_plugin.host import User
from badges_plugin.models import (
    BadgePenalty,
    BadgeRequirement,
    BadgeTemplate,
    DataRule,
    PenaltyDataRule,
    RequirementGroup,
)

PASSING = "org.openedx.learning.course.passing.status.updated.v1"
CCX_PASSING = "org.openedx.learning.ccx.course.passing.status.updated.v1"
ENROLLMENT = "org.openedx.learning.course.enrollment.created.v1"
COURSE = "course-v1:Demo+Badges+1"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """Return a moment some minutes after the tests' epoch."""
    return EPOCH + timedelta(minutes=minutes)


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"learner{n}")
    lms_user_id = factory.Sequence(lambda n: 1000 + n)
    full_name = "Lea Learner"
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.org")
    last_login = EPOCH - timedelta(days=30)


class TemplateFactory(factory.django.DjangoModelFactory[BadgeTemplate]):
    class Meta:
        model = BadgeTemplate

    site = factory.LazyFunction(lambda: Site.objects.get_or_create(domain="example.org", name="example")[0])
    name = factory.Sequence(lambda n: f"Badge {n}")
    description = "For learning."
    icon = "https://images.example.org/badge.png"
    is_active = True


class RequirementFactory(factory.django.DjangoModelFactory[BadgeRequirement]):
    class Meta:
        model = BadgeRequirement

    template = factory.SubFactory(TemplateFactory)
    event_type = PASSING


class PenaltyFactory(factory.django.DjangoModelFactory[BadgePenalty]):
    class Meta:
        model = BadgePenalty
        skip_postgeneration_save = True

    template = factory.SubFactory(TemplateFactory)
    event_type = PASSING

    @factory.post_generation
    def requirements(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        if extracted:
            self.requirements.set(extracted)


def make_user(**changes: Any) -> User:
    """Save a learner whom Credentials knows."""
    user: User = UserFactory.create(**changes)
    return user


def staff_who_may(*codenames: str) -> User:
    """Save a member of staff with these permissions and no others."""
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def make_template(**changes: Any) -> BadgeTemplate:
    """Save a badge template, active unless said otherwise."""
    return TemplateFactory.create(**changes)


def requires(
    template: BadgeTemplate, *rules: tuple[str, str, str], event_type: str = PASSING, group: str = "", **asks: Any
) -> BadgeRequirement:
    """Add a requirement with rules (key path, operator, value); ``asks`` are other columns, such as its count."""
    row = RequirementGroup.named(template, group) if group else None
    requirement = RequirementFactory.create(template=template, event_type=event_type, group=row, **asks)
    for key_path, operator, value in rules:
        DataRule.objects.create(requirement=requirement, key_path=key_path, operator=operator, value=value)
    return requirement


def requires_course(template: BadgeTemplate, course: str = COURSE, *, group: str = "", **asks: Any) -> BadgeRequirement:
    """Add the requirement to pass a course."""
    return requires(template, ("course.course_key", "eq", course), ("is_passing", "eq", "true"), group=group, **asks)


def penalizes(
    template: BadgeTemplate,
    requirements: list[BadgeRequirement],
    *rules: tuple[str, str, str],
    event_type: str = PASSING,
) -> BadgePenalty:
    """Add a penalty with rules (key path, operator, value) that resets requirements."""
    penalty = PenaltyFactory.create(template=template, event_type=event_type, requirements=requirements)
    for key_path, operator, value in rules:
        PenaltyDataRule.objects.create(penalty=penalty, key_path=key_path, operator=operator, value=value)
    return penalty


def penalizes_failing(template: BadgeTemplate, requirement: BadgeRequirement, course: str = COURSE) -> BadgePenalty:
    """Add the penalty for failing a course."""
    return penalizes(template, [requirement], ("course.course_key", "eq", course), ("is_passing", "eq", "false"))


def user_data(user: Any = None, **changes: Any) -> UserData:
    """Describe a user, or somebody whom Credentials does not know, as the LMS does."""
    described: dict[str, Any] = {"id": 77, "username": "newcomer", "email": "new@example.org", "name": "Nia New"}
    if user is not None:
        described = {"id": user.lms_user_id, "username": user.username, "email": user.email, "name": user.full_name}
    described |= changes
    return UserData(
        id=described.pop("id"), is_active=described.pop("is_active", True), pii=UserPersonalData(**described)
    )


def passing_data(user: UserData, course: str = COURSE, *, is_passing: bool = True) -> CoursePassingStatusData:
    return CoursePassingStatusData(
        is_passing=is_passing, course=CourseData(course_key=CourseKey.from_string(course)), user=user
    )


def ccx_data(user: UserData, ccx: str, *, is_passing: bool = True) -> CcxCoursePassingStatusData:
    key = CCXLocator.from_string(ccx)
    return CcxCoursePassingStatusData(
        is_passing=is_passing,
        course=CcxCourseData(ccx_course_key=key, master_course_key=key.to_course_locator()),
        user=user,
    )


def enrollment_data(
    user: UserData, course: str = COURSE, *, created_by: UserData | None = None
) -> CourseEnrollmentData:
    return CourseEnrollmentData(
        user=user,
        course=CourseData(course_key=CourseKey.from_string(course)),
        mode="verified",
        is_active=True,
        creation_date=EPOCH,
        created_by=created_by,
    )


def metadata(
    event_type: str = PASSING, *, time: datetime | None = None, event_id: uuid.UUID | None = None
) -> EventsMetadata:
    return EventsMetadata(event_type=event_type, id=event_id or uuid.uuid1(), time=time or at(0))


def send_passing(
    user: Any, course: str = COURSE, *, is_passing: bool = True, minute: float = 0, **options: Any
) -> api.Outcome:
    """Process the event that a course is passed or failed, as the handler does but without its error handling."""
    data = user if isinstance(user, UserData) else user_data(user)
    described = passing_data(data, course, is_passing=is_passing)
    return api.handle_event(PASSING, metadata(time=at(minute), **options), {"course_passing_status": described})
