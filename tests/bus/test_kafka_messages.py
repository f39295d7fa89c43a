"""What of a Kafka message can be read, and what is about the schema registry and not about the message."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from openedx_events.event_bus.avro.serializer import AvroSignalSerializer, serialize_event_data_to_bytes
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

from badges_plugin.consumers import redis_messages
from badges_plugin.consumers.exceptions import CannotGoOn, DecodingUnavailable, Undecodable
from badges_plugin.consumers.kafka_loop import make_client
from badges_plugin.consumers.kafka_messages import message_from, registry
from badges_plugin.consumers.redis_stream import Entry
from tests.core.buses import close_registry_client
from tests.factories import passing_data, user_data

PASSING = b"org.openedx.learning.course.passing.status.updated.v1"
HEADERS = [
    ("ce_type", PASSING),
    ("ce_id", b"7d0f9a1c-0000-11f0-8000-000000000001"),
    ("ce_time", b"2026-01-01T12:00:00Z"),
]
SCHEMA_AND_CONTENT = b"\x00\x00\x00\x00\x07content"


class Received:
    """A message as the client gives it; ``headers`` is what it says of them, or raises."""

    def __init__(self, headers: Any = HEADERS, value: bytes | None = SCHEMA_AND_CONTENT) -> None:
        self._headers = headers
        self._value = value

    def headers(self) -> Any:
        if isinstance(self._headers, Exception):
            raise self._headers
        return self._headers

    def value(self) -> bytes | None:
        return self._value

    def topic(self) -> str:
        return "dev-learning-badges-lifecycle"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 7


def decode(received: Received) -> object:
    return message_from(received, "credentials").decode()  # type: ignore[arg-type]


class Answering(ThreadingHTTPServer):
    """Answers every request in the same way, but perhaps those about associations, of which most have none."""

    status = 200
    body = b""
    has_associations = True
    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        is_missing = self.path.startswith("/associations") and not self.server.has_associations
        self.send_response(404 if is_missing else self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def server(settings: Any) -> Iterator[Answering]:
    with Answering(("127.0.0.1", 0), Handler) as answering:
        answering.asked = []
        thread = threading.Thread(target=answering.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        settings.EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL = f"http://127.0.0.1:{answering.server_port}"
        yield answering
        close_registry_client()
        answering.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "is_away"),
    [
        (404, b'{"error_code": 40403, "message": "Schema not found"}', False),
        # Something else at that address: a proxy, or another path of the registry's own server.
        (404, b'{"status": 404, "title": "Could not find resource"}', True),
        (404, b"<html>nothing here</html>", True),
        (200, b"<html>log in, please</html>", True),
        (401, b'{"error_code": 40101, "message": "Unauthorized"}', True),
    ],
)
def test_only_what_a_registry_says_of_a_schema_is_about_the_message(
    server: Answering, status: int, body: bytes, is_away: bool
) -> None:
    server.status, server.body = status, body
    with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever it is, it is poison or not
        decode(Received())
    assert isinstance(raised.value, DecodingUnavailable) is is_away


LEFT_OVER = pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content, ""),
        (lambda content: content + b"\0", "1 bytes are left over"),
        (lambda content: content + b"more than an event", "18 bytes are left over"),
        (lambda content: content * 2, "bytes are left over"),
        (lambda content: content[:-1], "EOFError"),
        (lambda content: b"", "EOFError"),
    ],
)


def content_of(signal: Any) -> bytes:
    data = {"course_passing_status": passing_data(user_data())}
    content: bytes = serialize_event_data_to_bytes(data, signal)
    return content


@LEFT_OVER
def test_f13_an_event_with_bytes_left_over_is_none_on_kafka(
    server: Answering, change: Callable[[bytes], bytes], said: str
) -> None:
    schema = AvroSignalSerializer(COURSE_PASSING_STATUS_UPDATED).schema_string()
    server.body, server.has_associations = json.dumps({"schema": schema}).encode(), False
    value = b"\x00\x00\x00\x00\x07" + change(content_of(COURSE_PASSING_STATUS_UPDATED))
    if not said:
        event: Any = decode(Received(value=value))
        assert event.data == {"course_passing_status": passing_data(user_data())}
        return
    with pytest.raises(Exception) as raised:  # noqa: PT011 - poison, whatever it is
        decode(Received(value=value))
    assert not isinstance(raised.value, DecodingUnavailable)
    assert said in f"{type(raised.value).__name__}: {raised.value}"


def test_the_registry_is_asked_once_for_each_schema(server: Answering) -> None:
    schema = AvroSignalSerializer(COURSE_PASSING_STATUS_UPDATED).schema_string()
    server.body, server.has_associations = json.dumps({"schema": schema}).encode(), False
    content = content_of(COURSE_PASSING_STATUS_UPDATED)
    for schema_id in (7, 7, 8, 7):
        decode(Received(value=b"\0" + schema_id.to_bytes(4, "big") + content))
    assert [path.partition("?")[0] for path in server.asked] == ["/schemas/ids/7", "/schemas/ids/8"]


def test_a_registry_that_comes_back_is_asked_again(server: Answering) -> None:
    server.status = 401  # the library repeats what it knows to be temporary, for seconds
    value = b"\x00\x00\x00\x00\x07" + content_of(COURSE_PASSING_STATUS_UPDATED)
    with pytest.raises(DecodingUnavailable):
        decode(Received(value=value))
    server.status = 200
    server.body = json.dumps({"schema": AvroSignalSerializer(COURSE_PASSING_STATUS_UPDATED).schema_string()}).encode()
    assert decode(Received(value=value))


@pytest.mark.parametrize(
    ("field", "content"),
    [
        # Another release of openedx-events wrote it, with a field more, which is left out here ...
        ({"name": "more", "type": "string"}, b"\x06abc"),
        # ... or with one whose value is nothing.
        ({"name": "more", "type": ["null", "string"], "default": None}, b"\x00"),
    ],
)
def test_an_event_of_another_release_is_read_by_its_own_schema(
    server: Answering, field: dict[str, object], content: bytes
) -> None:
    schema = json.loads(AvroSignalSerializer(COURSE_PASSING_STATUS_UPDATED).schema_string())
    schema["fields"].append(field)
    server.body, server.has_associations = json.dumps({"schema": json.dumps(schema)}).encode(), False
    value = b"\x00\x00\x00\x00\x07" + content_of(COURSE_PASSING_STATUS_UPDATED) + content
    event: Any = decode(Received(value=value))
    assert event.data == {"course_passing_status": passing_data(user_data())}


@LEFT_OVER
def test_f13_an_event_with_bytes_left_over_is_none_on_redis(change: Callable[[bytes], bytes], said: str) -> None:
    fields = {
        b"type": PASSING,
        b"id": b"7d0f9a1c-0000-11f0-8000-000000000001",
        b"time": b"2026-03-01T12:00:00+00:00",
        b"minorversion": b"0",
        b"event_data": change(content_of(COURSE_PASSING_STATUS_UPDATED)),
    }
    message = redis_messages.message_from(Entry(b"1-0", fields), "topic", "credentials")
    if not said:
        assert message.decode().data == {"course_passing_status": passing_data(user_data())}
        return
    with pytest.raises(Exception) as raised:  # noqa: PT011 - poison, whatever it is
        message.decode()
    assert said in f"{type(raised.value).__name__}: {raised.value}"


@pytest.mark.filterwarnings("ignore:Cannot configure event-bus")
@pytest.mark.parametrize(("url", "said"), [(None, "is not set"), ("", "not a URL"), ("registry:81", "not a URL")])
def test_without_a_registry_no_message_is_held_to_be_poison(settings: Any, url: str | None, said: str) -> None:
    settings.EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL = url
    with pytest.raises(CannotGoOn, match=said):
        registry()
    with pytest.raises(CannotGoOn, match=said):
        decode(Received())


@pytest.mark.parametrize("error", [SystemError("returned NULL"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid")])
def test_header_names_of_no_encoding_are_about_the_message(error: Exception) -> None:
    received = Received(headers=error)
    assert message_from(received, "credentials").value == SCHEMA_AND_CONTENT  # type: ignore[arg-type]
    with pytest.raises(Undecodable, match="names of its headers"):
        decode(received)


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"no.such.property": 1}, r"no\.such\.property"),
        # Python's own: the client's library has no error of its own for them.
        ({"stats_cb": 5}, "stats_cb"),
        ({"default.topic.config": 5}, "int"),
        # With these it aborts the process.
        ({"group.id": ""}, r"group\.id"),
        ({"group.id": None}, r"group\.id"),
    ],
)
def test_a_property_that_the_client_does_not_take_is_named(properties: dict[str, object], named: str) -> None:
    with pytest.raises(CannotGoOn, match=named):
        make_client({"group.id": "credentials", **properties})
