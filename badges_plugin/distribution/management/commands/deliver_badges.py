"""``manage.py deliver_badges``: the worker that delivers awards to the providers."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from badges_plugin.command_line import BadgesCommand
from badges_plugin.conf import is_enabled
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.worker import Worker
from badges_plugin.garbage import rare_collections
from badges_plugin.switching import quick_switches

MAX_REQUESTS = 1000
MAX_INTERVAL = 24 * 3600.0


class Command(BadgesCommand):
    help = (
        "Deliver awarded and revoked badges to their providers. Runs until SIGTERM or SIGINT, "
        "then finishes the requests in progress. Any number of these workers may run at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="Deliver what is due now, then exit.")
        parser.add_argument(
            "--concurrency", type=int, default=4, help="Requests at a time in this worker (default: 4)."
        )
        parser.add_argument(
            "--interval", type=float, default=2.0, help="Seconds between two looks for new deliveries (default: 2)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["concurrency"] <= MAX_REQUESTS:
            raise CommandError(f"--concurrency must be from 1 to {MAX_REQUESTS}.")
        if not 0 < options["interval"] <= MAX_INTERVAL:
            # Also excludes "nan", with which the worker would query the database without a pause.
            raise CommandError(f"--interval must be above 0 and at most {MAX_INTERVAL:.0f} seconds.")
        if not is_enabled():
            raise CommandError("Badges are switched off. Set BADGES_ENABLED = True to deliver them.")
        worker = Worker(config(), concurrency=options["concurrency"], interval=options["interval"])
        previous = {
            number: signal.signal(number, lambda *_: worker.stop()) for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            # Or a thread that has a reply would wait for those that compute, several times a request, and now and then
            # for a look through all objects of the process.
            with quick_switches(), rare_collections():
                counts = worker.run(once=options["once"])
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        summary = ", ".join(f"{count} {word}" for word, count in sorted(counts.items())) or "nothing to do"
        self.stdout.write(f"Deliveries: {summary}.")
