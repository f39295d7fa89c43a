"""Execute the command lines of the rendered containers as they are: a badge is awarded and delivered."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.credly import DEMO_KEY, DEMO_ORGANIZATION_ID
from sandbox.credly.remote import CredlyControl
from sandbox.demo.processes import Child, Processes
from tests.tutor import environments
from tests.tutor.rendering import LOCAL, Rendering, render
from tests.tutor.services import environment, python

NEWEST = environments.NEWEST
TOPIC = "dev-learning-badges-lifecycle"
COURSE = "course-v1:Demo+Tutor+1"
CONTAINERS = ("credentials-badges-consumer", "credentials-badges-worker")
PASSED = {
    "event": "passing",
    "user_id": 7,
    "username": "ada",
    "email": "ada@example.org",
    "name": "Ada Lovelace",
    "course": COURSE,
    "is_passing": True,
}
# In place of the service's manage.py, in the folder where the containers start.
MANAGE = f"""#!{sys.executable}
import sys
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
SET_UP = f"""
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("sync_credly_badge_templates")
from badges_plugin import api
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate
from badges_plugin.models import BadgeRequirement, DataRule
template = CredlyBadgeTemplate.objects.order_by("pk").first()
requirement = BadgeRequirement.objects.create(
    template=template, event_type="org.openedx.learning.course.passing.status.updated.v1"
)
for key_path, value in (("course.course_key", "{COURSE}"), ("is_passing", "true")):
    DataRule.objects.create(requirement=requirement, key_path=key_path, operator="eq", value=value)
api.activate_template(template)
"""
STATE = """
import django
django.setup()
from badges_plugin.distribution.models import Delivery
from badges_plugin.models import BadgeAward
print(BadgeAward.objects.count(), Delivery.objects.filter(state="done").count())
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    folder = tmp_path / "processes"
    folder.mkdir()
    with Processes(folder) as started:
        yield started


@dataclass(frozen=True)
class Bus:
    """A running event bus: what an operator tells Tutor about it, and how the LMS side reaches it."""

    tutor: dict[str, Any]
    lms: dict[str, str]


def embedded_kafka(processes: Processes) -> Bus:
    """Start the embedded Kafka; for Tutor it is an external cluster, wherever it listens."""
    bus = processes.start("bus", [sys.executable, "-m", "sandbox.bus", "--topic", f"{TOPIC}:4"]).wait_for_json()
    return Bus(
        tutor={
            "BADGES_RUN_KAFKA": False,
            "BADGES_KAFKA_BOOTSTRAP_SERVERS": bus["bootstrap_servers"],
            "BADGES_SCHEMA_REGISTRY_URL": bus["registry_url"],
        },
        lms={
            "EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS": bus["bootstrap_servers"],
            "EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL": bus["registry_url"],
        },
    )


def external_redis(server: Mapping[str, str]) -> Bus:
    """Use a running Redis server."""
    url = urlsplit(server["EVENT_BUS_REDIS_CONNECTION_URL"])
    return Bus(
        tutor={
            "BADGES_EVENT_BUS": "redis",
            "RUN_REDIS": False,
            "REDIS_HOST": url.hostname,
            "REDIS_PORT": url.port,
            "REDIS_PASSWORD": url.password,
        },
        lms={"EVENT_BUS_PRODUCER": "edx_event_bus_redis.create_producer", **server},
    )


def rendering_for(bus: Bus, credly_url: str, folder: Path) -> Rendering:
    """Render a deployment that uses this bus and this Credly."""
    configuration = {
        **bus.tutor,
        "BADGES_CREDLY_ORGANIZATIONS": {DEMO_ORGANIZATION_ID: DEMO_KEY},
        "BADGES_EXTRA_CONFIG": {"credly": {"CREDLY_API_BASE_URL": credly_url}, "consumer": {"session_timeout": 6}},
        "BADGES_WORKER_OPTIONS": "--interval 0.2",
    }
    render(NEWEST, folder, {"here": configuration})
    return Rendering(NEWEST, folder / "here")


def start_container(processes: Processes, rendering: Rendering, name: str, variables: dict[str, str]) -> Child:
    """Run what Compose would run in the container ``name``, beside a manage.py of ours instead of the service's."""
    folder = processes.folder / name
    folder.mkdir()
    manage = folder / "manage.py"
    manage.write_text(MANAGE)
    manage.chmod(0o755)
    command = rendering.compose(LOCAL)[name]["command"]
    return processes.start(name, ["env", "--chdir", str(folder), *command], environ=variables)


def waits(container: Child) -> bool:
    return "Waiting for the migrations" in container.output()


@pytest.mark.bus
@pytest.mark.long
@pytest.mark.parametrize("kind", ["kafka", pytest.param("redis", marks=pytest.mark.services)])
def test_consumer_and_worker_award_and_deliver_a_badge(
    processes: Processes, tmp_path: Path, service: Callable[[str], Mapping[str, str]], kind: str
) -> None:
    bus = embedded_kafka(processes) if kind == "kafka" else external_redis(service("redis"))
    simulator = processes.start("credly", [sys.executable, "-m", "sandbox.credly"])
    simulator.wait_for(lambda: "\n" in simulator.output(), "it was ready")
    credly = CredlyControl(simulator.output().strip())
    rendering = rendering_for(bus, credly.url, tmp_path / "tutor")
    variables = environment(rendering, "production", tmp_path)
    # As in a launch: the containers are up before the database is there, and wait for it.
    containers = [start_container(processes, rendering, name, variables) for name in CONTAINERS]
    for container in containers:
        container.wait_for(partial(waits, container), "it waited for the migrations")
    python(variables, "-c", SET_UP)

    lms = processes.start("lms", [sys.executable, "-m", "sandbox.lms", "stream"], environ=bus.lms)
    lms.send_line(json.dumps(PASSED))
    lms.end_input()
    assert lms.wait() == 0

    consumer, worker = containers
    worker.wait_for(lambda: bool(credly.badges()), "the badge was at Credly", timeout=90)
    # What a container is sent when it is to stop: it finishes, and says that all went well.
    assert (consumer.stop(), worker.stop()) == (0, 0)
    (badge,) = credly.badges()
    assert "ada@example.org" in badge.values()
    assert python(variables, "-c", STATE).split() == ["1", "1"]
