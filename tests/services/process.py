"""Find server programs, start them as an unprivileged user, wait until they are ready, and stop them."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 60.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.1
LOG_TAIL_LINES = 30


class ServiceMissingError(RuntimeError):
    """A server's program is not on this machine; the message names the Debian package that brings it."""


class ServiceFailedError(RuntimeError):
    """A server ended, or did not answer in time, while it was started; the message ends with its log."""


@dataclass(frozen=True)
class Home:
    """A temporary folder that a server has for itself, and the account that owns it."""

    folder: Path
    account: str | None
    """Name of the account to run as; None for the current one (servers refuse to run as root)."""

    def run(self, *command: str | Path) -> None:
        """Run a set-up command to its end; raises ServiceFailedError with what it printed."""
        done = subprocess.run(
            command, cwd=self.folder, user=self.account, group=self._group(), capture_output=True, text=True
        )
        if done.returncode:
            raise ServiceFailedError(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")

    def start(self, *command: str | Path) -> subprocess.Popen[bytes]:
        """Start a server in a session of its own, so that a terminal's interrupt reaches only the tests."""
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                user=self.account,
                group=self._group(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def write(self, name: str, text: str) -> Path:
        """Write a file that only the server's account can read."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        if self.account:
            shutil.chown(path, self.account)
        return path

    def log_tail(self) -> str:
        lines = (self.folder / "server.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def _group(self) -> int | None:
        return pwd.getpwnam(self.account).pw_gid if self.account else None


def find_program(name: str, *, package: str, folders: Sequence[Path] = ()) -> Path:
    """Return the path of a program; ``folders`` are looked at before PATH. Raises ServiceMissingError."""
    # Debian keeps servers where an ordinary user's PATH does not look.
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise ServiceMissingError(f"{name} is not installed: apt-get install {package}")
    return Path(found)


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def temporary_home(prefix: str, *, accounts: Sequence[str]) -> Iterator[Home]:
    """Yield a folder for one server; as root, it belongs to the first of ``accounts`` that exists, or to nobody."""
    with tempfile.TemporaryDirectory(prefix=f"badges-{prefix}-", ignore_cleanup_errors=True) as name:
        account = _first_account([*accounts, "nobody"]) if os.geteuid() == 0 else None
        if account:
            shutil.chown(name, account)
        yield Home(folder=Path(name), account=account)


class Server:
    """A server process, which may be stopped and started again with what it keeps on disk."""

    def __init__(self, home: Home, command: Sequence[str | Path], *, is_ready: Callable[[], bool]) -> None:
        self._home = home
        self._command = command
        self._is_ready = is_ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        """Start it and return its pid once it is ready. Raises ServiceFailedError when that takes too long."""
        self._process = self._home.start(*self._command)
        _wait_until_ready(self._process, self._home, self._is_ready)
        return self._process.pid

    def stop(self) -> None:
        """Stop it in an orderly way, if it runs."""
        if self._process is not None:
            _stop(self._process)
            self._process = None


@contextlib.contextmanager
def serving(home: Home, command: Sequence[str | Path], *, is_ready: Callable[[], bool]) -> Iterator[Server]:
    """Run a server for as long as the block lasts."""
    server = Server(home, command, is_ready=is_ready)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def succeeds(*command: str | Path, **environment: str) -> bool:
    """Return whether a probe, such as a client's ping, succeeds."""
    done = subprocess.run(command, capture_output=True, env={**os.environ, **environment})
    return done.returncode == 0


def _wait_until_ready(process: subprocess.Popen[bytes], home: Home, is_ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready():
        if process.poll() is not None:
            raise ServiceFailedError(f"The server ended with {process.returncode}:\n{home.log_tail()}")
        if time.monotonic() > deadline:
            raise ServiceFailedError(f"The server gave no answer for {START_SECONDS:.0f} s:\n{home.log_tail()}")
        time.sleep(POLL_SECONDS)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _first_account(names: Sequence[str]) -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in names if name in known)
