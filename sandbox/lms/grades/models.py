"""The table of course grades, with the names and types of the platform's.

https://github.com/openedx/edx-platform/blob/master/lms/djangoapps/grades/models.py
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.contrib.auth import get_user_model
from django.db import models
from opaque_keys.edx.django.models import CourseKeyField
from opaque_keys.edx.keys import CourseKey

from sandbox.lms.shapes import Facts


class PersistentCourseGrade(models.Model):
    """The grade of a learner in a course.

    .. no_pii:
    """

    id = models.BigAutoField(primary_key=True)
    # Not a foreign key: the table may outlive the user.
    user_id = models.IntegerField(db_index=True)
    course_id = CourseKeyField(max_length=255)  # type: ignore[no-untyped-call]
    course_edited_timestamp = models.DateTimeField(null=True)
    course_version = models.CharField(max_length=255, blank=True)
    grading_policy_hash = models.CharField(max_length=255)
    percent_grade = models.FloatField()
    letter_grade = models.CharField(max_length=255)
    passed_timestamp = models.DateTimeField(null=True)
    created = models.DateTimeField()
    modified = models.DateTimeField()

    objects: ClassVar[models.Manager[PersistentCourseGrade]] = models.Manager()

    class Meta:
        unique_together = [("course_id", "user_id")]
        indexes = [
            models.Index(fields=["passed_timestamp", "course_id"], name="grades_by_passed"),
            models.Index(fields=["modified", "course_id"], name="grades_by_modified"),
        ]


def save_grade(facts: Facts, moment: datetime) -> None:
    """Save what the platform saves when it has graded a learner, before it sends the event."""
    defaults = {"username": facts.username, "email": facts.address(), "is_active": facts.is_active}
    get_user_model().objects.get_or_create(pk=facts.user_id, defaults=defaults)
    keys = {"user_id": facts.user_id, "course_id": CourseKey.from_string(facts.course)}
    grade = PersistentCourseGrade.objects.filter(**keys).first() or PersistentCourseGrade(**keys, created=moment)
    grade.percent_grade = float(facts.grade) if facts.is_passing else 0.0
    grade.letter_grade = "Pass" if facts.is_passing else ""
    grade.modified = moment
    # It is never cleared: it says that the course was passed, not that it is.
    if facts.is_passing and grade.passed_timestamp is None:
        grade.passed_timestamp = moment
    grade.save()
