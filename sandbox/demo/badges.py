"""The badges of the demo, set up as staff do in the admin. Needs Django, in the environment of the deployment."""

from __future__ import annotations

from dataclasses import dataclass

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
from sandbox.demo.deployment import set_up_credly

PASSING = "org.openedx.learning.course.passing.status.updated.v1"
FIRST_COURSE = "course-v1:Demo+Statistics+2026"
SECOND_COURSE = "course-v1:Demo+Python+2026"
ANY_TWO_OF = ("course-v1:Demo+Logic+2026", "course-v1:Demo+Ethics+2026", "course-v1:Demo+History+2026")
FIRST_AID = "course-v1:Demo+FirstAid+2026"
VALID_DAYS = 365


@dataclass(frozen=True)
class Templates:
    """The badges of the story."""

    credly: BadgeTemplate
    openedx: BadgeTemplate
    two_of_three: BadgeTemplate
    first_aid: BadgeTemplate


def set_up_badges() -> Templates:
    """Set up four badges.

    "Data Science Explorer" comes from Credly and asks for two courses; failing the second takes it away. The others are
    the site's own: "First course passed", which failing that course takes away; "Broad Minded" for any two of three
    courses; and "First Aid", which is valid for a year.
    """
    set_up_credly()
    explorer = CredlyBadgeTemplate.objects.get(name="Data Science Explorer")
    _require(explorer, FIRST_COURSE)
    _lose_by_failing(explorer, _require(explorer, SECOND_COURSE), SECOND_COURSE)
    first_course = _own("First course passed")
    _lose_by_failing(first_course, _require(first_course, FIRST_COURSE), FIRST_COURSE)
    broad_minded = _own("Broad Minded")
    group = RequirementGroup.objects.create(template=broad_minded, name="Any two", needed=2)
    for course in ANY_TWO_OF:
        _require(broad_minded, course, group=group)
    first_aid = _own("First Aid", valid_days=VALID_DAYS)
    _require(first_aid, FIRST_AID)
    for template in (explorer, first_course, broad_minded, first_aid):
        api.activate_template(template)
    return Templates(explorer, first_course, broad_minded, first_aid)


def _own(name: str, *, valid_days: int | None = None) -> BadgeTemplate:
    return BadgeTemplate.objects.create(site=Site.objects.get_current(), name=name, valid_days=valid_days)


def _require(template: BadgeTemplate, course: str, *, group: RequirementGroup | None = None) -> BadgeRequirement:
    requirement = BadgeRequirement.objects.create(
        template=template, event_type=PASSING, group=group or RequirementGroup.named(template, course)
    )
    for key_path, value in (("course.course_key", course), ("is_passing", "true")):
        DataRule.objects.create(requirement=requirement, key_path=key_path, operator="eq", value=value)
    return requirement


def _lose_by_failing(template: BadgeTemplate, requirement: BadgeRequirement, course: str) -> None:
    penalty = BadgePenalty.objects.create(template=template, event_type=PASSING)
    penalty.requirements.set([requirement])
    for key_path, value in (("course.course_key", course), ("is_passing", "false")):
        PenaltyDataRule.objects.create(penalty=penalty, key_path=key_path, operator="eq", value=value)
