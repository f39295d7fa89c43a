"""What a visitor of ``make run`` expects of a site: a name, titles of courses, and learners who can sign in.

Needs Django, in the environment of the deployment.
"""

from __future__ import annotations

from uuid import UUID

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.sites.models import Site

from badges_plugin.models import BadgeTemplate

STAFF = "admin"
LEARNERS = {"ada": (7, "Ada Lovelace"), "bob": (8, "Bob Ó Briain")}
"""User name, which is the password as well: id in the LMS and full name."""
COURSES = {
    "Statistics": "Statistics",
    "Python": "Python",
    "Logic": "Logic",
    "Ethics": "Ethics",
    "History": "History",
    "FirstAid": "First aid",
    "Chemistry": "Chemistry",
    "Music": "Music",
}


def furnish() -> None:
    """Name the site, and make courses and users. The badges are there already."""
    Site.objects.filter(pk=Site.objects.get_current().pk).update(name="Demo University")
    Site.objects.clear_cache()
    _make_courses()
    _make_people()
    # The simulator of Credly has no images. Where none is named, one is drawn.
    BadgeTemplate.objects.exclude(icon="").update(icon="")


def course_key(course: str) -> str:
    return f"course-v1:Demo+{course}+2026"


def _make_courses() -> None:
    """Fill the catalog, as ``copy_catalog`` does in the service."""
    label = "catalog"  # not a literal: mypy knows no such app
    for number, (course, title) in enumerate(COURSES.items(), start=1):
        parent = apps.get_model(label, "Course").objects.create(
            site=Site.objects.get_current(), uuid=UUID(int=number), key=f"Demo+{course}", title=title
        )
        apps.get_model(label, "CourseRun").objects.create(course=parent, uuid=UUID(int=number), key=course_key(course))


def _make_people() -> None:
    users = get_user_model().objects
    users.create_superuser(STAFF, "admin@example.org", STAFF)
    for name, (lms_user_id, full_name) in LEARNERS.items():
        users.create_user(name, f"{name}@example.org", name, lms_user_id=lms_user_id, full_name=full_name)
