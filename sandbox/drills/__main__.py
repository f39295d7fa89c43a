"""Run drills: ``python -m sandbox.drills [AREA ...] [--small] [--seed N] [--database KIND]``.

Exits with 1 when anything was wrong.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sandbox.drills.catalog import AREAS, Options, Result, load
from sandbox.drills.tables import results_table
from tests.services.children import child, exit_when_terminated
from tests.services.databases import DATABASES


def main(arguments: Sequence[str]) -> int:
    """Run one area here, several in processes of their own: each has its own settings and its own database."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.drills", description=__doc__)
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"what to drill (default: all): {', '.join(AREAS)}")
    parser.add_argument("--small", action="store_true", help="few badges and few kills, to try the drills themselves")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="repeats the random choices of a run")  # noqa: S311
    parser.add_argument(
        "--database", choices=sorted(DATABASES), default="mysql",
        help="server for areas that stop and start one (default: mysql); others use the one of DATABASE_URL",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.areas) - set(AREAS))
    if unknown:
        parser.error(f"no such area: {', '.join(unknown)}")
    exit_when_terminated()
    areas = options.areas or list(AREAS)
    if len(areas) == 1:
        return _run(areas[0], seed=options.seed, small=options.small, database=options.database)
    more = ["--seed", str(options.seed), "--database", options.database, *(["--small"] if options.small else [])]
    return max(_run_apart([area, *more]) for area in areas)


def _run_apart(arguments: Sequence[str]) -> int:
    with child([sys.executable, "-m", "sandbox.drills", *arguments]) as process:
        return process.wait()


def _run(area: str, *, seed: int, small: bool, database: str) -> int:
    print(f"Drills of {area}, seed {seed}.", flush=True)
    folder = Path(tempfile.mkdtemp(prefix=f"badges-drills-{area}-"))
    results: list[Result] = []
    started = time.monotonic()
    failure = ""
    try:
        for result in load(area)(Options(folder, seed, small, database)):
            results.append(result)
            _tell(result)
    except Exception as error:  # noqa: BLE001 - whatever it is, the drill has failed and says so
        failure = f"{type(error).__name__}: {error}"
    print(f"\n{results_table(results)}\n")
    wrong = failure or any(result.problems for result in results) or not results
    if not wrong:
        shutil.rmtree(folder)
        print(f"Nothing was lost, and nothing was done twice. It took {time.monotonic() - started:.0f} s.")
        return 0
    print(f"Something is wrong. {failure}\nLogs of every process: {folder}\nAgain: --seed {seed}", file=sys.stderr)
    return 1


def _tell(result: Result) -> None:
    print(f"\n{result.name}: {'as expected' if not result.problems else 'WRONG'}")
    for line in [*result.remarks, *(f"WRONG: {problem}" for problem in result.problems)]:
        print(f"  {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
