"""Get a consumer's process ready for its first event."""

from __future__ import annotations

import gc

from badges_plugin import api, database
from badges_plugin.consumers.running import StopRequest
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe
from badges_plugin.ruleset import current_ruleset

logger = get_logger(__name__)

OBJECTS_BETWEEN_COLLECTIONS = 10_000
"""A batch makes some ten thousand objects, all of which end with it: looking for garbage each 700 finds none."""


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
    _spare_collections()


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


def _spare_collections() -> None:
    """Keep the garbage collector from looking at what stays, such as the ruleset, and from running all the time."""
    gc.collect()
    gc.freeze()
    youngest, *older = gc.get_threshold()
    if youngest:  # 0 turns it off
        gc.set_threshold(max(youngest, OBJECTS_BETWEEN_COLLECTIONS), *older)
