"""Area "bus-kafka": Apache Kafka."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.drills.bus import run_on
from sandbox.drills.bus_brokers import kafka
from sandbox.drills.catalog import Options, Result


def run(options: Options) -> Iterator[Result]:
    """See ``sandbox.drills.bus``."""
    return run_on("Kafka", kafka, options)
