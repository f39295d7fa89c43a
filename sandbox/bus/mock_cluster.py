"""librdkafka's mock Kafka cluster, driven through its C API.

The library is the one inside the confluent-kafka wheel, so demo and tests need no broker. The cluster speaks
the Kafka protocol on a loopback port to any client; records live in memory, at most 5 MB a partition, and are
gone with the process. API: ``rdkafka_mock.h`` in librdkafka.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

import confluent_kafka

RD_KAFKA_PRODUCER = 0
ERROR_BUFFER_SIZE = 512


class BrokerError(RuntimeError):
    """Raised when the mock cluster refuses a call, or its library cannot be found."""


@dataclass(frozen=True)
class Topic:
    name: str
    partitions: int


class MockCluster:
    """A running cluster of one broker; ``close`` ends it.

    ``rebalance_delay_ms`` is how long a new consumer group waits for more members; librdkafka's default of
    3 seconds would be most of a demo's time.
    """

    def __init__(self, topics: list[Topic], *, rebalance_delay_ms: int = 100) -> None:
        self._library = _load_library()
        error = ctypes.create_string_buffer(ERROR_BUFFER_SIZE)
        conf = self._library.rd_kafka_conf_new()
        self._handle = self._library.rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, ERROR_BUFFER_SIZE)
        if not self._handle:
            raise BrokerError(error.value.decode())
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._handle, 1)
        if not self._cluster:
            raise BrokerError("rd_kafka_mock_cluster_new failed")
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, rebalance_delay_ms)
        for topic in topics:
            self._check(
                "create a topic",
                self._library.rd_kafka_mock_topic_create(self._cluster, topic.name.encode(), topic.partitions, 1),
            )

    @property
    def bootstrap_servers(self) -> str:
        servers: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        return servers.decode()

    def set_down(self) -> None:
        """Refuse every connection until ``set_up``; what the broker holds stays."""
        self._check("stop the broker", self._library.rd_kafka_mock_broker_set_down(self._cluster, -1))

    def set_up(self) -> None:
        self._check("start the broker", self._library.rd_kafka_mock_broker_set_up(self._cluster, -1))

    def close(self) -> None:
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._handle)

    @staticmethod
    def _check(what: str, code: int) -> None:
        if code != 0:
            raise BrokerError(f"Could not {what}: librdkafka error {code}")


def _load_library() -> ctypes.CDLL:
    """Open the wheel's librdkafka and declare the calls used; undeclared pointers would be cut to 32 bits."""
    library = ctypes.CDLL(str(_library_path()))
    signatures: dict[str, tuple[type | None, list[type]]] = {
        "rd_kafka_conf_new": (ctypes.c_void_p, []),
        "rd_kafka_new": (ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]),
        "rd_kafka_destroy": (None, [ctypes.c_void_p]),
        "rd_kafka_mock_cluster_new": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
        "rd_kafka_mock_cluster_destroy": (None, [ctypes.c_void_p]),
        "rd_kafka_mock_cluster_bootstraps": (ctypes.c_char_p, [ctypes.c_void_p]),
        "rd_kafka_mock_topic_create": (
            ctypes.c_int,
            [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int],
        ),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [ctypes.c_void_p, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_down": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_up": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


def _library_path() -> Path:
    package = Path(confluent_kafka.__file__).parent
    for folder in (package.parent / "confluent_kafka.libs", package / ".dylibs"):
        for path in sorted(folder.glob("librdkafka*")):
            return path
    raise BrokerError(
        "No librdkafka inside the confluent-kafka package; install confluent-kafka as a wheel (it was built from "
        "source here)."
    )
