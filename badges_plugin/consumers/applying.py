"""Apply messages one by one; store those that fail, so that each message that was handled can be acknowledged."""

from __future__ import annotations

import time
from collections.abc import Callable

from edx_django_utils.cache import RequestCache
from edx_django_utils.monitoring import set_custom_attribute

from badges_plugin import api, database, dispatch, receiving
from badges_plugin.consumers import storing
from badges_plugin.consumers.config import ConsumerConfig
from badges_plugin.consumers.exceptions import CannotGoOn, DecodingUnavailable, ReceiversFailed, Stopped
from badges_plugin.consumers.message import MAX_HEADER_LENGTH, DecodedEvent, Message
from badges_plugin.consumers.retrying import Retrying
from badges_plugin.consumers.running import StopRequest
from badges_plugin.logs import Deferrals, get_logger
from badges_plugin.redaction import describe, one_line

logger = get_logger(__name__)


def receive(event: DecodedEvent) -> bool:
    """Apply the event. Returns False when our receiver is not connected to its type.

    Raises ReceiversFailed with the error, or with the DeferredEvent of an event that can be applied later.
    """
    if not dispatch.is_connected(event.signal):
        return False
    try:
        receiving.receive(event.signal, event.metadata, event.data)
    except (Exception, SystemExit) as error:
        # SystemExit would end the consumer at each delivery, perhaps with exit code 0.
        raise ReceiversFailed({dispatch.receiver_name(receiving.receive): error}) from error
    return True


class Applier:
    """Applies messages one after the other, for a consumer that acknowledges each of them afterwards.

    ``receive`` applies an event and returns whether it did; it is called again after a transient error. Then the event
    is sent once to the receivers of other apps, whose errors do not affect ours.
    """

    def __init__(
        self, config: ConsumerConfig, stop: StopRequest, *, receive: Callable[[DecodedEvent], bool] = receive
    ) -> None:
        self._receive = receive
        self._unreceived: set[str] = set()
        self._deferrals = Deferrals()
        self._retrying = Retrying(
            limit=config.patience,
            max_pause=config.max_backoff,
            is_transient=_is_transient,
            refresh=database.refresh_connections,
            stop=stop,
        )

    def apply_or_store(self, message: Message, *, while_waiting: Callable[[], None] = lambda: None) -> bool:
        """Return True when ``message`` was applied, False when it was stored; acknowledge it in both cases.

        .. custom_attribute_name: badges_event_failed
        .. custom_attribute_description: True when the event was not applied and is stored as a failed event.
        .. custom_attribute_name: badges_event_deferred
        .. custom_attribute_description: Why the event was stored to be applied later: "future", "name_taken",
            "unknown_learner".

        ``while_waiting`` keeps the consumer's claim on the message alive during pauses. Raises CannotGoOn or
        Stopped when the message was neither applied nor stored and must not be acknowledged.
        """
        started = time.monotonic()
        decoded: DecodedEvent | None = None

        def apply() -> None:
            nonlocal decoded
            decoded = decoded or message.decode()
            if not self._receive(decoded) and not decoded.signal.receivers:
                self._warn_once(message.event_type)

        RequestCache.clear_all_namespaces()
        set_custom_attribute("badges_event_id", one_line(message.event_id, MAX_HEADER_LENGTH))
        set_custom_attribute("badges_event_type", one_line(message.event_type, MAX_HEADER_LENGTH))
        try:
            self._retrying.run(apply, f"Applying {message}", while_waiting=while_waiting)
        except (CannotGoOn, Stopped):
            raise
        except Exception as error:  # noqa: BLE001 - whatever the error, the event is kept and the next one is processed
            self._store(message, decoded, error, while_waiting)
            _tell_others(decoded)
            return False
        _tell_others(decoded)
        logger.info("Applied %s in %.0f ms", message, (time.monotonic() - started) * 1000)
        return True

    def _warn_once(self, event_type: str) -> None:
        if event_type not in self._unreceived:
            self._unreceived.add(event_type)
            logger.warning(
                "Nothing here receives events of type %s: they are acknowledged without effect. Is BADGES_ENABLED on?",
                event_type,
            )

    def _store(
        self, message: Message, decoded: DecodedEvent | None, error: Exception, while_waiting: Callable[[], None]
    ) -> None:
        try:
            self._retrying.run(
                lambda: storing.store(message, decoded, error), f"Storing {message}", while_waiting=while_waiting
            )
        except (CannotGoOn, Stopped):
            raise
        except Exception as second:
            raise CannotGoOn(f"{message} failed with {describe(error)} and cannot be stored") from second
        set_custom_attribute("badges_event_failed", True)
        if deferred := storing.deferral(error):
            set_custom_attribute("badges_event_deferred", deferred.cause.value)
            self._deferrals.report(deferred, message)
            return
        logger.error("Stored %s as a failed event: %s", message, describe(error))


def publish_leftovers(stop: StopRequest) -> None:
    """Publish awards and revocations that an earlier process committed but did not publish.

    Called once, when a consumer starts. An error is logged and left to the next start: consuming is more important.
    """
    try:
        while not stop() and api.publish_pending():
            pass
    except Exception as error:  # noqa: BLE001 - events must be consumed all the same
        logger.error("Publishing earlier awards and revocations failed: %s", describe(error))
    finally:
        # The first event may be hours away; by then the server has closed the connection.
        database.refresh_connections()


def _tell_others(event: DecodedEvent | None) -> None:
    """Send the event to the receivers of other apps, after ours.

    An event that could be neither applied nor stored comes again; so far they have not received it.
    """
    if event is not None:
        dispatch.tell_others(event.signal, event.metadata, event.data)


def _is_transient(error: BaseException) -> bool:
    if isinstance(error, DecodingUnavailable):
        return True
    if isinstance(error, ReceiversFailed):
        return any(database.is_transient(each) for each in error.errors.values())
    return database.is_transient(error)
