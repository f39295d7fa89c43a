"""Measure some parts on the server of ``DATABASE_URL``: ``python -m sandbox.bench.measuring PART ... [--small]``.

Prints a line of JSON for each result. A part that fails says why, and the next one begins.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from sandbox.bench.goals import Measured
from sandbox.bench.scene import Scene
from sandbox.drills.stage import staged

MODULES = {
    "kafka": "sandbox.bench.bus:measure_kafka",
    "redis": "sandbox.bench.bus:measure_redis",
    "statements": "sandbox.bench.statements:measure",
    "single": "sandbox.bench.single:measure",
    "poison": "sandbox.bench.poison:measure",
    "quiet": "sandbox.bench.quiet:measure",
    "ruleset": "sandbox.bench.ruleset:measure",
    "backfill": "sandbox.bench.backfill:measure",
    "million": "sandbox.bench.backfill:measure_million",
    "tables": "sandbox.bench.large:measure_pages",
    "accredible": "sandbox.bench.large:measure_accredible",
    "credly": "sandbox.bench.deliveries:measure",
}

Part = Callable[[Scene], Iterator[Measured]]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.bench.measuring")
    parser.add_argument("parts", nargs="+", choices=sorted(MODULES))
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="badges-bench-") as folder,
        staged(Path(folder), settings="sandbox.settings", distribution={}) as stage,
    ):
        from sandbox.drills.database import describe

        _say(server=describe())
        scene = Scene(stage, small=options.small)
        with scene.closing:
            for part in options.parts:
                _run(part, scene)
    return 0


def _run(part: str, scene: Scene) -> None:
    _say(begun=part)
    started = time.monotonic()
    try:
        for measured in _load(part)(scene):
            _say(**asdict(measured))
            print(f"  {measured.key}: {measured.value:.3g} {measured.note}", file=sys.stderr, flush=True)
    except Exception as error:  # noqa: BLE001 - whatever it is, the line says so and the next part begins
        reason = f"{type(error).__name__}: {error}"
        _say(part=part, reason=reason)
        print(f"  {part} failed: {reason}", file=sys.stderr)
    print(f"{part}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def _load(part: str) -> Part:
    module, _, name = MODULES[part].partition(":")
    loaded: Any = getattr(import_module(module), name)
    measure: Part = loaded
    return measure


def _say(**answer: object) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
