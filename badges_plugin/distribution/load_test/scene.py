"""What a load test makes up: one badge template, one course, and learners, all of them marked."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from django.contrib.sites.models import Site
from django.db import IntegrityError, transaction
from opaque_keys.edx.keys import CourseKey
from openedx_events.data import EventsMetadata
from openedx_events.learning.data import CourseData, CoursePassingStatusData, UserData, UserPersonalData
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

from badges_plugin import api, synthetic
from badges_plugin.consumers.message import DecodedEvent
from badges_plugin.distribution.load_test.exceptions import CannotMeasure
from badges_plugin.models import BadgeRequirement, BadgeTemplate, DataRule
from badges_plugin.rules import Operator

SIGNAL = COURSE_PASSING_STATUS_UPDATED
TEMPLATE_UUID = UUID("5e5b4e0c-1d1c-5a53-9b55-3a6f0a1f7e2d")
"""Always the same, so that two load tests cannot run at a time, and the leftovers of one that was killed are found."""

SOURCE = "badges/load-test"
NAME = "Load test"


@dataclass(frozen=True)
class Scene:
    """A load test. Its course has a key of its own: the events of an earlier one that still wait match nothing."""

    template: BadgeTemplate
    token: str
    """In the names of course and learners: no other load test, and no person, has it."""

    @property
    def course_key(self) -> CourseKey:
        return CourseKey.from_string(f"course-v1:BadgesLoadTest+Synthetic+{self.token}")

    def event(self, number: int) -> DecodedEvent:
        """Return the event, which happens now, that the synthetic learner of this number has passed the course."""
        username = f"{synthetic.USERNAME_PREFIX}{self.token}-{number}"
        personal = UserPersonalData(username=username, email=f"{username}@{synthetic.EMAIL_DOMAIN}", name=NAME)
        user = UserData(id=synthetic.FIRST_LMS_USER_ID + number, is_active=True, pii=personal)
        status = CoursePassingStatusData(is_passing=True, course=CourseData(self.course_key), user=user)
        metadata = EventsMetadata(
            event_type=SIGNAL.event_type,
            minorversion=SIGNAL.minor_version,
            id=uuid4(),
            time=datetime.now(UTC),
            source=SOURCE,
        )
        return DecodedEvent(SIGNAL, metadata, {"course_passing_status": status})


def template_in_database() -> BadgeTemplate | None:
    """Return the synthetic template of a load test that is going on, or that was killed."""
    return BadgeTemplate.objects.filter(uuid=TEMPLATE_UUID).first()


def unsaved_template() -> BadgeTemplate:
    """Return the template as it will be. Raises CannotMeasure when the service has no site to which it could belong."""
    site = Site.objects.order_by("pk").first()
    if site is None:
        raise CannotMeasure("The service has no site. Create one in the admin, under Sites.")
    return BadgeTemplate(
        site=site,
        uuid=TEMPLATE_UUID,
        name="Load test (synthetic)",
        description="Made by badges_load_test. If no load test is running, delete it with badges_load_test --clean-up.",
    )


def prepare() -> Scene:
    """Store the template and switch it on. Raises CannotMeasure when another load test has one."""
    made = Scene(unsaved_template(), secrets.token_hex(6))
    try:
        with transaction.atomic():
            made.template.save()
            requirement = BadgeRequirement.objects.create(template=made.template, event_type=SIGNAL.event_type)
            for key_path, value in (("course.course_key", str(made.course_key)), ("is_passing", "true")):
                DataRule.objects.create(
                    requirement=requirement, key_path=key_path, operator=Operator.EQUAL, value=value
                )
            api.activate_template(made.template, confirmed=True)
    except IntegrityError as error:
        raise CannotMeasure("Another load test has just begun.") from error
    return made
