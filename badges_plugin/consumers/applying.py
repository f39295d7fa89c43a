"""What happens to one message: applied, or stored as failed, or neither, and then nobody acknowledges it."""

from __future__ import annotations

import time
from collections.abc import Callable

from edx_django_utils.cache import RequestCache
from edx_django_utils.monitoring import set_custom_attribute

from .. import api, database
from ..logs import get_logger
from ..redaction import describe, one_line
from . import failures
from .config import ConsumerConfig
from .message import LONGEST_HEADER, DecodedEvent, Message
from .patience import Patience
from .problems import CannotGoOn, DecodingUnavailable, ReceiversFailed, Stopped
from .reports import redacted_reports
from .stopping import StopRequest

logger = get_logger(__name__)


class Applier:
    """Applies messages one after the other, for a consumer that acknowledges each afterwards."""

    def __init__(self, config: ConsumerConfig, stop: StopRequest) -> None:
        self._unheard: set[str] = set()
        self._patience = Patience(
            limit=config.patience,
            max_pause=config.max_backoff,
            is_passing=_will_pass,
            refresh=database.refresh_connections,
            stop=stop,
        )

    def apply_or_store(self, message: Message, *, while_waiting: Callable[[], None] = lambda: None) -> bool:
        """
        Return True when ``message`` was applied, False when it was stored; both are to be acknowledged.

        ``while_waiting`` keeps the consumer's claim on the message alive during pauses. Raises CannotGoOn or
        Stopped when it was neither, and must not be acknowledged.
        """
        started = time.monotonic()
        decoded: DecodedEvent | None = None

        def apply() -> None:
            nonlocal decoded
            decoded = decoded or message.decode()
            try:
                heard = send(decoded)
            except SystemExit as error:
                # It would end the consumer, perhaps with exit code 0, at each delivery.
                raise ReceiversFailed({"a receiver": error}) from error
            if not heard:
                self._warn_once(message.event_type)

        RequestCache.clear_all_namespaces()
        set_custom_attribute("badges_event_id", one_line(message.event_id, LONGEST_HEADER))
        set_custom_attribute("badges_event_type", one_line(message.event_type, LONGEST_HEADER))
        try:
            self._patience.run(apply, f"Applying {message}", while_waiting=while_waiting)
        except (CannotGoOn, Stopped):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the event is kept and the next one's turn comes
            self._store(message, decoded, error, while_waiting)
            return False
        logger.info("Applied %s in %.0f ms", message, (time.monotonic() - started) * 1000)
        return True

    def _warn_once(self, event_type: str) -> None:
        if event_type not in self._unheard:
            self._unheard.add(event_type)
            logger.warning(
                "Nothing here receives events of type %s: they are acknowledged without effect. Is BADGES_ENABLED on?",
                event_type,
            )

    def _store(
        self, message: Message, decoded: DecodedEvent | None, error: Exception, while_waiting: Callable[[], None]
    ) -> None:
        try:
            self._patience.run(
                lambda: failures.store(message, decoded, error), f"Storing {message}", while_waiting=while_waiting
            )
        except (CannotGoOn, Stopped):
            raise
        except Exception as second:
            raise CannotGoOn(f"{message} failed with {describe(error)} and cannot be stored either") from second
        set_custom_attribute("badges_event_failed", True)
        logger.error("Stored %s as a failed event: %s", message, describe(error))


def announce_what_was_left(stop: StopRequest) -> None:
    """
    Announce the awards that a process committed and did not live to announce.

    Done once, when a consumer starts. It stands back behind the events: what goes wrong here is logged and left
    to the next start.
    """
    try:
        while not stop() and api.announce_pending():
            pass
    except Exception as error:  # noqa: BLE001 - events must flow all the same
        logger.error("Announcing what was left failed: %s", describe(error))
    finally:
        # The first event may be hours away, and by then the server has closed the connection.
        database.refresh_connections()


def send(event: DecodedEvent) -> int:
    """Send the event to every receiver; return how many there were. Raises ReceiversFailed if any of them raised."""
    with redacted_reports():
        try:
            results = event.signal.send_event_with_custom_metadata(event.metadata, **event.data)
        except Exception as error:  # openedx-events itself refuses the event, or DEBUG is on: the first one raises
            raise ReceiversFailed({"a receiver": error}) from error
    errors = {_name(receiver): result for receiver, result in results if isinstance(result, BaseException)}
    if errors:
        failure = ReceiversFailed(errors)
        raise failure from next(iter(errors.values()))
    return len(results)


def _will_pass(error: BaseException) -> bool:
    if isinstance(error, DecodingUnavailable):
        return True
    if isinstance(error, ReceiversFailed):
        return any(database.is_passing(each) for each in error.errors.values())
    return database.is_passing(error)


def _name(receiver: object) -> str:
    return f"{getattr(receiver, '__module__', '?')}.{getattr(receiver, '__qualname__', '?')}"
