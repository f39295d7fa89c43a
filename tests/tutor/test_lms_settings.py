"""LMS sends exactly the badge events, and openedx-events accepts the settings at start-up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import attr
import pytest
from openedx_events.learning.data import CcxCoursePassingStatusData, CoursePassingStatusData

from tests.tutor import environments
from tests.tutor.combinations import BUSES
from tests.tutor.conftest import Rendered
from tests.tutor.rendering import Rendering
from tutor_badges import bus

COURSE = "org.openedx.learning.course.passing.status.updated.v1"
CCX = "org.openedx.learning.ccx.course.passing.status.updated.v1"
ENROLLMENT = "org.openedx.learning.course.enrollment.created.v1"
CERTIFICATE = "org.openedx.learning.certificate.created.v1"
TOPIC = "learning-badges-lifecycle"
NEWEST = environments.NEWEST
# FEATURES is a proxy of the flat settings since this Tutor release.
PROXY_SINCE = 22

# What the platform has when Tutor's settings begin: decided already, with badges off.
PLATFORM: dict[str, Any] = {
    "FEATURES": {"PREVIEW_LMS_BASE": "preview.example.com"},
    "EVENT_BUS_PRODUCER_CONFIG": {
        CERTIFICATE: {"certificates": {"event_key_field": "certificate.course.course_key", "enabled": False}},
        COURSE: {TOPIC: {"event_key_field": "course_passing_status.course.course_key", "enabled": False}},
        CCX: {TOPIC: {"event_key_field": "course_passing_status.course.ccx_course_key", "enabled": False}},
    },
}
VALIDATE = """
import json, sys
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=["openedx_events"], **json.load(sys.stdin))
django.setup()
"""


def settings(rendering: Rendering, module: str = "production", service: str = "lms") -> dict[str, Any]:
    wanted = {
        "path": str(rendering.env / "apps/openedx/settings" / service / f"{module}.py"),
        "platform": PLATFORM,
        "proxy": rendering.release >= PROXY_SINCE,
    }
    script = Path(__file__).with_name("platform_stub.py")
    finished = subprocess.run(
        [sys.executable, script], input=json.dumps(wanted), capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


def enabled(found: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {
        (event, topic): given["event_key_field"]
        for event, topics in found["EVENT_BUS_PRODUCER_CONFIG"].items()
        for topic, given in topics.items()
        if given["enabled"]
    }


@pytest.mark.parametrize("module", ["production", "development"])
@pytest.mark.parametrize("name", ["kafka-own-mysql-own-redis", "redis-external-mysql-external-redis"])
def test_exactly_the_two_events_are_sent(rendered: Rendered, release: int, name: str, module: str) -> None:
    found = settings(rendered(release, name), module)
    assert found["BADGES_ENABLED"] is True
    assert enabled(found) == {
        (COURSE, TOPIC): "course_passing_status.course.course_key",
        (CCX, TOPIC): "course_passing_status.course.ccx_course_key",
    }
    # What others configured is still there.
    assert CERTIFICATE in found["EVENT_BUS_PRODUCER_CONFIG"]
    assert ("BADGES_ENABLED" in found["FEATURES"]) == (release < PROXY_SINCE)


def test_openedx_events_starts_with_them(rendered: Rendered, release: int) -> None:
    found = settings(rendered(release, "options-kafka"))
    names = {name: value for name, value in found.items() if name.startswith("EVENT_BUS_")}
    subprocess.run(
        [sys.executable, "-c", VALIDATE], input=json.dumps(names), text=True, check=True, capture_output=True
    )


def test_openedx_events_would_not_start_with_a_callable_or_a_word() -> None:
    """That the check above checks something."""
    broken = {"EVENT_BUS_PRODUCER_CONFIG": {COURSE: {TOPIC: {"event_key_field": "x", "enabled": "true"}}}}
    finished = subprocess.run(
        [sys.executable, "-c", VALIDATE], input=json.dumps(broken), text=True, check=False, capture_output=True
    )
    assert "ProducerConfigurationError" in finished.stderr


def test_further_events_and_another_topic(rendered: Rendered, release: int) -> None:
    assert enabled(settings(rendered(release, "options-redis"))) == {
        (COURSE, "badges"): "course_passing_status.user.id",
        (CCX, "badges"): "course_passing_status.user.id",
        (ENROLLMENT, "badges"): "enrollment.course.course_key",
    }


@pytest.mark.parametrize("service", ["lms", "cms"])
def test_the_bus_is_the_same_in_all_services(rendered: Rendered, release: int, service: str) -> None:
    """One producer for each service: Studio's events go where LMS looks for them."""
    external = settings(rendered(release, "external-kafka-own-mysql-own-redis"), service=service)
    # Ours, which makes theirs; what it is good for is in tests/bus/test_lost_events.py.
    assert external["EVENT_BUS_PRODUCER"] == f"{service}.envs.tutor.production.badges_create_producer"
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_API_SECRET"):
        assert external[f"EVENT_BUS_{name}"] == BUSES["external-kafka"][f"BADGES_{name}"]
    redis = settings(rendered(release, "redis-own-mysql-external-redis"), service=service)
    assert redis["EVENT_BUS_PRODUCER"] == "edx_event_bus_redis.create_producer"
    assert redis["EVENT_BUS_REDIS_CONNECTION_URL"] == "redis://:p%40ss%2Fword@redis.example.com:6380/0"


def test_t13_the_events_may_have_a_redis_of_their_own_with_tls(rendered: Rendered) -> None:
    """Tutor's settings name a Redis without TLS, and the caches are in it."""
    for service in ("lms", "cms"):
        found = settings(rendered(NEWEST, "options-redis"), service=service)
        assert found["EVENT_BUS_REDIS_CONNECTION_URL"] == "rediss://:p%40ss@redis.example.com:6380/2"


def test_t12_one_large_course_can_be_spread_over_all_consumers(rendered: Rendered) -> None:
    """Messages with one key are in one partition, which one consumer reads: the key has to differ within a course."""
    sent = enabled(settings(rendered(NEWEST, "options-kafka")))
    assert {sent[COURSE, "badges"], sent[CCX, "badges"]} == {"course_passing_status.user.id"}


@pytest.mark.parametrize(
    ("event", "data"), [(COURSE, CoursePassingStatusData), (CCX, CcxCoursePassingStatusData)], ids=["course", "ccx"]
)
def test_t12_every_key_is_one_field_and_not_a_group_of_them(event: str, data: Any) -> None:
    """The library refuses to send an event whose key is a group of fields."""
    for path in bus.LMS_EVENTS[event].values():
        kind = data
        for name in path.split(".")[1:]:
            kind = {each.name: each.type for each in attr.fields(kind)}[name]
        assert not attr.has(kind)
