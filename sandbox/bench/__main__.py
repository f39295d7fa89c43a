"""Measure what is wanted: ``python -m sandbox.bench [PART ...] [--small] [--database NAME] [--save FILE]``.

Each database server is started with its defaults, so that a commit survives a crash. Statements are counted without
the beginning and end of transactions. The site does not sign its own badges here: an award of one that is signed
costs what one of Credly's costs, since it has a delivery too. A whole run takes up to 50 minutes for each server,
most of it for a backfill of a million rows and tables as large; --small takes about 7 minutes, on MySQL. Exits with 1
when anything falls short of what is wanted, or was not measured.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sandbox.bench.goals import PARTS, Measured, lines, text
from tests.services import SERVICES, ServiceFailedError, ServiceMissingError
from tests.services.children import child, exit_when_terminated

SERVERS = ("mysql", "mariadb")
# What fills tables has a database of its own, so that it is not in the way of the others; in a small run it comes last.
LARGE = ("million", "tables")


def main(arguments: Sequence[str]) -> int:
    """Print one table for each server, when all of it is measured."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"what to measure (default: all): {', '.join(PARTS)}")
    parser.add_argument("--small", action="store_true", help="a tenth of the size, and fewer rounds")
    parser.add_argument(
        "--database", action="append", choices=SERVERS, help="on this server (default: on both; --small: on MySQL)"
    )
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the tables to this file as well")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.parts) - set(PARTS))
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    parts = options.parts or PARTS
    exit_when_terminated()
    began, load = time.monotonic(), os.getloadavg()[0]
    tables = []
    with _brokers(parts) as brokers:
        for name in options.database or (SERVERS[:1] if options.small else SERVERS):
            title, measured, reasons = _on(name, parts, brokers, small=options.small)
            tables.append((title, lines(parts, measured, reasons, small=options.small)))
    short = sum(not row.ok for _, rows in tables for row in rows)
    size = "A tenth of the size" if options.small else "Full size"
    closing = f"{size}, {os.cpu_count()} cores, load {load:.1f} when it began; {time.monotonic() - began:.0f} s."
    report = "\n\n".join([*(f"{title}\n\n{text(rows)}" for title, rows in tables), closing])
    print(f"\n{report}")
    if options.save:
        options.save.write_text(f"{report}\n", encoding="utf-8")
    print(f"{short} fall short of what is wanted." if short else "All is as wanted.")
    return 1 if short else 0


def _on(
    name: str, parts: Sequence[str], brokers: Mapping[str, str], *, small: bool
) -> tuple[str, dict[str, Measured], dict[str, str]]:
    """Measure on one server. Return its title, what was measured, and why other things were not."""
    measured: dict[str, Measured] = {}
    reasons: dict[str, str] = {}
    title = name
    large = [[part] for part in LARGE if part in parts]
    groups = [[part for part in parts if part not in LARGE], *large]
    if small:
        groups = [list(itertools.chain(*groups))]
    try:
        with SERVICES[f"{name}-durable"]() as server:
            for group in filter(None, groups):
                for answer in _measure(group, {**server, **brokers}, small=small):
                    title = answer.pop("server", title)
                    if "value" in answer:
                        measured[answer["key"]] = Measured(**answer)
                    elif "part" in answer:
                        reasons[answer["part"]] = answer["reason"]
    except (ServiceMissingError, ServiceFailedError) as error:
        reasons = dict.fromkeys(parts, str(error))
    return title, measured, reasons


def _measure(parts: Sequence[str], environment: Mapping[str, str], *, small: bool) -> Iterator[dict[str, Any]]:
    """Measure in a process of its own, and yield its answers."""
    command = [sys.executable, "-m", "sandbox.bench.measuring", *parts, *(["--small"] if small else [])]
    variables = {**os.environ, **environment, "BADGES_SANDBOX_SIGNS": "false"}
    begun = ""
    with child(command, stdout=subprocess.PIPE, text=True, env=variables) as process:
        for line in process.stdout or ():
            answer = json.loads(line)
            begun = answer.pop("begun", begun)
            yield answer
    if process.returncode:
        for part in parts[parts.index(begun) if begun else 0 :]:
            yield {"part": part, "reason": f"its process ended with {process.returncode}"}


@contextlib.contextmanager
def _brokers(parts: Sequence[str]) -> Iterator[dict[str, str]]:
    """Start what there is of Apache Kafka and Redis; yield the variables that ``sandbox.bench.measuring`` reads."""
    used = {"kafka": {"kafka", "poison", "quiet"}, "redis": {"redis", "quiet"}}
    found: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        for name, users in used.items():
            if users & set(parts):
                found[f"BENCH_{name.upper()}"] = json.dumps(_start(stack, name, SERVICES[name]))
        yield found


def _start(
    stack: contextlib.ExitStack, name: str, service: Callable[[], AbstractContextManager[Mapping[str, str]]]
) -> Mapping[str, str]:
    try:
        return stack.enter_context(service())
    except (ServiceMissingError, ServiceFailedError) as error:
        print(f"No {name}: {error}", file=sys.stderr)
        return {}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
