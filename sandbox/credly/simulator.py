"""The simulator as an object: start it in a thread, inject faults, and read the results."""

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sandbox.credly import badges, seeds
from sandbox.credly.api import PREFIX
from sandbox.credly.control import Control
from sandbox.credly.faults import Fault, Faults, Monotonic, RateLimit
from sandbox.credly.journal import Entry, Journal
from sandbox.credly.listing import PAGE_SIZE
from sandbox.credly.records import Badge, Json
from sandbox.credly.server import Server
from sandbox.credly.service import Service
from sandbox.credly.state_file import StateFile
from sandbox.credly.summary import summary
from sandbox.credly.webhooks import Schedule, WebhookSender
from sandbox.credly.world import Clock, NewId, World, system_clock


class CredlySimulator:
    """A simulated Credly on its own port.

    ``stop()`` and ``start()`` again keep the port and everything issued, like a service that was away for a while.
    ``world``, ``faults``, ``journal`` and ``webhooks`` are the parts, for what the methods here do not cover.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: Json | None = None,
        state: Path | None = None,
        clock: Clock = system_clock,
        monotonic: Monotonic = time.monotonic,
        new_id: NewId = uuid.uuid4,
        random_seed: int = 0,
        page_size: int = PAGE_SIZE,
        webhooks: Schedule | None = None,
    ) -> None:
        """``webhooks``: post events on this schedule from the start; None: not before they are switched on."""
        self._address = (host, port)
        self._seed = seed or seeds.DEFAULT
        self._state = StateFile(state) if state else None
        self.world = World(clock=clock, new_id=new_id, state=self._state)
        self.faults = Faults(seed=random_seed, monotonic=monotonic)
        self.journal = Journal(self.world.remember)
        self.webhooks = WebhookSender(self.world, webhooks or Schedule())
        self.webhooks.enabled = webhooks is not None
        control = Control(self.world, self.faults, self.journal, self.webhooks, self.reset)
        self._service = Service(self.world, self.faults, self.journal, control, page_size=page_size)
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._restore()

    # Start and stop

    def start(self) -> Self:
        self._service.stopping.clear()
        self._server = Server(self._address, self._service)
        # The chosen port stays ours for the next start.
        self._address = (self._address[0], self._server.server_port)
        self.world.base_url = "http://{}:{}".format(*self._address)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="credly-simulator", daemon=True
        )
        self._thread.start()
        self.webhooks.start()
        return self

    def stop(self) -> None:
        """Refuse connections from now on, and break off running requests."""
        if self._server is None or self._thread is None:
            return
        self._service.stopping.set()
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = None
        self.webhooks.stop()
        if self._state is not None:
            self._state.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def reset(self) -> None:
        """Reset to the seed, without faults and with an empty journal."""
        with self.world.lock:
            self.faults.clear()
            self.webhooks.clear()
            self.journal.clear()
            self.world.reset()
            seeds.plant(self.world, self._seed)

    # URLs

    @property
    def origin(self) -> str:
        return self.world.base_url

    @property
    def url(self) -> str:
        """The base URL of the API, with a trailing slash: what CREDLY_API_BASE_URL takes."""
        return self.origin + PREFIX

    # Faults

    def fail(self, **fault: Any) -> Fault:
        """Add a fault, see Fault: ``fail(status=503, times=3)``, ``fail(applied=True, manner="drop")``."""
        added = Fault.read(fault)
        self.faults.add(added)
        return added

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Drop every connection inside the block."""
        self.faults.down = True
        try:
            yield
        finally:
            self.faults.down = False

    def slow_down(self, seconds: float, *, jitter: float = 0.0) -> None:
        self.faults.latency, self.faults.jitter = seconds, jitter

    def limit_rate(self, requests: int, seconds: float = 60.0) -> None:
        self.faults.limit_rate(RateLimit(requests, seconds))

    def behave(self) -> None:
        self.faults.clear()

    # Results

    def summary(self) -> Json:
        return summary(self.world, self.journal)

    def requests(self, operation: str | None = None) -> list[Entry]:
        return [entry for entry in self.journal.entries() if operation in (None, entry.operation)]

    @property
    def connections(self) -> int:
        """Return the number of open connections."""
        return self._server.connections if self._server else 0

    def badges(self, **fields: object) -> list[Badge]:
        """Issued badges whose attributes equal ``fields``, in the order of issue."""
        with self.world.lock:
            issued = [badge for badge in self.world.badges.values() if not badge.deleted]
            return [b for b in issued if all(getattr(b, name) == value for name, value in fields.items())]

    # The learner

    def accept(self, badge_id: str) -> None:
        badges.accept(self.world, self.world.badges[badge_id])

    def reject(self, badge_id: str) -> None:
        badges.reject(self.world, self.world.badges[badge_id])

    def _restore(self) -> None:
        lines = list(self._state.lines()) if self._state else []
        for kind, record in lines:
            if kind == "journal":
                self.journal.restore(record)
            else:
                self.world.restore(kind, record)
        if not lines:
            seeds.plant(self.world, self._seed)
