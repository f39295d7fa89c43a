"""Area "erased": learners are retired at every point of an award's and a delivery's life, at both providers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping

from sandbox.accredible.simulator import AccredibleSimulator
from sandbox.drills.catalog import Options, Result
from sandbox.drills.stage import DISTRIBUTION, staged

# With time-outs as short as these, deliveries in doubt would use up Accredible's limit without coming to an end; the
# limit itself is measured in the bench, and tested.
ACCREDIBLE = {"REQUESTS_PER_MINUTE": 0}
# Claims of workers that are killed expire soon.
DISTRIBUTION_OF_THE_ERASED: Mapping[str, float] = {
    **DISTRIBUTION,
    "lease": 7.5,
    "request_timeout": 1.5,
    "retry_first": 0.2,
    "retry_cap": 0.5,
    "retry_settle": 0.3,
    "retry_breaker_first": 0.1,
    "retry_breaker_cap": 0.3,
    "retry_breaker_threshold": 1000,
}


def run(options: Options) -> Iterator[Result]:
    """Run one point after another with real workers, a real database and both providers simulated."""
    with (
        AccredibleSimulator() as accredible,
        staged(
            options.folder,
            environment={
                "ACCREDIBLE_API_BASE_URL": accredible.url,
                "BADGES_CONFIG_JSON": json.dumps(
                    {"distribution": DISTRIBUTION_OF_THE_ERASED, "accredible": ACCREDIBLE}
                ),
            },
        ) as stage,
    ):
        from sandbox.drills import erasure_points
        from sandbox.drills.badges import add_site
        from sandbox.drills.database import describe
        from sandbox.drills.erasure_cast import Theater

        print(f"On {describe()}.", flush=True)
        add_site()
        theater = Theater(stage, accredible, people=4 if options.small else 24)
        for point in erasure_points.POINTS:
            started = time.monotonic()
            result = point(theater)
            result.numbers["seconds"] = time.monotonic() - started
            yield result
