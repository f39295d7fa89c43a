"""The processes of one end-to-end test: a bus, the LMS side, and consumers in the sandbox host with a database."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from badges_plugin.conf import CONSUMER_GROUP, TOPIC
from sandbox.demo.processes import Child, Processes

REPOSITORY = Path(__file__).resolve().parents[2]
MANAGE = [sys.executable, str(REPOSITORY / "sandbox" / "manage.py")]
HOST_SETTINGS = "sandbox.settings"
DATABASE = "credentials.sqlite3"

# Joining and taking over within seconds (before both the embedded bus lets a session pass), offsets committed at
# once, and no waiting for minutes.
QUICK = {
    "session_timeout": 3,
    "kafka": {"heartbeat.interval.ms": 500},
    "commit_interval": 0.1,
    "poll_timeout": 0.2,
    "max_backoff": 0.5,
    "claim_idle": 2,
}


@dataclass
class Stage:
    """One test's view of a bus: a topic of its own, by a prefix of its own, and a host database of its own.

    ``bus`` holds the settings that lead to the bus, as environment variables.
    """

    processes: Processes
    folder: Path
    prefix: str
    bus: Mapping[str, str]
    consumer_class: str
    settings: dict[str, object] = field(default_factory=lambda: dict(QUICK))
    _lms: Child | None = field(default=None, init=False)
    """One process sends all events of the test: to start it takes longer than to send."""

    @property
    def full_topic(self) -> str:
        return f"{self.prefix}-{TOPIC}"

    def emit(self, *commands: Mapping[str, object]) -> list[str]:
        """Have the LMS side send events, and return their ids once the broker has them."""
        if self._lms is None:
            environ = {**self.bus, "EVENT_BUS_TOPIC_PREFIX": self.prefix}
            arguments = [sys.executable, "-m", "sandbox.lms", "stream"]
            self._lms = self.processes.start(f"{self.prefix}-lms", arguments, environ=environ)
        lms, known = self._lms, len(self._lms.output().splitlines())
        for command in (*commands, {"flush": True}):
            lms.send_line(json.dumps(command))
        lms.wait_for(lambda: lms.output().count("\n") == known + len(commands) + 1, "everything was sent")
        *answers, flushed = map(json.loads, lms.output().splitlines()[known:])
        assert flushed == {"flushed": True, "lost": 0}, lms.log() + lms.output()
        return [answer["id"] for answer in answers]

    def consumer(self, name: str = "consumer", *, extra: str = "{}", **environ: str) -> Child:
        """Start ``consume_events`` with the plugin's consumer; ``environ`` overrides its settings."""
        return self.manage(name, "consume_events", "-t", TOPIC, "-g", CONSUMER_GROUP, "--extra", extra, **environ)

    def manage(self, name: str, *arguments: str, **environ: str) -> Child:
        """Start a command of the host, with the settings of the consumer; ``environ`` overrides them."""
        return self.start(name, *MANAGE, *arguments, **environ)

    def start(self, name: str, *command: str, **environ: str) -> Child:
        """Start any program with the settings of the consumer; ``environ`` overrides them."""
        return self.processes.start(
            f"{self.prefix}-{name}",
            command,
            environ={
                **self.bus,
                "EVENT_BUS_TOPIC_PREFIX": self.prefix,
                "EVENT_BUS_CONSUMER": self.consumer_class,
                "BADGES_CONFIG_JSON": json.dumps({"consumer": self.settings}),
                "BADGES_SANDBOX_DIR": str(self.folder),
                "BADGES_SANDBOX_LOG_EVENTS": "DEBUG",
                "DATABASE_URL": "",
                "DJANGO_SETTINGS_MODULE": HOST_SETTINGS,
                **environ,
            },
        )

    def failed_events(self) -> list[tuple[str, str]]:
        """Return position and reason of what the consumers stored."""
        with closing(sqlite3.connect(self.folder / DATABASE)) as database:
            return list(database.execute("SELECT position, reason FROM badges_plugin_failedevent ORDER BY id"))

    def reported(self) -> tuple[dict[str, int], bool]:
        """Return how many events consumers have reported, by what became of them, and whether all consumers ended."""
        with closing(sqlite3.connect(self.folder / DATABASE)) as database:
            counts = dict(database.execute("SELECT outcome, total FROM badges_plugin_eventcount"))
            running = database.execute("SELECT count(*) FROM badges_plugin_runningprocess WHERE ended_at IS NULL")
            return counts, running.fetchone() == (0,)


def migrated_database(processes: Processes, folder: Path) -> Path:
    """Make the host's database where the tests themselves run in another host; each stage gets a copy."""
    environ = {"BADGES_SANDBOX_DIR": str(folder), "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": HOST_SETTINGS}
    migrate = processes.start("migrate", [*MANAGE, "migrate", "--verbosity", "0"], environ=environ)
    assert migrate.wait(timeout=120) == 0, migrate.log()
    return folder / DATABASE


def copy_database(database: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    shutil.copy(database, folder / DATABASE)


def passing(user_id: int, *, course: int = 0, **more: object) -> dict[str, object]:
    """A command for the LMS side: this learner passes a course."""
    command = {"event": "passing", "user_id": user_id, "username": f"learner{user_id}"}
    return {**command, "course": f"course-v1:Demo+{course}+run", **more}


def applied(consumers: Child | Iterable[Child], event_ids: Iterable[str]) -> bool:
    """Return whether the consumers' logs say of each of these events that it was handled."""
    children = [consumers] if isinstance(consumers, Child) else list(consumers)
    log = "".join(child.log() for child in children)
    return all(f"Handled event {event_id} " in log for event_id in event_ids)
