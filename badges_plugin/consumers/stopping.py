"""A stop signal is a request: the event in work is finished, or left unacknowledged, and then the consumer closes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Whether somebody asked this process to stop; call it to know."""

    def __init__(self) -> None:
        self._requested = False

    def __call__(self) -> bool:
        return self._requested

    def make(self) -> None:
        self._requested = True

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT make the request inside the block.

        Also when they were ignored before, as a shell does for what it starts in the background. Outside the
        main thread, where Python allows no handlers, the block runs without them.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = {number: signal.signal(number, self._handle) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        # No logging here: the handler may interrupt the logging of the very same thread.
        self._requested = True
