"""A simulator in a separate process, and its control API as methods: for the demo, drills and benchmarks."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urljoin

from sandbox.credly.records import Json

_ROOT = Path(__file__).resolve().parents[2]
_STOP_SECONDS = 20


class ControlError(Exception):
    """Raised when the simulator refuses a control request. The message is its reason."""


class CredlyControl:
    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        """``url``: the base URL of the simulated API."""
        self.url = url
        self._control = urljoin(url, "/_control/")
        self._timeout = timeout

    def call(self, method: str, path: str, body: Json | None = None) -> Any:
        """Call any route of ``control.py``."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self._control + path, data, method=method)  # noqa: S310 - our own address
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as response:  # noqa: S310
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                raise ControlError(f"{method} {path}: {error.read().decode()}") from None

    def summary(self) -> Json:
        return dict(self.call("GET", "summary"))

    def journal(self, *, since: int = 0) -> list[Json]:
        return list(self.call("GET", f"journal?since={since}"))

    def badges(self, **fields: str) -> list[Json]:
        """Rows of ``summary.badge_row`` whose fields equal ``fields``."""
        return list(self.call("GET", f"badges?{urlencode(fields)}"))

    def fail(self, **fault: Any) -> None:
        """See ``faults.Fault`` for the attributes."""
        self.call("POST", "faults", fault)

    def behave(self) -> None:
        """Clear faults, latency, the rate limit and the outage."""
        self.call("DELETE", "faults")

    def set_down(self, *, down: bool) -> None:
        self.call("POST", "down", {"down": down})

    def slow_down(self, seconds: float, *, jitter: float = 0.0) -> None:
        self.call("POST", "latency", {"seconds": seconds, "jitter": jitter})

    def accept(self, badge_id: str) -> None:
        self.call("POST", f"badges/{badge_id}/accept", {})

    def reject(self, badge_id: str) -> None:
        self.call("POST", f"badges/{badge_id}/reject", {})

    def change_organization(self, organization_id: str, **changes: Any) -> None:
        self.call("PATCH", f"organizations/{organization_id}", changes)

    def rotate_key(self, organization_id: str, key: str | None = None) -> str:
        return str(self.call("POST", f"organizations/{organization_id}/rotate_key", {"key": key})["key"])


class CredlyProcess(CredlyControl):
    """``with CredlyProcess("--webhooks") as credly:`` starts ``python -m sandbox.credly`` and ends it afterwards."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.credly", *arguments], cwd=_ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None  # noqa: S101 - we asked for a pipe
        url = self._process.stdout.readline().strip()
        if not url:
            self.stop()
            raise ControlError(f"the simulator did not start: exit code {self._process.returncode}")
        super().__init__(url)

    def stop(self) -> int:
        """Stop it, wait, and return its exit code."""
        self._process.terminate()
        try:
            return self._process.wait(_STOP_SECONDS)
        finally:
            self._close()

    def kill(self) -> None:
        """Kill it, as a power failure would."""
        self._process.kill()
        self._process.wait()
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.stop()

    def _close(self) -> None:
        if self._process.stdout is not None:
            self._process.stdout.close()
