"""Area "erased": learners are retired at every point of an award's and a delivery's life, at both providers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from sandbox.accredible.simulator import AccredibleSimulator
from sandbox.drills.catalog import Options, Result
from sandbox.drills.stage import DISTRIBUTION, staged

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
            distribution=DISTRIBUTION_OF_THE_ERASED,
            environment={"ACCREDIBLE_API_BASE_URL": accredible.url},
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
