"""Area "deliveries": each badge is delivered exactly once, whatever happens to Credly and the workers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from sandbox.drills.catalog import Options, Result
from sandbox.drills.stage import DISTRIBUTION, Stage, staged

WORKERS = 3
# So that trying the drills takes less time. Where the machine is slow there are more retries.
IMPATIENT: Mapping[str, float] = {
    **DISTRIBUTION,
    "lease": 7.5,
    "request_timeout": 1,
    "retry_first": 0.2,
    "retry_cap": 0.5,
    "retry_settle": 0.3,
    "retry_breaker_first": 0.1,
    "retry_breaker_cap": 0.3,
}


def run(options: Options) -> Iterator[Result]:
    """Run one drill after another with real workers, a real database and a simulated Credly."""
    with staged(options.folder, distribution=IMPATIENT if options.small else DISTRIBUTION) as stage:
        from sandbox.drills import credly_away, credly_misbehaves, workers_killed, wrong_key
        from sandbox.drills.badges import add_site
        from sandbox.drills.database import describe

        print(f"On {describe()}, with {WORKERS} workers.", flush=True)
        add_site()
        for _ in range(WORKERS):
            stage.start_worker()
        drills: list[Callable[[Stage, Options], Result]] = [
            *credly_away.DRILLS,
            *credly_misbehaves.DRILLS,
            *wrong_key.DRILLS,
            *workers_killed.DRILLS,
        ]
        for drill in drills:
            started = time.monotonic()
            result = drill(stage, options)
            result.numbers["seconds"] = time.monotonic() - started
            yield result
