"""Processes that a command starts to do its work, and that end with it: they have servers of their own to stop."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any, NoReturn


def exit_when_terminated() -> None:
    """Let SIGTERM end this process as Ctrl-C does: what it has started is stopped."""
    signal.signal(signal.SIGTERM, _exit)


@contextlib.contextmanager
def child(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a process, and wait for its end. An error inside the block asks it to end: killed, it would stop nothing.

    ``options``: those of ``subprocess.Popen``.
    """
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        except BaseException:
            process.terminate()
            raise


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)
