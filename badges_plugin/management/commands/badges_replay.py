"""``manage.py badges_replay``: award badges for events that are still on the event bus."""

from __future__ import annotations

import sqlite3
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from contextlib import closing
from importlib import import_module
from typing import Any, Protocol, cast

from django.conf import settings
from django.core.management.base import CommandError

from badges_plugin.backfill.commands import BackfillCommand, interruptible_reading, spool_error, time_argument
from badges_plugin.backfill.selection import Selector
from badges_plugin.backfill.spool import Spool
from badges_plugin.command_line import text
from badges_plugin.conf import TOPIC
from badges_plugin.consumers.exceptions import ConsumerError
from badges_plugin.exceptions import CannotRead

# Imported only when needed: the client library of the other bus may be missing.
READERS = {
    "kafka": ("badges_plugin.backfill.reading_kafka", "KafkaTopicReader"),
    "redis": ("badges_plugin.backfill.reading_redis", "RedisStreamReader"),
}


class Reader(Protocol):
    """Reads the messages that a bus has now."""

    def close(self) -> None: ...
    def __len__(self) -> int: ...
    def messages(self) -> Any: ...


class Command(BackfillCommand):
    help = """\
Award badges for events that are still on the event bus, for example for a badge template created after
learners had met its requirements. Reads the topic from its beginning, or from a given time, to its
current end. Running consumers and their offsets are not affected and can continue meanwhile.

All events of a learner are applied at once: a badge that was lost again since is not awarded, and no
badge is revoked and awarded again in between. Events that were applied before change nothing, so the
command can be interrupted and run again at any time. Begin with --dry-run.

Without this command, events can be applied one by one, which also awards and revokes badges that were
gained and lost in between. Either start another consumer with a group of its own, which begins at the
earliest event, until its lag is 0:
  manage.py consume_events -t TOPIC -g badges-replay-1 --extra '{}'
or stop all consumers of the group and reset its offset:
  kafka-consumer-groups.sh --bootstrap-server HOST:PORT --group GROUP --topic PREFIX-TOPIC
      --reset-offsets --to-earliest --execute
  redis-cli XGROUP SETID PREFIX-TOPIC GROUP 0
"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        # Django's own formatter would rewrap the text.
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--topic", type=text, default=TOPIC, help="Without the prefix. Default: %(default)s.")
        parser.add_argument("--bus", choices=sorted(READERS), help="Default: the bus of EVENT_BUS_CONSUMER.")
        parser.add_argument(
            "--since", type=time_argument, metavar="TIME", help="Only events of this time or later (ISO 8601)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.require_enabled()
        selection = self.selection(options, since=options["since"])
        try:
            with closing(self._open(options)) as reader, Spool(options["spool_dir"]) as spool:
                selector = Selector(spool, selection)
                with interruptible_reading():
                    selector.read(self.progress("Messages", len(reader)).over(reader.messages()))
                    self.report_read(selector.seen)
                self.apply(spool, selection, dry_run=options["dry_run"])
        except (CannotRead, ConsumerError) as error:
            raise CommandError(f"{error} Run the command again; events that were applied change nothing.") from error
        except (OSError, sqlite3.Error) as error:
            raise spool_error(error) from error

    def _open(self, options: dict[str, Any]) -> Reader:
        bus = options["bus"] or _configured_bus()
        module, name = READERS[bus]
        try:
            reader = getattr(import_module(module), name)
        except ImportError as error:
            raise CommandError(f"The client of the event bus is not installed: {error}") from error
        return cast("Reader", reader(options["topic"], since=options["since"]))


def _configured_bus() -> str:
    consumer = str(getattr(settings, "EVENT_BUS_CONSUMER", None) or getattr(settings, "EVENT_BUS_PRODUCER", None) or "")
    for bus in READERS:
        if bus in consumer.lower():
            return bus
    raise CommandError("EVENT_BUS_CONSUMER names neither Kafka nor Redis. Choose one with --bus.")
