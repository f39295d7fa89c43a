"""Run a consumer until it is asked to stop, the same way for both buses."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from django.core.exceptions import ImproperlyConfigured

from badges_plugin.consumers.exceptions import CannotGoOn, Stopped, UnusableOption
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe_with_traceback

logger = get_logger(__name__)

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# consume_events turns every Exception into exit code 0, which a supervisor takes for success.
FAILURE = 1


class StopRequest:
    """A request to stop this process; call it to know whether it was made.

    The current batch is finished, or left unacknowledged, before the consumer closes.
    """

    def __init__(self) -> None:
        self._requested = False

    def __call__(self) -> bool:
        return self._requested

    def make(self) -> None:
        self._requested = True

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT make the request inside the block.

        This holds even if they were ignored before, as a shell does for background processes. Outside the main
        thread, where Python allows no handlers, the block runs without them.
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


def run_until_stopped(
    consume: Callable[[], None], stop: StopRequest, extra: Mapping[str, object], *, accepted: Collection[str]
) -> None:
    """Run ``consume`` until a stop signal; return after a clean end.

    ``extra`` holds the options that consume_events was given with --extra, ``accepted`` the ones the consumer knows.
    Raises SystemExit with a code other than 0 when it cannot start or continue; the log says why and names no learner.
    """
    unknown = sorted(set(extra) - set(accepted))
    if unknown:
        known = ", ".join(sorted(accepted)) or "no options"
        logger.critical("Unknown options in --extra: %s. This consumer accepts %s.", ", ".join(unknown), known)
        raise SystemExit(FAILURE)
    try:
        with stop.on_signals():
            consume()
    except Stopped as stopped:
        logger.warning("%s; events that are not acknowledged will be delivered again.", stopped)
    except UnusableOption as error:
        logger.critical("Invalid option in --extra: %s", error)
        raise SystemExit(FAILURE) from error
    except (CannotGoOn, ImproperlyConfigured, ImportError) as error:
        logger.critical("Stopping; the current events are not acknowledged: %s", error)
        raise SystemExit(FAILURE) from error
    except Exception as error:
        logger.critical("Stopping; the current events are not acknowledged: %s", describe_with_traceback(error))
        raise SystemExit(FAILURE) from error
