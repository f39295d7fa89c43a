"""``manage.py badges_replay``: award for what is still on the event bus."""

from __future__ import annotations

import sqlite3
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from contextlib import closing
from importlib import import_module
from typing import Any, Protocol, cast

from django.conf import settings
from django.core.management.base import CommandError

from badges_plugin.backfill.commands import RetroactiveCommand, spool_error, time_argument
from badges_plugin.backfill.exceptions import CannotRead
from badges_plugin.backfill.selection import Selector
from badges_plugin.backfill.spool import Spool
from badges_plugin.command_line import text
from badges_plugin.consumers.exceptions import ConsumerError

# Imported when asked for: the client libraries of the other bus may be missing.
READERS = {
    "kafka": ("badges_plugin.backfill.reading_kafka", "KafkaTopicReader"),
    "redis": ("badges_plugin.backfill.reading_redis", "RedisStreamReader"),
}


class Past(Protocol):
    def close(self) -> None: ...
    def __len__(self) -> int: ...
    def messages(self) -> Any: ...


class Command(RetroactiveCommand):
    help = """\
Award badges for events that are still on the event bus, for a badge template that was set up after
learners had earned it, say. Reads the topic from its beginning, or from a time, up to its end as it is
now. The running consumers and their offsets are left alone and may go on working meanwhile.

All events of a learner are applied at once. Nothing is awarded that was lost again since, and nobody's
badge is revoked and awarded again on the way. What was applied before changes nothing, so the command
may be stopped and run again at any time. Begin with --dry-run.

The plain way, without this command, applies the events one by one and also awards and revokes what was
gained and lost on the way. Either start one more consumer with a group of its own, which begins at the
earliest event, until its lag is 0:
  manage.py consume_events -t learning-badges-lifecycle -g badges-replay-1 --extra '{}'
or stop all consumers of the group and reset its offset:
  kafka-consumer-groups.sh --bootstrap-server HOST:PORT --group GROUP --topic PREFIX-TOPIC
      --reset-offsets --to-earliest --execute
  redis-cli XGROUP SETID PREFIX-TOPIC GROUP 0
"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        # Django's own formatter folds the text.
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--topic", type=text, default="learning-badges-lifecycle", help="Without the prefix. Default: %(default)s."
        )
        parser.add_argument("--bus", choices=sorted(READERS), help="Default: the bus of EVENT_BUS_CONSUMER.")
        parser.add_argument(
            "--since", type=time_argument, metavar="TIME", help="Only events of this time or later (ISO 8601)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.require_enabled()
        selection = self.selection(options, since=options["since"])
        try:
            with closing(self._open(options)) as past, Spool(options["spool_dir"]) as spool:
                selector = Selector(spool, selection)
                selector.read(self.progress("Messages", len(past)).over(past.messages()))
                self.report_seen(selector.seen)
                self.apply(spool, selection, dry_run=options["dry_run"])
        except (CannotRead, ConsumerError) as error:
            raise CommandError(f"{error} It may be run again: what was applied will not change.") from error
        except (OSError, sqlite3.Error) as error:
            raise spool_error(error) from error

    def _open(self, options: dict[str, Any]) -> Past:
        bus = options["bus"] or _configured_bus()
        module, name = READERS[bus]
        try:
            reader = getattr(import_module(module), name)
        except ImportError as error:
            raise CommandError(f"The client of the event bus is not installed: {error}") from error
        return cast("Past", reader(options["topic"], since=options["since"]))


def _configured_bus() -> str:
    consumer = str(getattr(settings, "EVENT_BUS_CONSUMER", None) or getattr(settings, "EVENT_BUS_PRODUCER", None) or "")
    for bus in READERS:
        if bus in consumer.lower():
            return bus
    raise CommandError("EVENT_BUS_CONSUMER names neither Kafka nor Redis; say which with --bus.")
