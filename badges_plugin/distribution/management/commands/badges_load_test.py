"""``manage.py badges_load_test``: measure this site with synthetic events."""

from __future__ import annotations

import signal
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.core.management.base import CommandError

from badges_plugin import conf, synthetic
from badges_plugin.backfill.progress import Output, Progress
from badges_plugin.command_line import BadgesCommand, text
from badges_plugin.distribution import registry
from badges_plugin.distribution.load_test import cleaning, scene
from badges_plugin.distribution.load_test.exceptions import CannotMeasure
from badges_plugin.distribution.load_test.following import Delays
from badges_plugin.distribution.load_test.running import Pace, Run
from badges_plugin.distribution.load_test.sending import KEY_FIELDS, Bus, InProcess, Sender

INTERRUPTED = 130
GO_ON_CLEANING = "Run badges_load_test --clean-up to delete what is left."


class Command(BadgesCommand):
    help = (
        "Measure this site: send events of synthetic learners who pass a synthetic course, follow them to the award of "
        "a synthetic badge and to its delivery, print rates and delays, and delete all of it again. Real learners, "
        "badges and providers are not touched."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--events", type=_number, default=1000, metavar="N", help="How many (default: 1000).")
        parser.add_argument("--rate", type=_positive, help="Events a second. Default: as fast as they are taken.")
        parser.add_argument(
            "--in-process",
            action="store_true",
            help="Apply the events in this process, without event bus and consumer.",
        )
        parser.add_argument("--topic", type=text, default=conf.TOPIC, help="Without the prefix. Default: %(default)s.")
        parser.add_argument(
            "--partition-key",
            choices=sorted(KEY_FIELDS),
            default="course",
            help="Send all events to one partition of Kafka, as a regrade of a course does (default), or spread them.",
        )
        parser.add_argument(
            "--wait",
            type=_positive,
            default=60.0,
            metavar="SECONDS",
            help="Give up when nothing happens this long (60).",
        )
        parser.add_argument(
            "--deliver", action="store_true", help="Go on although a distribution backend would deliver the badges."
        )
        parser.add_argument("--clean-up", action="store_true", help="Only delete what a load test has left behind.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        with _terminated_as_interrupted():
            if options["clean_up"]:
                self._clean_up()
                return
            try:
                self._measure(options)
            except CannotMeasure as error:
                raise CommandError(str(error)) from error

    def _measure(self, options: dict[str, Any]) -> None:
        self._refuse(options)
        sender: Sender = InProcess() if options["in_process"] else Bus(options["topic"], options["partition_key"])
        if not options["yes"]:
            self._ask(options)
        pace = Pace(options["events"], options["rate"], options["wait"])
        progress = Progress(cast("Output", self.stderr), "Awarded", pace.number)
        run = Run(scene.prepare(), sender, pace, on_awarded=progress.to)
        try:
            with sender:
                run.drive()
        except KeyboardInterrupt as error:
            raise CommandError("Interrupted.", returncode=INTERRUPTED) from error
        finally:
            progress.finish()
            try:
                self._report(run)
            finally:
                self._clean_up()

    def _refuse(self, options: dict[str, Any]) -> None:
        """Raise CommandError when the site cannot be measured, or must not be."""
        self.require_enabled()
        if scene.SIGNAL.event_type not in conf.config().events:
            raise CommandError(f'BADGES_CONFIG["events"] does not have {scene.SIGNAL.event_type}, which is sent.')
        if cleaning.has_leftovers():
            raise CommandError(
                "Another load test is running, or one was killed and has left something behind. If none is running: "
                f"{GO_ON_CLEANING}"
            )
        if cleaning.has_namesakes():
            raise CommandError(
                f"Users have LMS user ids from {synthetic.FIRST_LMS_USER_ID} on, those of synthetic learners."
            )
        backends = registry.responsible_for(scene.unsaved_template())
        if backends and not options["deliver"]:
            names = ", ".join(backend.name for backend in backends)
            raise CommandError(
                f"The synthetic badges would be delivered by {names}. If that issues nothing to anybody, add --deliver."
            )

    def _ask(self, options: dict[str, Any]) -> None:
        by = "in this process" if options["in_process"] else "through the event bus"
        self.stdout.write(
            f"{options['events']} synthetic learners ({synthetic.USERNAME_PREFIX}…) will earn a synthetic "
            f"badge, {by}, and will be deleted again. Real learners' events wait meanwhile."
        )
        try:
            answer = input("Type “yes” to continue: ")
        except EOFError:
            raise CommandError("Nothing was sent: the question was not answered. Use --yes.") from None
        if answer.strip() != "yes":
            raise CommandError("Nothing was sent.")

    def _report(self, run: Run) -> None:
        first, others = run.follower.awards()
        rate = f" ({run.sent / run.seconds:.0f}/s)" if run.seconds else ""
        self.stdout.write(f"Sent: 1 event, then {run.sent} in {run.seconds:.1f} s{rate}.")
        for _, seconds in first.percentiles()[:1]:
            self.stdout.write(f"Award of the first event, alone: after {seconds:.2f} s.")
        self._delays("Awarded", others)
        delivered, failed = run.follower.deliveries()
        self._delays("Delivered", delivered)
        if failed:
            self.stdout.write(f"Deliveries that failed or were cancelled: {failed}.")

    def _delays(self, what: str, delays: Delays) -> None:
        if not delays.seconds:
            return
        parts = [
            f"{'longest' if percent == 100 else f'{percent}%'} {seconds:.2f} s"
            for percent, seconds in delays.percentiles()
        ]
        self.stdout.write(
            f"{what}: {len(delays.seconds)}, {delays.rate:.0f}/s. Delay after the event: {', '.join(parts)}."
        )

    def _clean_up(self) -> None:
        total = cleaning.learners().count()
        progress = Progress(cast("Output", self.stderr), "Deleted", total)
        try:
            deleted = cleaning.clean_up(progress.to)
        except KeyboardInterrupt as error:
            raise CommandError(f"Interrupted. {GO_ON_CLEANING}", returncode=INTERRUPTED) from error
        except Exception as error:
            raise CommandError(f"Not everything could be deleted. {GO_ON_CLEANING}") from error
        progress.finish()
        self.stdout.write(f"Deleted: {deleted} synthetic learners and everything of theirs.")


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Clean up after SIGTERM as after Ctrl-C."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _number(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= synthetic.MAX_LEARNERS:
        raise ArgumentTypeError(f"a number from 1 to {synthetic.MAX_LEARNERS}")
    return int(value)


def _positive(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise ArgumentTypeError("a number above 0")
    return number
