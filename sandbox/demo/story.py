"""The steps of the demo, and the expected state of each learner after each step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.sites.models import Site

from badges_plugin import api
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate
from badges_plugin.models import (
    BadgePenalty,
    BadgeRequirement,
    BadgeTemplate,
    DataRule,
    PenaltyDataRule,
    RequirementGroup,
)
from sandbox.demo.deployment import Deployment, Lms, set_up_credly
from sandbox.demo.processes import Child
from sandbox.demo.state import Standing, everything, standing

PASSING = "org.openedx.learning.course.passing.status.updated.v1"
FIRST_COURSE = "course-v1:Demo+Statistics+2026"
SECOND_COURSE = "course-v1:Demo+Python+2026"
TIMEOUT_SECONDS = 60
POLL_SECONDS = 0.1

ADA = {"user_id": 7, "username": "ada", "email": "ada@example.org", "name": "Ada Lovelace"}
BOB = {"user_id": 8, "username": "bob", "email": "bob@example.org", "name": "Bob Ó Briain"}


class StoryFailed(Exception):
    """Raised when a step does not end as expected."""


@dataclass(frozen=True)
class Templates:
    """The two badges of the story."""

    credly: BadgeTemplate
    openedx: BadgeTemplate


def set_up_badges() -> Templates:
    """Set up two badges, as staff do in the admin.

    "Data Science Explorer" comes from Credly and asks for both courses; failing the second takes it away. "First
    course passed" is the site's own and asks for the first course alone.
    """
    set_up_credly()
    explorer = CredlyBadgeTemplate.objects.get(name="Data Science Explorer")
    _require(explorer, FIRST_COURSE)
    second = _require(explorer, SECOND_COURSE)
    penalty = BadgePenalty.objects.create(template=explorer, event_type=PASSING)
    penalty.requirements.set([second])
    PenaltyDataRule.objects.create(penalty=penalty, key_path="course.course_key", operator="eq", value=SECOND_COURSE)
    PenaltyDataRule.objects.create(penalty=penalty, key_path="is_passing", operator="eq", value="false")
    first_course = BadgeTemplate.objects.create(site=Site.objects.get_current(), name="First course passed")
    _require(first_course, FIRST_COURSE)
    for template in (explorer, first_course):
        api.activate_template(template)
    return Templates(explorer, first_course)


def _require(template: BadgeTemplate, course: str) -> BadgeRequirement:
    requirement = BadgeRequirement.objects.create(
        template=template, event_type=PASSING, group=RequirementGroup.named(template, course)
    )
    for key_path, value in (("course.course_key", course), ("is_passing", "true")):
        DataRule.objects.create(requirement=requirement, key_path=key_path, operator="eq", value=value)
    return requirement


class Story:
    """Runs the story step by step. Raises StoryFailed at the first step that does not end as expected."""

    def __init__(self, deployment: Deployment, templates: Templates, consumer: Child, lms: Lms) -> None:
        self._deployment = deployment
        self._templates = templates
        self._consumer = consumer
        self._lms = lms
        self._sent: set[str] = set()

    def tell(self) -> None:
        """Run all steps."""
        nobody = Standing("0 of 2", "-", "-", "-")
        half = Standing("1 of 2", "-", "-", "-")
        issued = Standing("2 of 2", "awarded", "issue done", "pending")
        revoked = Standing("1 of 2", "revoked", "revoke done", "revoked")
        again = Standing("2 of 2", "awarded #2", "issue done", "revoked, pending")

        self._step("Ada passes Statistics: one of two courses, no badge yet.", ADA, FIRST_COURSE, True, half, nobody)
        self._step(
            "Bob fails Python: he never had the badge, nothing is revoked.",
            BOB,
            SECOND_COURSE,
            False,
            half,
            nobody,
        )
        last = self._step(
            "Ada passes Python: the badge is hers, and Credly issues it.", ADA, SECOND_COURSE, True, issued, nobody
        )
        self._step(
            "The same event is delivered again: nothing happens.", ADA, SECOND_COURSE, True, issued, nobody, **last
        )
        self._step(
            "A regrade: Ada fails Python. The badge is revoked, at Credly too.",
            ADA,
            SECOND_COURSE,
            False,
            revoked,
            nobody,
        )
        self._step("Ada passes Python again and gets it back.", ADA, SECOND_COURSE, True, again, nobody)
        self._own_badge()
        self._replay()
        self._books()

    def _step(
        self,
        title: str,
        learner: dict[str, Any],
        course: str,
        is_passing: bool,
        ada: Standing,
        bob: Standing,
        **event: Any,
    ) -> dict[str, str]:
        print(f"\n{title}")
        times_before = self._times_handled(event["id"]) if event else 0
        sent = self._lms.emit(event="passing", course=course, is_passing=is_passing, **learner, **event)
        self._sent.add(sent["id"])
        self._wait(lambda: self._times_handled(sent["id"]) > times_before, "the event was handled")
        expected = {"ada": ada, "bob": bob}
        self._wait(lambda: self._standings() == expected, "every learner had the expected state", expected)
        _show(self._standings())
        return {"id": sent["id"], "time": sent["time"]}

    def _own_badge(self) -> None:
        print("\nThe site's own badge, “First course passed”, needs no provider.")
        found = standing("ada", self._templates.openedx, self._deployment.credly)
        if found != Standing("1 of 1", "awarded", "-", "-"):
            raise StoryFailed(f"Ada should have it, without any delivery, but stands like this: {found}")
        print("  Ada has had it since she passed Statistics.")

    def _replay(self) -> None:
        print("\nThe whole topic is read again, from its beginning, by a new consumer group.")
        before, requests = everything(), len(self._deployment.credly.journal())
        replay = self._deployment.start_consumer("replay")
        self._wait(lambda: all(event_id in replay.log() for event_id in self._sent), "the whole topic was read")
        exit_code = replay.stop()
        if exit_code != 0:
            raise StoryFailed(f"The replaying consumer ended with exit code {exit_code}.")
        if everything() != before:
            raise StoryFailed("The replay changed the database.")
        if len(self._deployment.credly.journal()) != requests:
            raise StoryFailed("The replay made requests to Credly.")
        published = {
            kind: replay.log().count(f"org.openedx.learning.badge.{kind}.v1") for kind in ("awarded", "revoked")
        }
        print(f"  {len(self._sent)} events of the LMS were read again: no row changed, no request went to Credly.")
        if not (published["awarded"] and published["revoked"]):
            raise StoryFailed(f"Awards and revocations were not published on the bus: {published}")

    def _books(self) -> None:
        summary = self._deployment.credly.summary()
        books = {
            name: summary[name]
            for name in ("issues_applied", "duplicate_issues", "revokes_applied", "revokes_before_issue")
        }
        print("\nAt Credly: " + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in books.items()) + ".")
        if list(books.values()) != [2, 0, 1, 0]:
            raise StoryFailed("Expected 2 issues and 1 revocation.")

    def _standings(self) -> dict[str, Standing]:
        return {name: standing(name, self._templates.credly, self._deployment.credly) for name in ("ada", "bob")}

    def _times_handled(self, event_id: str) -> int:
        return sum(f"Applied event {event_id}" in line for line in self._consumer.log().splitlines())

    def _wait(self, condition: Callable[[], bool], what: str, expected: object = None) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                found = f"\n  expected {expected}\n  found    {self._standings()}" if expected else ""
                raise StoryFailed(f"Not within {TIMEOUT_SECONDS} s: {what}.{found}")
            time.sleep(POLL_SECONDS)


def _show(standings: dict[str, Standing]) -> None:
    columns = ("learner", "courses", "badge here", "delivery", "at Credly")
    rows = [(name, found.progress, found.badge, found.delivery, found.credly) for name, found in standings.items()]
    widths = [max(len(row[n]) for row in (columns, *rows)) for n in range(len(columns))]
    for row in (columns, *rows):
        print("  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
