"""Apply batches of messages; store those that fail, so that each message that was handled can be acknowledged."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from edx_django_utils.cache import RequestCache
from edx_django_utils.monitoring import function_trace

from badges_plugin import database, dispatch, heartbeat, receiving
from badges_plugin.api import Outcome
from badges_plugin.consumers import storing
from badges_plugin.consumers.config import ConsumerConfig
from badges_plugin.consumers.dividing import apply_divided
from badges_plugin.consumers.exceptions import CannotGoOn, DecodingUnavailable, ReceiversFailed, Stopped
from badges_plugin.consumers.handled import Handled, Result, is_ignored
from badges_plugin.consumers.message import DecodedEvent, Message
from badges_plugin.consumers.reporting import Reports
from badges_plugin.consumers.retrying import Patience, Retrying
from badges_plugin.consumers.running import StopRequest
from badges_plugin.consumers.sizing import BatchSize
from badges_plugin.data import BadgingEvent
from badges_plugin.exceptions import blamed
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe

logger = get_logger(__name__)

KEEP_SECONDS = 1.0
"""How often a claim on messages is kept alive while they are handled."""


def receive(events: Sequence[DecodedEvent]) -> list[Result]:
    """Apply events in order; return what became of each: None where our receiver is not connected to its type.

    An exception is ReceiversFailed, with the error or the DeferredEvent, or an IgnoredEvent, which is logged already.
    Raises ReceiversFailed when some events were not applied: the same ones, or parts of them, can be given again.
    """
    connected = {signal for signal in {event.signal for event in events} if dispatch.is_connected(signal)}
    ours = [event for event in events if event.signal in connected]
    try:
        outcomes = iter(receiving.receive_batch(ours))
    except (Exception, SystemExit) as error:
        # SystemExit would end the consumer at each delivery, perhaps with exit code 0.
        raise _failed(error) from error
    return [_result(next(outcomes)) if event.signal in connected else None for event in events]


def _result(outcome: Outcome | Exception) -> Result:
    return _failed(outcome) if isinstance(outcome, Exception) and not is_ignored(outcome) else outcome


class Applier:
    """Applies batches of messages one after the other, for a consumer that acknowledges them afterwards.

    ``receive`` applies events and returns what became of each; it is called again after a transient error, and with
    parts of them after any other. Then each event is sent once to the receivers of other apps, whose errors do not
    affect ours.
    """

    def __init__(
        self,
        config: ConsumerConfig,
        stop: StopRequest,
        *,
        receive: Callable[[Sequence[DecodedEvent]], Sequence[Result]] = receive,
    ) -> None:
        self._receive = receive
        self._size = BatchSize(config.batch_size)
        self._reports = Reports()
        self._retrying = Retrying(
            limit=config.patience,
            max_pause=config.max_backoff,
            is_transient=_is_transient,
            refresh=database.refresh_connections,
            stop=stop,
        )

    @property
    def batch_size(self) -> int:
        """How many messages the next batch may have."""
        return self._size.current

    @property
    def counts(self) -> Counter[str]:
        """How many events had which outcome; who passes it on takes it off."""
        return self._reports.counts

    def apply_or_store(
        self, messages: Sequence[Message], *, while_waiting: Callable[[], None] = lambda: None
    ) -> list[bool]:
        """Apply a batch; return for each of its messages whether it was applied, or else stored. Acknowledge them all.

        There are fewer results than messages when one cannot be decoded for the time being: acknowledge those before
        it, then call this again with the rest, to wait for it.

        ``while_waiting`` keeps the consumer's claim on the messages alive. Raises CannotGoOn or Stopped when messages
        were neither applied nor stored; then none of them must be acknowledged.
        """
        if not messages:
            return []
        with function_trace("badges.apply_batch"):
            return self._apply_or_store(messages, while_waiting)

    def _apply_or_store(self, messages: Sequence[Message], while_waiting: Callable[[], None]) -> list[bool]:
        started = time.monotonic()
        RequestCache.clear_all_namespaces()
        work = _Work(self._retrying, while_waiting, started)
        batch = work.decode(messages)
        was_divided = work.apply(batch, self._receive)
        work.store([one for one in batch if one.error is not None])
        work.tell_others([one.decoded for one in batch if one.decoded is not None])
        seconds = time.monotonic() - started
        self._size.took(len(batch), seconds, was_divided=was_divided)
        outcomes = self._reports.report(batch, seconds)
        logger.info("Applied %d events in %.0f ms: %s", len(batch), seconds * 1000, outcomes)
        return [one.error is None for one in batch]


class _Work:
    """The steps of applying one batch, which share the time that it may wait."""

    def __init__(self, retrying: Retrying, while_waiting: Callable[[], None], now: float) -> None:
        self._run = partial(retrying.run, patience=Patience(retrying.limit), while_waiting=while_waiting)
        self._keep = while_waiting
        self._kept_at = now

    def keep(self) -> None:
        """Show that the consumer is alive, and keep its claim on the batch, if it is time."""
        now = time.monotonic()
        if now > self._kept_at + KEEP_SECONDS:
            self._kept_at = now
            heartbeat.beat()
            self._keep()

    def decode(self, messages: Sequence[Message]) -> list[Handled]:
        """Decode the leading messages, waiting for the first if need be, but for no other."""
        batch: list[Handled] = []
        for message in messages:
            try:
                decoded = message.decode() if batch else self._run(message.decode, f"Decoding {message}")
            except (CannotGoOn, Stopped):
                raise
            except Exception as error:  # noqa: BLE001 - whatever the error, the message is kept, and so are the others
                if _is_transient(error):
                    break
                batch.append(Handled(message, result=error))
            else:
                batch.append(Handled(message, decoded))
        return batch

    def apply(self, batch: Sequence[Handled], receive: Callable[[Sequence[DecodedEvent]], Sequence[Result]]) -> bool:
        """Apply what was decoded and note what became of it; divide the batch where something fails.

        Returns whether it was divided.
        """
        parts = 0

        def attempt(part: Sequence[Handled]) -> Sequence[Result]:
            nonlocal parts
            parts += 1
            self.keep()
            events = [one.decoded for one in part if one.decoded is not None]
            return self._run(lambda: receive(events), f"Applying {_names(part)}")

        decoded = [one for one in batch if one.decoded is not None]
        for one, result in zip(
            decoded,
            apply_divided(decoded, attempt, let_through=(CannotGoOn, Stopped), suspect=_suspect),
            strict=True,
        ):
            one.result = result
        return parts > 1

    def store(self, failed: Sequence[Handled]) -> None:
        """Store all of them. Raises CannotGoOn if one cannot be."""
        if not failed:
            return
        self.keep()
        try:
            self._run(lambda: storing.store_all(failed), f"Storing {_names(failed)}")
        except (CannotGoOn, Stopped):
            raise
        except Exception as second:
            if len(failed) == 1:
                why = describe(failed[0].error) if failed[0].error else ""
                raise CannotGoOn(f"{failed[0].message} failed with {why} and cannot be stored") from second
            for one in failed:
                self.store([one])

    def tell_others(self, events: Sequence[DecodedEvent]) -> None:
        """Send each event to the receivers of other apps, after ours.

        An event that could be neither applied nor stored comes again; so far they have not received it.
        """
        told = {signal for signal in {event.signal for event in events} if dispatch.has_others(signal)}
        for event in events if told else ():
            if event.signal in told:
                RequestCache.clear_all_namespaces()
                dispatch.tell_others(event.signal, event.metadata, event.data)
                self.keep()


def _failed(error: BaseException) -> ReceiversFailed:
    failed = ReceiversFailed({dispatch.receiver_name(receiving.receive): error})
    failed.__cause__ = error
    return failed


def _suspect(error: Exception, part: Sequence[Handled]) -> int | None:
    """Return the place of the event whose learner the host's code refused, if the error is about one."""
    errors = error.errors.values() if isinstance(error, ReceiversFailed) else (error,)
    username = next(filter(None, map(blamed, errors)), "")
    if not username:
        return None
    named = (number for number, one in enumerate(part) if one.decoded and _username(one.decoded) == username)
    return next(named, None)


def _username(event: DecodedEvent) -> str | None:
    # Whatever is wrong with an event that cannot be read, it is not what the error is about.
    return event.read.learner.username if isinstance(event.read, BadgingEvent) else None


def _names(part: Sequence[Handled]) -> str:
    """Return which messages these are, for the log."""
    return f"{part[0].message}" + (f" and {len(part) - 1} more" if len(part) > 1 else "")


def _is_transient(error: BaseException) -> bool:
    if isinstance(error, DecodingUnavailable):
        return True
    if isinstance(error, ReceiversFailed):
        return any(database.is_transient(each) for each in error.errors.values())
    return database.is_transient(error)
