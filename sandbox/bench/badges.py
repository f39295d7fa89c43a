"""Badges to be awarded, and the thousand others that a site has. Needs Django."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field

from badges_plugin.models import BadgeRequirement, BadgeTemplate, DataRule
from sandbox.drills.badges import PASSING, CredlyBadge, add_site, earn_by_course
from sandbox.drills.stage import Stage

OTHERS = 1000
NOBODYS_COURSE = "course-v1:Bench+Nobody+1"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Badge:
    """A badge for passing its course."""

    template: BadgeTemplate
    course: str
    name: str = field(default_factory=lambda: f"bench-{next(_numbers)}-{uuid.uuid4().hex[:8]}")


def own_badge() -> Badge:
    """Make and activate a badge of the site's own."""
    course = f"course-v1:Bench+{uuid.uuid4().hex[:8]}+1"
    template = BadgeTemplate.objects.create(site=add_site(), name=f"Own {course}", icon="https://example.org/b.png")
    earn_by_course(template, course)
    return Badge(template, course)


def credly_badge(stage: Stage) -> Badge:
    """Make and activate a badge of Credly's."""
    add_site()
    made = CredlyBadge(stage.credly, f"bench {uuid.uuid4().hex[:8]}")
    return Badge(made.template, made.course)


def have_other_templates(count: int = OTHERS) -> None:
    """Make sure that there are as many active templates of the site's own, each for its own course."""
    missing = count - BadgeTemplate.objects.filter(name__startswith="other ", is_active=True).count()
    if missing > 0:
        add_templates("other", missing, requirements=1)


def add_templates(name: str, count: int, *, requirements: int, course: str = "") -> list[int]:
    """Add active templates with requirements for courses of their own, or all for one. Return their primary keys."""
    site, run = add_site(), uuid.uuid4().hex[:8]
    title = f"{name} {run} "
    BadgeTemplate.objects.bulk_create(
        (BadgeTemplate(site=site, name=f"{title}{number}", is_active=True) for number in range(count)),
        batch_size=1000,
    )
    made = list(BadgeTemplate.objects.filter(name__startswith=title).order_by("pk").values_list("pk", flat=True))
    BadgeRequirement.objects.bulk_create(
        (BadgeRequirement(template_id=pk, event_type=PASSING) for pk in made for _ in range(requirements)),
        batch_size=1000,
    )
    asked = BadgeRequirement.objects.filter(template__name__startswith=title).order_by("pk")
    DataRule.objects.bulk_create(
        (
            DataRule(requirement_id=pk, key_path=key_path, operator="eq", value=value)
            for pk in list(asked.values_list("pk", flat=True))
            for key_path, value in (
                ("course.course_key", course or f"course-v1:Bench+{run}+{pk}"),
                ("is_passing", "true"),
            )
        ),
        batch_size=1000,
    )
    return made


def deactivate(templates: list[int]) -> None:
    """Take templates of ``add_templates`` out of the configuration."""
    for start in range(0, len(templates), 1000):
        BadgeTemplate.objects.filter(pk__in=templates[start : start + 1000]).update(is_active=False)
