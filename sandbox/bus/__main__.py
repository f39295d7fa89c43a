"""Run the embedded event bus until SIGTERM or SIGINT.

    python -m sandbox.bus --topic dev-learning-badges-lifecycle:4

Prints one line of JSON when it is ready: ``{"bootstrap_servers": "127.0.0.1:…", "registry_url": "http://…"}``.
A client that asks for any other topic gets it with 4 partitions.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys

from sandbox.bus.mock_cluster import MockCluster, Topic
from sandbox.bus.registry import SchemaRegistry


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    # Blocked before any thread exists, so that every thread inherits it and the signals wait for sigwait().
    stop_signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    cluster = MockCluster(options.topic)
    registry = SchemaRegistry(controls={"broker/down": cluster.set_down, "broker/up": cluster.set_up})
    registry.start()
    addresses = {"bootstrap_servers": cluster.bootstrap_servers, "registry_url": registry.url}
    print(json.dumps(addresses), flush=True)
    signal.sigwait(stop_signals)
    registry.close()
    cluster.close()
    return 0


def _topic(text: str) -> Topic:
    name, _, partitions = text.partition(":")
    return Topic(name=name, partitions=int(partitions or 4))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.bus", description="Embedded Kafka-compatible event bus.")
    parser.add_argument(
        "--topic",
        action="append",
        type=_topic,
        default=[],
        metavar="NAME[:PARTITIONS]",
        help="create this topic (full name, with prefix); may be repeated",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
