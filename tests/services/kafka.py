"""Run Apache Kafka (one node, KRaft) and a schema registry: Apicurio, which speaks Confluent's API.

Kafka keeps its data on disk for as long as the block lasts, so it may be stopped and started. The registry has an
H2 database in memory.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
import tempfile
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.services.certificates import self_signed
from tests.services.kafka_programs import Programs, programs
from tests.services.process import Home, Server, free_port, serving

KAFKA_MEGABYTES = 512
REGISTRY_MEGABYTES = 256
ANSWER_SECONDS = 10.0

SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
num.partitions=4
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
# For tests: groups do not wait for further members, and sessions may be short.
group.initial.rebalance.delay.ms=100
group.min.session.timeout.ms=1000
"""

ACCESS_CONTROL = """
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
"""


# Beside the plain listener, which stands for the inside of the cluster, one for users with passwords.
USERS = """
listeners=PLAINTEXT://127.0.0.1:{port},USERS://127.0.0.1:{users},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},USERS://127.0.0.1:{users}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,USERS:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.users.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
    user_badges="{password}";
ssl.keystore.type=PEM
ssl.keystore.location={certificate}
"""


@contextlib.contextmanager
def kafka() -> Iterator[Mapping[str, str]]:
    """Run broker and registry and yield the environment that leads to them, ``EVENT_BUS_KAFKA_…``."""
    with kafka_server() as (_, environment):
        yield environment


@contextlib.contextmanager
def kafka_server() -> Iterator[tuple[Server, Mapping[str, str]]]:
    """Run a broker that may be stopped and started meanwhile, and a registry; yield it and what ``kafka`` yields."""
    installed = programs()
    with _registry(installed) as registry_url, _broker(installed) as (broker, address):
        yield (
            broker,
            {"EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS": address, "EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL": registry_url},
        )


@contextlib.contextmanager
def kafka_with_access_control() -> Iterator[Mapping[str, str]]:
    """Run a broker, without a registry, that obeys access rules; everything is allowed where there is no rule."""
    with _broker(programs(), ACCESS_CONTROL) as (_, address):
        yield {"EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS": address}


@contextlib.contextmanager
def kafka_with_users() -> Iterator[Mapping[str, str]]:
    """Run a broker that wants TLS and a password, as managed clusters do, and a registry.

    Yield what ``kafka`` yields, with key and secret, and two more: ``CA_FILE``, the certificate to trust, and
    ``PLAIN_BOOTSTRAP_SERVERS``, for clients that cannot be told to.
    """
    installed = programs()
    users, password = free_port(), secrets.token_hex(12)
    with tempfile.TemporaryDirectory(prefix="badges-certificate-") as folder:
        certificate = self_signed(Path(folder) / "server.pem")
        settings = {"users": users, "password": password, "certificate": certificate}
        with _registry(installed) as registry_url, _broker(installed, USERS, **settings) as (_, address):
            yield {
                "EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{users}",
                "EVENT_BUS_KAFKA_API_KEY": "badges",
                "EVENT_BUS_KAFKA_API_SECRET": password,
                "EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL": registry_url,
                "CA_FILE": str(certificate),
                "PLAIN_BOOTSTRAP_SERVERS": address,
            }


def create_topics(bootstrap_servers: str, *names: str, partitions: int) -> None:
    """Create topics and wait until they can be used."""
    client = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    topics = [NewTopic(name, num_partitions=partitions, replication_factor=1) for name in names]
    for made in client.create_topics(topics).values():
        made.result(ANSWER_SECONDS)


@contextlib.contextmanager
def _broker(installed: Programs, further_settings: str = "", **values: object) -> Iterator[tuple[Server, str]]:
    with _home("kafka") as home:
        port, controller = free_port(), free_port()
        settings = home.write(
            "server.properties",
            (SETTINGS + further_settings).format(port=port, controller=controller, data=home.folder / "data", **values),
        )
        java = [*Programs.java(megabytes=KAFKA_MEGABYTES), *installed.kafka]
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # With "=", since an id may begin with a hyphen and would be taken for an option.
        home.run(*java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "-c", settings)
        address = f"127.0.0.1:{port}"
        with serving(home, [*java, "kafka.Kafka", settings], is_ready=lambda: _answers_kafka(address)) as server:
            yield server, address


@contextlib.contextmanager
def _registry(installed: Programs) -> Iterator[str]:
    with _home("registry") as home:
        port = free_port()
        properties = {
            "quarkus_http_host": "127.0.0.1",
            "quarkus_http_port": port,
            "quarkus_http_access-log_enabled": "false",
            "java_io_tmpdir": home.folder,
        }
        command = [*Programs.java(megabytes=REGISTRY_MEGABYTES, **properties), *installed.registry]
        url = f"http://127.0.0.1:{port}/apis/ccompat/v7"
        with serving(home, command, is_ready=lambda: _answers_http(f"{url}/subjects")):
            yield url


@contextlib.contextmanager
def _home(name: str) -> Iterator[Home]:
    """Yield a folder. Java programs do not refuse root, and another account might not reach the jars."""
    with tempfile.TemporaryDirectory(prefix=f"badges-{name}-", ignore_cleanup_errors=True) as folder:
        yield Home(folder=Path(folder), account=None)


def _answers_kafka(address: str) -> bool:
    # Its logger: a client that finds no broker yet would report that on standard error.
    client = AdminClient({"bootstrap.servers": address, "log_level": 0})
    try:
        return bool(client.list_topics(timeout=1).brokers)
    except Exception:  # noqa: BLE001 - whatever it is, there is no broker yet
        return False


def _answers_http(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
