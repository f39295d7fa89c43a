"""Area "bus-redis": Redis Streams."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.drills.bus import run_on
from sandbox.drills.bus_brokers import redis
from sandbox.drills.catalog import Options, Result


def run(options: Options) -> Iterator[Result]:
    """See ``sandbox.drills.bus``."""
    return run_on("Redis", redis, options)
