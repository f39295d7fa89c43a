"""The schema registry stand-in, asked as the Kafka client asks it."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from sandbox.bus.registry import SchemaRegistry

AVRO = json.dumps({"type": "record", "name": "CloudEvent", "fields": [{"name": "x", "type": "string"}]})
OTHER_AVRO = json.dumps({"type": "string"})


@pytest.fixture
def registry() -> Iterator[SchemaRegistry]:
    server = SchemaRegistry()
    server.start()
    yield server
    server.close()


@pytest.fixture
def client(registry: SchemaRegistry) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": registry.url, "basic.auth.user.info": ":", "max.retries": 0}) as opened:
        yield opened


def test_what_was_registered_is_found_by_its_id(client: SchemaRegistryClient) -> None:
    schema_id = client.register_schema("dev-topic-value", Schema(AVRO, "AVRO"))
    assert client.get_schema(schema_id).schema_str == AVRO


def test_a_schema_has_one_id_in_every_subject(registry: SchemaRegistry) -> None:
    first, other = (registry.store.register("a", text) for text in (AVRO, OTHER_AVRO))
    assert registry.store.register("b", AVRO) == first != other
    assert registry.store.subjects() == ["a", "b"]


def test_registering_from_many_threads_gives_one_id(registry: SchemaRegistry) -> None:
    ids: list[int] = []
    threads = [threading.Thread(target=lambda: ids.append(registry.store.register("a", AVRO))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(ids) == {1}


def test_an_unknown_schema_is_404(client: SchemaRegistryClient) -> None:
    with pytest.raises(SchemaRegistryError) as raised:
        client.get_schema(4711)
    assert (raised.value.http_status_code, raised.value.error_code) == (404, 40403)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        # the client takes 404 as "no associations"; any other error fails every message
        ("GET", "/associations/resources/-/dev-topic?resourceType=topic&associationType=value", None, 404),
        ("GET", "/subjects", None, 200),
        ("GET", "/schemas/ids/x", None, 404),
        ("POST", "/subjects/a/versions", b"no json", 422),
        ("POST", "/subjects/a/versions", b"{}", 422),
        ("POST", "/sandbox/nothing", b"", 404),
        ("GET", "/sandbox/registry/down", None, 404),  # a look must not break anything
    ],
)
def test_answers(registry: SchemaRegistry, method: str, path: str, body: bytes | None, status: int) -> None:
    assert ask(registry, method, path, body) == status


def test_switched_off_and_on(registry: SchemaRegistry) -> None:
    assert ask(registry, "POST", "/sandbox/registry/down", b"") == 200
    assert ask(registry, "GET", "/subjects") == 503
    assert ask(registry, "POST", "/sandbox/registry/up", b"") == 200
    assert ask(registry, "GET", "/subjects") == 200


def ask(registry: SchemaRegistry, method: str, path: str, body: bytes | None = None) -> int:
    request = urllib.request.Request(registry.url + path, data=body, method=method)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - loopback
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
