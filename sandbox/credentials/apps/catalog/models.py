"""Courses and programs, as a command of the service copies them from Discovery: the fields that badges look at."""

from __future__ import annotations

from django.contrib.sites.models import Site
from django.db import models


class Organization(models.Model):
    """An organization that owns courses.

    .. no_pii: This model has no PII.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    uuid = models.UUIDField()
    key = models.CharField(max_length=255)
    name = models.CharField(max_length=255)

    class Meta:
        unique_together = (("site", "uuid"),)

    def __str__(self) -> str:
        return self.name


class Course(models.Model):
    """A course, whenever it runs. Its key is like "Org+Course".

    .. no_pii: This model has no PII.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    uuid = models.UUIDField()
    key = models.CharField(max_length=255)
    title = models.CharField(max_length=255, default=None, null=True, blank=True)  # noqa: DJ001

    class Meta:
        unique_together = (("site", "uuid"),)

    def __str__(self) -> str:
        return f"{self.pk}: {self.key}: {self.title}"


class CourseRun(models.Model):
    """A run of a course. The same one is there once for each site.

    .. no_pii: This model has no PII.
    """

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="course_runs")
    uuid = models.UUIDField()
    key = models.CharField(max_length=255)
    title_override = models.CharField(max_length=255, default=None, null=True, blank=True)  # noqa: DJ001
    start_date = models.DateTimeField(null=True, blank=True)
    end_date = models.DateTimeField(null=True, blank=True)

    class Meta:
        unique_together = (("course", "uuid"),)

    def __str__(self) -> str:
        return f"{self.pk}: {self.key}"


class Program(models.Model):
    """A program. Events name it by its UUID.

    .. no_pii: This model has no PII.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    uuid = models.UUIDField()
    title = models.CharField(max_length=255)
    status = models.CharField(max_length=24, default="active")

    class Meta:
        unique_together = (("site", "uuid"),)

    def __str__(self) -> str:
        return f"{self.title} ({self.uuid.hex})"
