"""The LMS side: sends Open edX events through the event bus.

    python -m sandbox.lms emit passing --user-id 7 --username ann --course course-v1:Demo+1+run --no-is-passing
    python -m sandbox.lms stream < commands.jsonl

``stream`` reads one JSON command a line (see ``sandbox.lms.emitter.Event.from_command``); ``{"flush": true}``
waits until the broker has everything. Each event is answered by one line ``{"id": …, "type": …, "time": …}``, each
flush by ``{"flushed": true, "lost": …}`` with the number of events that the bus has not got since the start, a command
that cannot be sent by ``{"error": …}``. At the end it flushes as well, unless ``--as-the-platform``, whose processes
just end. Exit code 1 when any event was lost.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable
from typing import TextIO

import django

from sandbox.lms.shapes import KINDS


def main(arguments: list[str]) -> int:
    options = vars(_parser().parse_args(arguments))
    os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.lms.settings"
    django.setup()
    flush = not options.pop("as_the_platform", False)
    if options.pop("command") == "stream":
        return run(sys.stdin, sys.stdout, flush=flush)
    command = {name: value for name, value in options.items() if value is not None}
    return run([json.dumps(command)], sys.stdout)


def run(lines: Iterable[str], answers: TextIO, *, flush: bool = True) -> int:
    """Run the commands, flush, and return the exit code."""
    from sandbox.lms import emitter

    lost = emitter.ProducerErrors()
    refused = 0
    for line in filter(str.strip, lines):
        command = json.loads(line)
        if command == {"flush": True}:
            emitter.flush()
            answer: dict[str, object] = {"flushed": True, "lost": lost.count}
        else:
            try:
                event = emitter.Event.from_command(command)
                emitter.save_grade(command)
                sent = emitter.emit(event)
                answer = {"id": str(sent.id), "type": sent.event_type, "time": sent.time.isoformat()}
            except (ValueError, KeyError, TypeError) as error:
                refused += 1
                answer = {"error": str(error)}
        print(json.dumps(answer), file=answers, flush=True)
    if flush:
        emitter.flush()
    return 1 if refused or lost.count else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.lms", description="Send events as the LMS does.")
    commands = parser.add_subparsers(dest="command", required=True)
    stream = commands.add_parser("stream", help="obey JSON commands on standard input")
    stream.add_argument("--as-the-platform", action="store_true", help="end without a flush")
    emit = commands.add_parser("emit", help="send one event")
    emit.add_argument("event", choices=sorted(KINDS))
    emit.add_argument("--user-id", type=int, required=True, help="the learner's id in the LMS")
    emit.add_argument("--username", required=True)
    for name in ("email", "name", "course", "master-course", "mode", "status", "grade", "created-by", "time", "id"):
        emit.add_argument(f"--{name}")
    emit.add_argument("--created-by-id", type=int)
    for name in ("is-passing", "is-active"):
        emit.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=None)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
