"""Badges, and learners who earn and lose them through the real core. Needs Django."""

from __future__ import annotations

import itertools
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from django.contrib.sites.models import Site
from opaque_keys.edx.keys import CourseKey
from openedx_events.data import EventsMetadata
from openedx_events.learning.data import CourseData, CoursePassingStatusData, UserData, UserPersonalData

from badges_plugin import api, database
from badges_plugin.consumers.retrying import Retrying
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.distribution.credly.sync import sync_organization
from badges_plugin.models import BadgePenalty, BadgeRequirement, BadgeTemplate, DataRule, PenaltyDataRule
from sandbox.credly.remote import CredlyControl
from sandbox.drills.verdict import Wanted

PASSING = "org.openedx.learning.course.passing.status.updated.v1"

_PATIENCE = Retrying(
    limit=30, max_pause=1, is_transient=database.is_transient, refresh=database.refresh_connections, stop=lambda: False
)
BATCH = 100
_user_ids = itertools.count(1)
# Each event is newer than all before it.
_seconds = itertools.count()
_EPOCH = datetime.now(UTC) - timedelta(days=30)


class CredlyBadge:
    """A badge of its own organization: pass the course to earn it, fail it to lose it."""

    def __init__(self, credly: CredlyControl, name: str) -> None:
        self.credly = credly
        self.name = name
        self.course = f"course-v1:Drills+{uuid.uuid4().hex[:8]}+1"
        self.wanted: dict[str, Wanted] = defaultdict(Wanted)
        # How often an event met a transient database error, such as a deadlock.
        self.repetitions = 0
        made = credly.call("POST", "organizations", {"name": f"Organization of {name}"})
        self.organization_id, self.key = made["id"], made["keys"][0]
        # Credly itself would refuse a badge that is issued twice. It must not come to that: here it is issued.
        template = {"name": name, "description": "For a drill.", "allow_duplicate_badges": True}
        template_id = credly.call("POST", f"organizations/{self.organization_id}/badge_templates", template)["id"]
        self.organization = CredlyOrganization(uuid=self.organization_id)
        self.organization.set_api_key(self.key)
        self.organization.save()
        sync_organization(self.organization)
        self.template = CredlyBadgeTemplate.objects.get(uuid=template_id)
        earn_by_course(self.template, self.course)

    def learners(self, count: int) -> list[UserData]:
        """Return this many new learners."""
        return [_learner(next(_user_ids)) for _ in range(count)]

    def award(self, learners: Iterable[UserData]) -> None:
        """Let the learners pass the course."""
        for learner in self._send(learners, is_passing=True):
            self.wanted[learner.pii.email].awards += 1
            self.wanted[learner.pii.email].holds = True

    def revoke(self, learners: Iterable[UserData]) -> None:
        """Regrade the learners, so that they fail."""
        for learner in self._send(learners, is_passing=False):
            self.wanted[learner.pii.email].holds = False

    def _send(self, learners: Iterable[UserData], *, is_passing: bool) -> Iterator[UserData]:
        """Process events as a consumer does, in batches: retry transient errors, raise others. Yield the learners."""

        def count() -> None:
            self.repetitions += 1

        people = list(learners)
        for start in range(0, len(people), BATCH):
            batch = people[start : start + BATCH]
            events = [self._event(learner, is_passing=is_passing) for learner in batch]
            outcomes = _PATIENCE.run(partial(api.process_batch, events), "A batch", while_waiting=count)
            if ignored := [each for each in outcomes if isinstance(each, Exception)]:
                raise ignored[0]
            yield from batch

    def _event(self, learner: UserData, *, is_passing: bool) -> api.BadgingEvent:
        data = passing(learner, self.course, is_passing=is_passing)
        return api.read_event(PASSING, next_metadata(), {"course_passing_status": data})


def earn_by_course(template: BadgeTemplate, course: str) -> None:
    """Set a badge up as staff do in the admin: passing the course earns it, failing the course takes it away."""
    requirement = BadgeRequirement.objects.create(template=template, event_type=PASSING)
    penalty = BadgePenalty.objects.create(template=template, event_type=PASSING)
    penalty.requirements.set([requirement])
    for key_path, passed, failed in (("course.course_key", course, course), ("is_passing", "true", "false")):
        DataRule.objects.create(requirement=requirement, key_path=key_path, operator="eq", value=passed)
        PenaltyDataRule.objects.create(penalty=penalty, key_path=key_path, operator="eq", value=failed)
    api.activate_template(template)


def add_site() -> Site:
    """Return the site that templates belong to."""
    return Site.objects.get_or_create(pk=1, defaults={"domain": "example.org", "name": "example"})[0]


def passing(learner: UserData, course: str, *, is_passing: bool) -> CoursePassingStatusData:
    """Return the data of an event about a course that was passed or failed."""
    return CoursePassingStatusData(
        is_passing=is_passing, course=CourseData(course_key=CourseKey.from_string(course)), user=learner
    )


def next_metadata() -> EventsMetadata:
    """Return the metadata of an event that is newer than all before it."""
    moment = _EPOCH + timedelta(seconds=next(_seconds))
    return EventsMetadata(event_type=PASSING, id=uuid.uuid1(), time=moment)


def _learner(number: int) -> UserData:
    name = f"learner-{number}"
    pii = UserPersonalData(username=name, email=f"{name}@example.org", name=f"Lea {number}")
    return UserData(id=number, is_active=True, pii=pii)
