"""Which values of an event a requirement can count."""

from __future__ import annotations

from django.utils.translation import gettext as _

from badges_plugin import conf, events
from badges_plugin.data import EVENT_TIME, ValueKind
from badges_plugin.exceptions import UnusableEventType


def countable_key_paths(event_type: str) -> list[str]:
    """Return the key paths whose different values can be counted; none of an event type that cannot be used."""
    try:
        kinds = events.key_paths(event_type, conf.config().ignored_keypaths)
    except UnusableEventType:
        return []
    return [path for path, kind in kinds.items() if kind is not ValueKind.LIST and path != EVENT_TIME]


def reason_against_counting(event_type: str, key_path: str) -> str:
    """Return, in a sentence for staff, why the values at a key path cannot be counted; empty when they can."""
    if key_path == EVENT_TIME:
        return _("The time differs in every event. Leave this empty to count each event.")
    if key_path in countable_key_paths(event_type):
        return ""
    text = _("The values at “%(key_path)s” cannot be counted in events of type %(event_type)s.")
    return text % {"key_path": key_path, "event_type": event_type}
