"""Get a consumer's process ready for its first event."""

from __future__ import annotations

from badges_plugin import api, database, garbage
from badges_plugin.consumers.running import StopRequest
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe
from badges_plugin.ruleset import current_ruleset

logger = get_logger(__name__)


def get_ready(stop: StopRequest) -> None:
    """Publish what an earlier process left, compile the ruleset, and tune the garbage collector. Called once.

    An error is logged: consuming is more important, and waits for the database itself.
    """
    try:
        _publish_leftovers(stop)
        if not stop():
            _compile()
    finally:
        # The first event may be hours away; by then the server has closed the connection.
        database.refresh_connections()
    garbage.collect_rarely()


def _publish_leftovers(stop: StopRequest) -> None:
    """Publish awards and revocations that an earlier process committed but did not publish."""
    try:
        while not stop() and api.publish_pending():
            pass
    except Exception as error:  # noqa: BLE001 - left to the next start
        logger.error("Publishing earlier awards and revocations failed: %s", describe(error))


def _compile() -> None:
    try:
        current_ruleset()
    except Exception as error:  # noqa: BLE001 - the first event compiles it
        logger.error("Compiling the badges failed: %s", describe(error))
