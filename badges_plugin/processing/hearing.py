"""Tell the badges that need other badges what became of these: after the commit, before the public events are sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from badges_plugin.data import BadgingEvent
from badges_plugin.logs import get_logger
from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.processing.badge_events import SIGNALS, Kind, badge_event_of
from badges_plugin.redaction import describe_with_traceback
from badges_plugin.ruleset import Ruleset
from badges_plugin.signals import badge_event, badge_events

logger = get_logger(__name__)

Unpublished = tuple[BadgeAward, Kind]
"""An award, and which of its public events is still to be sent."""


def tell(sequences: Iterable[Sequence[Unpublished]], ruleset: Ruleset | None = None) -> list[Sequence[Unpublished]]:
    """Tell what is unpublished of badges; return those of which all is heard, or of which there is nothing to hear.

    All of it is heard before any of it is published: while the bus is away, a revocation is not. ``ruleset``: one that
    is known to be current, by which nobody is told of what matters to no badge. What is heard again changes nothing.
    The awards are committed: what goes wrong is logged, and they are due again.
    """
    news = [(sequence, _news(sequence, ruleset)) for sequence in sequences]
    together = [event for _, events in news for event in events or ()]
    if len(together) > 1 and _try(together) is None:
        return [sequence for sequence, events in news if events is not None]
    # One by one, so that one that cannot be told of does not hold up the others.
    return [
        sequence
        for sequence, events in news
        if events is not None and all(_is_told(sequence[0][0], event) for event in events)
    ]


def _news(sequence: Sequence[Unpublished], ruleset: Ruleset | None) -> list[BadgingEvent] | None:
    """Return what is to be told of one badge, in order; None if it cannot even be described."""
    try:
        events = [
            badge_event_of(award, kind)
            for award, kind in sequence
            if ruleset is None or ruleset.hears(SIGNALS[kind].event_type)
        ]
    except Exception as error:  # noqa: BLE001 - whoever awarded has done so
        _report(sequence[0][0], error)
        return None
    return [event for event in events if ruleset is None or ruleset.match(event)]


def _is_told(award: BadgeAward, event: BadgingEvent) -> bool:
    error = _try([event])
    if error is not None:
        _report(award, error)
    return error is None


def _try(events: list[BadgingEvent]) -> Exception | None:
    try:
        for event in events:
            badge_event.send(sender=BadgeTemplate, event=event)
        badge_events.send(sender=BadgeTemplate, events=events)
    except Exception as error:  # noqa: BLE001 - whoever awarded has done so
        return error
    return None


def _report(award: BadgeAward, error: Exception) -> None:
    logger.error(
        "Badges that need another one could not be told of award %s yet: %s", award.pk, describe_with_traceback(error)
    )
