"""The optional state file of a simulator that runs as a process.

One JSON line per change, ``{"kind": ..., "record": {...}}``; the last line of a record wins. Appending keeps the cost
of a change independent of the number of badges, and what was written survives a killed simulator: a torn last line is
dropped.
"""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from sandbox.credly.records import Json


class StateFile:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: IO[str] | None = None
        self._lock = threading.Lock()

    def lines(self) -> Iterator[tuple[str, Json]]:
        """Yield every stored (kind, record), oldest first."""
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8") as stream:
            for line in stream:
                if line.endswith("\n"):
                    entry = json.loads(line)
                    yield entry["kind"], entry["record"]

    def append(self, kind: str, record: Json) -> None:
        with self._lock:
            if self._stream is None:
                self._drop_torn_line()
                self._stream = self._path.open("a", encoding="utf-8")
            self._stream.write(json.dumps({"kind": kind, "record": record}) + "\n")
            self._stream.flush()

    def clear(self) -> None:
        self.close()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file. The next append opens it again."""
        with self._lock:
            if self._stream is not None:
                self._stream.close()
                self._stream = None

    def _drop_torn_line(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("rb+") as stream:
            content = stream.read()
            stream.truncate(content.rfind(b"\n") + 1)
