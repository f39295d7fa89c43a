"""Django settings of the LMS side: openedx-events and an event bus producer.

Environment: every variable named ``EVENT_BUS_...`` is the setting of that name, JSON where it parses as JSON. With
``LMS_DATABASE_URL`` there is a database, in which the grades are saved. With ``LMS_IN_TUTOR``, the producer is the one
that the Tutor plugin gives the LMS.
"""

from __future__ import annotations

import os
from pathlib import Path

import dj_database_url

from badges_plugin.conf import TOPIC
from sandbox import environment

SECRET_KEY = "lms-sandbox"
USE_TZ = True
INSTALLED_APPS = ["openedx_events"]
if url := os.environ.get("LMS_DATABASE_URL"):
    DATABASES = {"default": dj_database_url.parse(url)}
    INSTALLED_APPS += ["django.contrib.contenttypes", "django.contrib.auth", "sandbox.lms.grades"]

EVENTS_SERVICE_NAME = "lms"
EVENT_BUS_PRODUCER = "edx_event_bus_kafka.create_producer"
EVENT_BUS_TOPIC_PREFIX = "dev"

# Keys put all events of one course on one partition, which is how the platform sends the first two.
EVENT_BUS_PRODUCER_CONFIG = {
    event_type: {TOPIC: {"event_key_field": key, "enabled": True}}
    for event_type, key in {
        "org.openedx.learning.course.passing.status.updated.v1": "course_passing_status.course.course_key",
        "org.openedx.learning.ccx.course.passing.status.updated.v1": "course_passing_status.course.ccx_course_key",
        "org.openedx.learning.course.enrollment.created.v1": "enrollment.course.course_key",
        "org.openedx.learning.course.enrollment.changed.v1": "enrollment.course.course_key",
        "org.openedx.learning.course.unenrollment.completed.v1": "enrollment.course.course_key",
        "org.openedx.learning.certificate.created.v1": "certificate.course.course_key",
        "org.openedx.learning.certificate.changed.v1": "certificate.course.course_key",
        "org.openedx.learning.certificate.revoked.v1": "certificate.course.course_key",
        "org.openedx.learning.student.registration.completed.v1": "user.pii.username",
    }.items()
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}

globals().update({name: value for name, value in environment.overrides(os.environ, {}).items() if name in os.environ})

if os.environ.get("LMS_IN_TUTOR"):
    # A part of the settings, as Tutor puts it there: no template expressions are in it.
    _lines = Path(__file__).parents[2] / "tutor_badges" / "templates" / "badges" / "partials" / "kafka-producer"
    exec(_lines.read_text(encoding="utf-8"))  # noqa: S102
