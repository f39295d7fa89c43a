"""Faults on demand: what fails, how often, for which requests.

Decisions only; ``service.py`` carries them out.
"""

import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

from sandbox.credly.api import OPERATIONS
from sandbox.credly.records import Json
from sandbox.credly.refusals import Refused
from sandbox.credly.wire import Reply, json_reply

Monotonic = Callable[[], float]


@dataclass
class Fault:
    """One kind of fault: whether the request is applied, what the client gets, and which requests are affected."""

    #: False: the request is not even looked at. True: it is carried out and only its answer is replaced.
    applied: bool = False
    manner: Literal["answer", "drop", "hang"] = "answer"
    #: With manner "answer".
    status: int = 503
    #: Sent as it is: seconds or an HTTP date.
    retry_after: str | None = None
    #: With manner "hang": seconds of silence before the connection is closed.
    hold: float = 30.0
    #: How many requests are hit; None is without end.
    times: int | None = 1
    probability: float = 1.0
    #: One of ``api.OPERATIONS`` ("issue", "revoke", ...); None is any.
    operation: str | None = None
    organization_id: str | None = None
    #: How many requests were hit so far.
    hits: int = 0

    @classmethod
    def read(cls, values: Json) -> Self:
        """Read a fault from JSON. Raises Refused (422) for invalid values."""
        names = {field.name for field in fields(cls)} - {"hits"}
        if unknown := set(values) - names:
            raise Refused(
                422, f"Unknown fault attributes: {', '.join(sorted(unknown))}; known: {', '.join(sorted(names))}"
            )
        fault = cls(**values)
        if fault.manner not in ("answer", "drop", "hang"):
            raise Refused(422, "manner must be answer, drop or hang")
        if fault.operation is not None and fault.operation not in OPERATIONS:
            raise Refused(422, f"operation must be one of {', '.join(OPERATIONS)}")
        if not 0 <= fault.probability <= 1:
            raise Refused(422, "probability must be between 0 and 1")
        return fault

    def matches(self, operation: str, organization_id: str | None) -> bool:
        return (
            self.times != 0 and self.operation in (None, operation) and self.organization_id in (None, organization_id)
        )

    def reply(self) -> Reply:
        if self.manner != "answer":
            return Reply(manner=self.manner, hold=self.hold)
        headers = {"Retry-After": self.retry_after} if self.retry_after is not None else {}
        return json_reply(
            {"data": {"message": f"Simulated failure {self.status}"}, "metadata": {}}, self.status, headers
        )


@dataclass
class RateLimit:
    """At most ``requests`` in each window of ``seconds``; the rest get 429 with the seconds until the next window."""

    requests: int
    seconds: float = 60.0
    window: int = -1
    used: int = 0

    def retry_after(self, now: float) -> int | None:
        """Return None if this request is within the limit (it is counted), otherwise the seconds to wait."""
        window = math.floor(now / self.seconds)
        if window != self.window:
            self.window, self.used = window, 0
        if self.used < self.requests:
            self.used += 1
            return None
        return max(1, math.ceil((window + 1) * self.seconds - now))


class Faults:
    """The configured faults, shared by all connections."""

    def __init__(self, *, seed: int = 0, monotonic: Monotonic = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._monotonic = monotonic
        self.clear()

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._plan: list[Fault] = []
            #: The whole service drops every connection.
            self.down = False
            #: Seconds added to every request, and the width of a random addition.
            self.latency = 0.0
            self.jitter = 0.0
            self._limit: RateLimit | None = None

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._plan.append(fault)

    def limit_rate(self, limit: RateLimit | None) -> None:
        with self._lock:
            self._limit = limit

    def delay(self) -> float:
        """Return the seconds that this request must wait."""
        with self._lock:
            return self.latency + (self._random.uniform(0, self.jitter) if self.jitter else 0.0)

    def choose(self, operation: str, organization_id: str | None) -> Fault | None:
        """Return the fault for this request: the rate limit, otherwise the first configured fault that matches."""
        with self._lock:
            if self._limit is not None:
                wait = self._limit.retry_after(self._monotonic())
                if wait is not None:
                    return Fault(status=429, retry_after=str(wait), hits=1)
            for fault in self._plan:
                if fault.matches(operation, organization_id) and self._random.random() < fault.probability:
                    fault.hits += 1
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
            return None

    def describe(self) -> Json:
        with self._lock:
            limit: Any = asdict(self._limit) if self._limit else None
            return {
                "down": self.down,
                "latency": self.latency,
                "jitter": self.jitter,
                "rate_limit": limit,
                "faults": [asdict(fault) for fault in self._plan],
            }
