"""The part of Confluent's schema registry API that the Kafka client calls, in memory.

Calls made by confluent-kafka 2.x: a producer registers (POST /subjects/<subject>/versions), a consumer fetches
(GET /schemas/ids/<id>) and asks for associations, for which 404 means "none".
API: https://docs.confluent.io/platform/current/schema-registry/develop/api.html

The same server takes the sandbox's fault controls: POST /sandbox/broker/down and /up, /sandbox/registry/down and
/up. While the registry is down every call but those is answered with 503.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

# Error codes of the API's error bodies.
SUBJECT_NOT_FOUND = 40401
SCHEMA_NOT_FOUND = 40403
ANY_OTHER = 50001

# How long closing may take.
POLL_SECONDS = 0.05

Answer = tuple[HTTPStatus, object]


class SchemaStore:
    """Schemas by global id. The same text has one id in every subject, as in the real registry."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: dict[str, int] = {}
        self._subjects: dict[str, list[int]] = {}

    def register(self, subject: str, schema: str) -> int:
        with self._lock:
            schema_id = self._ids.setdefault(schema, len(self._ids) + 1)
            versions = self._subjects.setdefault(subject, [])
            if schema_id not in versions:
                versions.append(schema_id)
            return schema_id

    def schema(self, schema_id: int) -> str | None:
        with self._lock:
            return next((schema for schema, known in self._ids.items() if known == schema_id), None)

    def version(self, subject: str, schema_id: int) -> int:
        with self._lock:
            return self._subjects[subject].index(schema_id) + 1

    def subjects(self) -> list[str]:
        with self._lock:
            return sorted(self._subjects)


class SchemaRegistry:
    """The HTTP server. ``controls`` maps a path below /sandbox/ to what a POST there does."""

    def __init__(self, *, port: int = 0, controls: Mapping[str, Callable[[], None]] | None = None) -> None:
        self.store = SchemaStore()
        self._down = threading.Event()
        self._controls = {"registry/down": self._down.set, "registry/up": self._down.clear, **(controls or {})}
        registry = self

        class Handler(_Handler):
            def answer(self, method: str, path: str, body: bytes) -> Answer:
                return registry.answer(method, path, body)

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="schema-registry", daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Return status and JSON body for one request."""
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if parts[0] == "sandbox":
            return self._control(method, "/".join(parts[1:]))
        if self._down.is_set():
            return _error(HTTPStatus.SERVICE_UNAVAILABLE, ANY_OTHER, "The registry is switched off.")
        match method, parts:
            case "POST", ["subjects", subject, "versions"]:
                return self._register(subject, body)
            case "POST", ["subjects", subject]:
                return self._look_up(subject, body)
            case "GET", ["subjects"]:
                return HTTPStatus.OK, self.store.subjects()
            case "GET", ["schemas", "ids", schema_id]:
                return self._schema(schema_id)
        return _error(HTTPStatus.NOT_FOUND, SUBJECT_NOT_FOUND, "Not found.")

    def _register(self, subject: str, body: bytes) -> Answer:
        return HTTPStatus.OK, {"id": self.store.register(subject, json.loads(body)["schema"])}

    def _look_up(self, subject: str, body: bytes) -> Answer:
        schema = json.loads(body)["schema"]
        schema_id = self.store.register(subject, schema)
        version = self.store.version(subject, schema_id)
        return HTTPStatus.OK, {"subject": subject, "version": version, "id": schema_id, "schema": schema}

    def _schema(self, schema_id: str) -> Answer:
        schema = self.store.schema(int(schema_id)) if schema_id.isdigit() else None
        if schema is None:
            return _error(HTTPStatus.NOT_FOUND, SCHEMA_NOT_FOUND, f"Schema {schema_id} not found")
        return HTTPStatus.OK, {"schema": schema}

    def _control(self, method: str, name: str) -> Answer:
        control = self._controls.get(name)
        if method != "POST" or control is None:
            return HTTPStatus.NOT_FOUND, {"controls": sorted(self._controls)}
        control()
        return HTTPStatus.OK, {"done": name}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        raise NotImplementedError

    def do_GET(self) -> None:
        self._respond("GET")

    def do_POST(self) -> None:
        self._respond("POST")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Log nothing: the process prints only one line, with its URLs."""

    def _respond(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            status, content = self.answer(method, urlsplit(self.path).path, body)
        except (ValueError, KeyError, TypeError) as error:
            status, content = _error(HTTPStatus.UNPROCESSABLE_ENTITY, 42201, f"Unreadable request: {error!r}")
        encoded = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)


def _error(status: HTTPStatus, code: int, message: str) -> Answer:
    return status, {"error_code": code, "message": message}
