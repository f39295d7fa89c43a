"""Tell the log and the monitoring what became of a batch."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from edx_django_utils.monitoring import set_custom_attribute

from badges_plugin.api import Outcome
from badges_plugin.consumers.handled import Handled, deferral, is_ignored
from badges_plugin.consumers.message import MAX_HEADER_LENGTH
from badges_plugin.logs import Deferrals, get_logger
from badges_plugin.redaction import describe, one_line

logger = get_logger(__name__)

IGNORED, NOT_RECEIVED, DEFERRED, FAILED = "ignored", "not received", "deferred", "failed"
_SAID_OF_EACH = (NOT_RECEIVED, DEFERRED, FAILED)


class Reports:
    """Reports batches; what would be said again and again is said once, or once in a while."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        """How many events had which outcome since this process started, but for those that others have taken off."""
        self._unreceived: set[str] = set()
        self._deferrals = Deferrals()

    def report(self, batch: Sequence[Handled], seconds: float) -> str:
        """Report a batch that took so long; return what became of its events, "97 unmatched, 2 applied, 1 failed".

        Each event that was stored is logged, and with DEBUG every event.
        """
        words = [_word(one) for one in batch]
        counts = Counter(words)
        self.counts.update(counts)
        outcomes = ", ".join(f"{count} {word}" for word, count in counts.most_common())
        # Most batches have nothing to say of any one event.
        is_verbose = logger.isEnabledFor(logging.DEBUG)
        if is_verbose or not counts.keys().isdisjoint(_SAID_OF_EACH):
            for one, word in zip(batch, words, strict=True):
                if is_verbose:
                    logger.debug("Handled %s: %s", one.message, word)
                self._report_one(one)
        _monitor(batch, seconds, outcomes)
        return outcomes

    def _report_one(self, one: Handled) -> None:
        if one.error is not None:
            if deferred := deferral(one.error):
                self._deferrals.report(deferred, one.message)
            else:
                logger.error("Stored %s as a failed event: %s", one.message, describe(one.error))
        elif one.result is None and one.decoded is not None and not one.decoded.signal.receivers:
            self._warn_once(one.message.event_type)

    def _warn_once(self, event_type: str) -> None:
        if event_type not in self._unreceived:
            self._unreceived.add(event_type)
            logger.warning(
                "Nothing here receives events of type %s: they are acknowledged without effect. Is BADGES_ENABLED on?",
                event_type,
            )


def _monitor(batch: Sequence[Handled], seconds: float, outcomes: str) -> None:
    """Set the attributes of a batch.

    .. custom_attribute_name: badges_batch_size
    .. custom_attribute_description: Number of events that a consumer applied together.
    .. custom_attribute_name: badges_batch_milliseconds
    .. custom_attribute_description: How long that took.
    .. custom_attribute_name: badges_batch_outcomes
    .. custom_attribute_description: What became of them, such as "97 unmatched, 2 applied, 1 failed".
    .. custom_attribute_name: badges_event_id
    .. custom_attribute_description: Id of the first event.
    .. custom_attribute_name: badges_event_type
    .. custom_attribute_description: Its type.
    .. custom_attribute_name: badges_event_failed
    .. custom_attribute_description: True when an event was not applied and is stored as a failed event.
    .. custom_attribute_name: badges_event_deferred
    .. custom_attribute_description: Why an event was stored to be applied later: "future", "name_taken",
        "unknown_learner".
    """
    set_custom_attribute("badges_batch_size", len(batch))
    set_custom_attribute("badges_batch_milliseconds", round(seconds * 1000))
    set_custom_attribute("badges_batch_outcomes", outcomes)
    set_custom_attribute("badges_event_id", one_line(batch[0].message.event_id, MAX_HEADER_LENGTH))
    set_custom_attribute("badges_event_type", one_line(batch[0].message.event_type, MAX_HEADER_LENGTH))
    errors = [one.error for one in batch if one.error is not None]
    if errors:
        set_custom_attribute("badges_event_failed", True)
    for deferred in filter(None, map(deferral, errors)):
        set_custom_attribute("badges_event_deferred", deferred.cause.value)


def _word(one: Handled) -> str:
    """Return what became of a message, in one or two words."""
    if isinstance(one.result, Outcome):
        return one.result.value
    if one.result is None:
        return NOT_RECEIVED
    if is_ignored(one.result):
        return IGNORED
    return DEFERRED if deferral(one.result) else FAILED
