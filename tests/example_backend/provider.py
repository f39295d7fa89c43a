"""The imaginary provider of "Write a distribution backend", over real HTTP: medals, events, and failures on demand."""

from __future__ import annotations

import threading
import uuid
from itertools import count
from types import TracebackType
from typing import Any, Self

from sandbox.accredible.server import Server
from sandbox.credly.faults import Fault, Faults
from sandbox.credly.wire import Reply, Request, json_reply

Medal = dict[str, str]


class MedalsProvider:
    """Issues one valid medal of each kind to an address. ``asked`` are the operations that were requested, in order."""

    def __init__(self) -> None:
        self.key = "medals-key"
        self.medals: dict[str, Medal] = {}
        self.events: dict[str, dict[str, str]] = {}
        self.faults = Faults()
        self.asked: list[str] = []
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._server = Server(("127.0.0.1", 0), self.handle)

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    @property
    def settings(self) -> dict[str, str]:
        """BADGES_CONFIG["medals"]."""
        return {"API_BASE_URL": f"{self._server.origin}/api/", "API_KEY": self.key}

    def fail(self, **fault: Any) -> None:
        self.faults.add(Fault(**fault))

    def ids(self, state: str) -> list[str]:
        return [medal["id"] for medal in self.medals.values() if medal["state"] == state]

    def issue(self, wanted: dict[str, str]) -> Medal | None:
        """A new medal; None when the address has a valid one of the kind."""
        if self._known(wanted["medal"], wanted["email"], states=("valid",)):
            return None
        described = {name: wanted.get(name, "") for name in ("medal", "email", "reference")}
        medal = {"id": f"m{next(self._numbers)}", "state": "valid", **described}
        self.medals[medal["id"]] = medal
        return medal

    def happen(self, medal_id: str, state: str) -> str:
        """Something happens to a medal at the provider; the id of the event."""
        event_id = str(uuid.uuid4())
        self.events[event_id] = {"id": event_id, "medal": medal_id, "state": state}
        return event_id

    def handle(self, request: Request) -> Reply:
        operation, identity = _operation(request)
        with self._lock:
            self.asked.append(operation)
            fault = self.faults.choose(operation, None)
            if fault is not None and not fault.applied:
                return fault.reply()
            reply = self._perform(operation, identity, request)
        return fault.reply() if fault is not None else reply

    def _perform(self, operation: str, identity: str, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return json_reply({"detail": "wrong key"}, 401)
        match operation:
            case "issue":
                issued = self.issue(request.json_object())
                return json_reply(issued) if issued else json_reply({"detail": "has it already"}, 422)
            case "find":
                return json_reply({"medals": self._known(request.query["medal"], request.query["email"])})
            case "revoke" if identity in self.medals:
                self.medals[identity]["state"] = "revoked"
                return json_reply(self.medals[identity])
            case "get" if identity in self.medals:
                return json_reply(self.medals[identity])
            case "event" if identity in self.events:
                return json_reply(self.events[identity])
        return json_reply({"detail": "not found"}, 404)

    def _known(self, kind: str, email: str, states: tuple[str, ...] = ("valid", "revoked")) -> list[Medal]:
        return [
            medal
            for medal in self.medals.values()
            if (medal["medal"], medal["email"]) == (kind, email) and medal["state"] in states
        ]


def _operation(request: Request) -> tuple[str, str]:
    match request.method, request.path.removeprefix("/api/").split("/"):
        case "POST", ["medals"]:
            return "issue", ""
        case "GET", ["medals"]:
            return "find", ""
        case "GET", ["medals", identity]:
            return "get", identity
        case "POST", ["medals", identity, "revoke"]:
            return "revoke", identity
        case "GET", ["events", identity]:
            return "event", identity
    return "", ""
