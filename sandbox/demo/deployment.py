"""A whole deployment on this machine: event bus, Credly, Credentials with its consumer and worker, and the LMS side.

Every part is a process of its own, as in production; only loopback is used, and everything lives in one folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from badges_plugin.conf import CONSUMER_GROUP, TOPIC
from sandbox.credly import DEMO_KEY, DEMO_ORGANIZATION_ID
from sandbox.credly.remote import CredlyControl
from sandbox.demo.ports import HOST, accepts
from sandbox.demo.processes import Child, Processes

TOPIC_PREFIX = "dev"
PARTITIONS = 4
MANAGE = str(Path(__file__).resolve().parents[1] / "manage.py")

BASE_URL = "https://badges.example.org/"
"""The public address of the service, which stands in all that it signs. Here as behind a reverse proxy."""

# Retrying that suits an audience: in production all of these are longer.
BADGES_CONFIG = {
    "consumer": {"session_timeout": 6, "commit_interval": 0.2},
    "distribution": {
        "retry_first": 0.5,
        "retry_settle": 1,
        "retry_breaker_first": 0.5,
        "lease": 30,
        "request_timeout": 5,
    },
    "open_badges": {"base_url": BASE_URL},
}


class Deployment:
    """Starts the parts in the order in which they need each other. ``processes`` stops them."""

    def __init__(self, processes: Processes, *, settings: dict[str, str] | None = None) -> None:
        self.processes = processes
        bus = self._start("bus", "sandbox.bus", "--topic", f"{TOPIC_PREFIX}-{TOPIC}:{PARTITIONS}").wait_for_json()
        credly = self._start("credly", "sandbox.credly", "--port", "0")
        credly.wait_for(lambda: "\n" in credly.output(), "it was ready")
        self.credly_url = credly.output().splitlines()[0]
        self.credly = CredlyControl(self.credly_url)
        self.bus_environment = {
            "EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS": bus["bootstrap_servers"],
            "EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL": bus["registry_url"],
            "EVENT_BUS_TOPIC_PREFIX": TOPIC_PREFIX,
        }
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "sandbox.settings",
            "BADGES_SANDBOX_DIR": str(processes.folder),
            "BADGES_SANDBOX_LOG_LEVEL": "INFO",
            "BADGES_SANDBOX_LOG_EVENTS": "DEBUG",
            "BADGES_ENABLED": "true",
            "BADGES_CONFIG_JSON": json.dumps(BADGES_CONFIG),
            "CREDLY_API_BASE_URL": self.credly_url,
            "EVENT_BUS_PRODUCER": "edx_event_bus_kafka.create_producer",
            "EVENT_BUS_CONSUMER": "badges_plugin.consumers.kafka.KafkaConsumer",
            **self.bus_environment,
            **(settings or {}),
        }

    def migrate(self) -> None:
        """Make the database of Credentials."""
        # The processes that follow check the settings, and log what they find.
        command = [sys.executable, MANAGE, "migrate", "--verbosity=0", "--skip-checks"]
        subprocess.run(command, env={**os.environ, **self.environment}, check=True, timeout=300)

    def start_consumer(self, group: str = CONSUMER_GROUP) -> Child:
        """Start a consumer of a consumer group; a new group reads the topic from its beginning."""
        arguments = ("consume_events", "-t", TOPIC, "-g", group, "--extra", "{}")
        return self._manage(f"consumer-{group}", *arguments)

    def start_worker(self) -> Child:
        """Start a worker, which signs badges and delivers to Credly."""
        return self._manage("worker", "deliver_badges", "--interval", "0.2")

    def serve(self, port: int) -> Served:
        """Start the web server of Credentials, with the admin, at a port of this machine."""
        # With DEBUG it serves the files of the admin, too.
        environ = {**self.environment, "BADGES_SANDBOX_DEBUG": "true"}
        command = [sys.executable, MANAGE, "runserver", "--noreload", f"{HOST}:{port}"]
        return Served(self.processes.start("web", command, environ=environ), port)

    def start_lms(self) -> Lms:
        """Start the LMS side."""
        return Lms(self._start("lms", "sandbox.lms", "stream", environ=self.bus_environment))

    def _manage(self, name: str, *arguments: str) -> Child:
        return self.processes.start(name, [sys.executable, MANAGE, *arguments], environ=self.environment)

    def _start(self, name: str, module: str, *arguments: str, environ: dict[str, str] | None = None) -> Child:
        return self.processes.start(name, [sys.executable, "-m", module, *arguments], environ=environ)


@dataclass(frozen=True)
class Served:
    """The web server of Credentials, which takes a moment to start."""

    child: Child
    port: int

    def address(self) -> str:
        """Return its URL, without a slash at the end, once it accepts connections."""
        self.child.wait_for(lambda: accepts(self.port), "it accepted connections", timeout=60)
        return f"http://{HOST}:{self.port}"


class Lms:
    """The LMS, as far as it emits events."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._answered = 0

    def emit(self, **event: Any) -> dict[str, str]:
        """Emit an event (see ``sandbox.lms``) and return its id, type and time once the bus has it."""
        answer = self._ask(event)
        self._ask({"flush": True})
        return answer

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self._child.send_line(json.dumps(request))
        self._answered += 1
        self._child.wait_for(lambda: self._child.output().count("\n") >= self._answered, "an answer came")
        answer: dict[str, Any] = json.loads(self._child.output().splitlines()[self._answered - 1])
        if "error" in answer:
            raise RuntimeError(f"The LMS refused {request}: {answer['error']}")
        return answer


def set_up_credly() -> None:
    """Do what staff do in the admin: register the organization and take over its templates.

    Django must be set up, in the environment of the deployment.
    """
    from badges_plugin.distribution.credly.models import CredlyOrganization
    from badges_plugin.distribution.credly.sync import sync_organization

    organization = CredlyOrganization(uuid=DEMO_ORGANIZATION_ID, name="Demo University")
    organization.set_api_key(DEMO_KEY)
    organization.save()
    sync_organization(organization)
