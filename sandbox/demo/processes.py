"""Child processes with names, logs and an end: used by the demo, the drills and the tests.

Each child leads a process group of its own, so that Ctrl-C reaches only the supervisor, which then stops them in
reverse order; whatever a child left behind in its group is killed after it. ``Processes`` is a context
manager; leaving it, for whatever reason, leaves nothing running.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

POLL_SECONDS = 0.05
STOP_GRACE_SECONDS = 15.0
LOG_LINES_SHOWN = 20
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class ProcessFailed(RuntimeError):
    """A child ended, or did not get ready, when it should have; the message ends with its log's last lines."""


class Child:
    """A started process. Its output goes to ``<name>.out`` and ``<name>.log`` (standard error)."""

    def __init__(self, name: str, arguments: Sequence[str], *, folder: Path, environ: Mapping[str, str]) -> None:
        self.name = name
        self.output_path = folder / f"{name}.out"
        self.log_path = folder / f"{name}.log"
        # Where this run begins: a restarted process appends to the files of the run before.
        self._output_start = self.output_path.stat().st_size if self.output_path.exists() else 0
        with self.output_path.open("ab") as output, self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                list(arguments),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=log,
                env=dict(environ),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._process.poll()

    def output(self) -> str:
        """Return what this run has written to standard output so far."""
        with self.output_path.open("rb") as output:
            output.seek(self._output_start)
            return output.read().decode(errors="replace")

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def wait_for(self, condition: Callable[[], bool], what: str, *, timeout: float = 30) -> None:
        """Poll until ``condition()``; raise ProcessFailed when the child ends first or time is up."""
        deadline = time.monotonic() + timeout
        while not condition():
            if self.exit_code is not None:
                raise self._failure(f"ended with exit code {self.exit_code} before {what}")
            if time.monotonic() > deadline:
                raise self._failure(f"{what}: not after {timeout:g} s")
            time.sleep(POLL_SECONDS)

    def wait_for_json(self, *, timeout: float = 30) -> dict[str, str]:
        """Return the first line of standard output, which the child prints when it is ready, read as JSON."""
        self.wait_for(lambda: "\n" in self.output(), "it was ready", timeout=timeout)
        ready: dict[str, str] = json.loads(self.output().splitlines()[0])
        return ready

    def wait(self, *, timeout: float = 60) -> int:
        """Wait for the end and return the exit code. Raises ProcessFailed when it takes longer."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise self._failure(f"still runs after {timeout:g} s") from None

    def send_line(self, line: str) -> None:
        """Write a line to the child's standard input."""
        stdin = self._stdin()
        stdin.write(line.encode() + b"\n")
        stdin.flush()

    def end_input(self) -> None:
        with suppress(BrokenPipeError):
            self._stdin().close()

    def signal(self, number: signal.Signals) -> None:
        if self.exit_code is None:
            self._process.send_signal(number)

    def stop(self, *, grace: float = STOP_GRACE_SECONDS) -> int:
        """Ask it to end (SIGTERM), insist after ``grace`` seconds, clear its process group, return its exit code."""
        self.end_input()
        self.signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        return self.kill()

    def kill(self) -> int:
        """End the whole process group at once (SIGKILL)."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.end_input()
        return self._process.wait()

    def _stdin(self) -> IO[bytes]:
        if self._process.stdin is None:
            raise ProcessFailed(f"{self.name} has no standard input")
        return self._process.stdin

    def _failure(self, what: str) -> ProcessFailed:
        tail = "\n".join(self.log().splitlines()[-LOG_LINES_SHOWN:])
        return ProcessFailed(f"{self.name}: {what}. Its log, {self.log_path}, ends with:\n{tail}")


class Processes:
    """Starts children and stops them all, last first, when its ``with`` block is left.

    SIGTERM to the supervisor, and SIGHUP when its terminal is closed, become an ordinary exit, so that it stops
    them as well.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._children: list[Child] = []
        self._previous_handlers: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None] = {}

    def start(self, name: str, arguments: Sequence[str], *, environ: Mapping[str, str] | None = None) -> Child:
        """Start ``arguments``; ``environ`` is added to this process's own environment."""
        child = Child(name, arguments, folder=self.folder, environ={**os.environ, **(environ or {})})
        self._children.append(child)
        return child

    def stop_all(self) -> None:
        while self._children:
            self._children.pop().stop()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        if threading.current_thread() is threading.main_thread():
            for number in ENDING_SIGNALS:
                self._previous_handlers[number] = signal.signal(number, _exit_on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A second Ctrl-C must not leave half of them running.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *ENDING_SIGNALS})
        try:
            self.stop_all()
        finally:
            for number, handler in self._previous_handlers.items():
                signal.signal(number, handler)
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _exit_on_signal(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
