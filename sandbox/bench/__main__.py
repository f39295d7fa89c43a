"""Measure: ``python -m sandbox.bench [deliveries] [events] [bus]``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sandbox.drills.stage import staged

PARTS = ("deliveries", "events", "bus")


def main(arguments: Sequence[str]) -> int:
    """Print the tables of the parts that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"what to measure (default: all): {', '.join(PARTS)}")
    parts = parser.parse_args(arguments).parts or PARTS
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    with (
        tempfile.TemporaryDirectory(prefix="badges-bench-") as folder,
        staged(Path(folder), settings="sandbox.settings", distribution={}) as stage,
    ):
        from sandbox.bench.bus import print_ratios
        from sandbox.bench.deliveries import print_throughput
        from sandbox.bench.events import print_costs
        from sandbox.drills.badges import add_site
        from sandbox.drills.database import describe

        print(f"On {describe()}; load of the machine when it began: {os.getloadavg()[0]:.1f}.", flush=True)
        add_site()
        if "deliveries" in parts:
            print_throughput(stage)
        if "events" in parts:
            print_costs(stage)
        if "bus" in parts:
            print_ratios(stage)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
