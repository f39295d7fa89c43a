"""The simulator as an object: start it in a thread, inject faults, and read the results."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from sandbox.accredible import api
from sandbox.accredible.records import Credential, planted
from sandbox.accredible.server import Server
from sandbox.credly.faults import Fault, Faults, RateLimit
from sandbox.credly.wire import Reply, Request


@dataclass(frozen=True)
class Logged:
    """A request as it arrived."""

    time: datetime
    operation: str
    target: str
    body: str


class AccredibleSimulator:
    """A simulated Accredible on its own port. ``world`` holds its records.

    ``groups``: how many the demo account has. ``max_page``: how many records a page of a list holds at most.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, groups: int = 59, max_page: int = 100) -> None:
        self.world = planted(groups)
        self.world.max_page = max_page
        self.faults = Faults()
        #: Names of the operations in the order in which requests for them arrived.
        self.asked: list[str] = []
        self.log: list[Logged] = []
        #: Requests that were above the limit.
        self.refused = 0
        self._server = Server((host, port), self.handle)

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    @property
    def url(self) -> str:
        """Return the value for ACCREDIBLE_API_BASE_URL."""
        return f"{self._server.origin}/v1/"

    def fail(self, **fault: Any) -> None:
        """Add a fault: ``fail(status=503, times=3)``, ``fail(applied=True, manner="drop", operation="issue")``."""
        self.faults.add(Fault(**fault))

    def limit(self, requests: int = 200, *, seconds: float = 30.0) -> None:
        """Refuse what exceeds the number of requests in each period, as Accredible does.

        2,000 in five minutes, counted in periods of 30 seconds; a shorter period is a faster clock.
        """
        self.faults.limit_rate(RateLimit(requests, seconds))

    def behave(self) -> None:
        self.faults.clear()

    def credentials(self) -> list[Credential]:
        with self.world.lock:
            return list(self.world.credentials.values())

    def handle(self, request: Request) -> Reply:
        name = api.operation(request)
        with self.world.lock:
            self.asked.append(name)
            self.log.append(Logged(datetime.now(UTC), name, request.target, request.body.decode(errors="replace")))
            fault = self.faults.choose(name, None)
            if fault is not None and not fault.applied:
                self.refused += fault.status == 429
                return fault.reply()
            reply = api.perform(self.world, request)
        return fault.reply() if fault is not None else reply
