"""Run a command beside real servers: ``python -m tests.services run mariadb [postgres] -- COMMAND``."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence

from tests.services import SERVICES, ServiceFailedError, ServiceMissingError
from tests.services.children import child, exit_when_terminated


def main(arguments: Sequence[str]) -> int:
    """Return the command's exit code, or 1 when a server cannot be had."""
    own, command = _split(arguments)
    parser = argparse.ArgumentParser(prog="python -m tests.services", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="run")
    run = verbs.add_parser("run", help="start the servers, run the command, stop the servers")
    run.add_argument("services", nargs="+", choices=sorted(SERVICES), metavar="SERVICE", help=", ".join(SERVICES))
    names = parser.parse_args(own).services
    exit_when_terminated()
    try:
        with contextlib.ExitStack() as stack:
            environment: dict[str, str] = {}
            for name in names:
                environment.update(stack.enter_context(SERVICES[name]()))
            return _run(command, environment) if command else _wait(environment)
    except (ServiceMissingError, ServiceFailedError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what is ours and what is the command: the words before and after the first ``--``."""
    words = list(arguments)
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    # On the way out of an interrupt the command goes before the servers that it uses.
    with child(command, env={**os.environ, **environment}) as process:
        return process.wait()


def _wait(environment: Mapping[str, str]) -> int:
    """Without a command: show how to reach the servers and keep them until interrupted."""
    for name, value in environment.items():
        print(f"export {name}={shlex.quote(value)}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
