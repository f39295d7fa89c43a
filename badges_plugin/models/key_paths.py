"""What rules and counts can use of the events of a type."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from badges_plugin import conf, events
from badges_plugin.criteria import MAX_COUNT
from badges_plugin.data import EVENT_TIME, ValueKind
from badges_plugin.exceptions import InvalidRule, UnusableEventType
from badges_plugin.models.validity import RuleText
from badges_plugin.rules import Rule, compile_rule


def compile_for(event_type: str, rule: RuleText) -> Rule:
    """Compile a stored rule for events of a type.

    Raises InvalidRule when the key path does not exist in such events or is ignored by configuration, or when
    operator or value do not fit; UnusableEventType when there is no such event type.
    """
    return compile_among(usable_kinds(event_type), event_type, rule)


def usable_kinds(event_type: str) -> Mapping[str, ValueKind]:
    """Return the key paths that rules can use. Raises UnusableEventType when there is no such event type."""
    return events.key_paths(event_type, conf.config().ignored_keypaths)


def compile_among(kinds: Mapping[str, ValueKind], event_type: str, rule: RuleText) -> Rule:
    """Compile a rule for events of a type, given what ``usable_kinds`` returns for it. Raises InvalidRule."""
    kind = kinds.get(rule.key_path)
    if kind is None:
        raise InvalidRule(
            _("Events of type %(event_type)s have no usable value at “%(key_path)s”.")
            % {"event_type": event_type, "key_path": rule.key_path}
        )
    return compile_rule(rule.key_path, rule.operator, rule.value, kind)


def countable_key_paths(event_type: str) -> list[str]:
    """Return the key paths whose different values can be counted; none of an event type that cannot be used."""
    try:
        kinds = usable_kinds(event_type)
    except UnusableEventType:
        return []
    return [path for path, kind in kinds.items() if kind is not ValueKind.LIST and path != EVENT_TIME]


def check_counted_by(event_type: str, key_path: str) -> None:
    """Raise InvalidRule, with a sentence for staff, when a key path, if there is one, cannot be counted."""
    if key_path == EVENT_TIME:
        raise InvalidRule(_("The time differs in every event. Leave this empty to count each event."))
    if key_path and key_path not in countable_key_paths(event_type):
        text = _("The values at “%(key_path)s” cannot be counted in events of type %(event_type)s.")
        raise InvalidRule(text % {"key_path": key_path, "event_type": event_type})


def refuse_uncountable(event_type: str, count: int, counted_by: str) -> None:
    """Raise ValidationError, naming the field, for a count that cannot work."""
    if not 1 <= count <= MAX_COUNT:
        raise ValidationError({"count": _("The count must be between 1 and %d.") % MAX_COUNT})
    try:
        check_counted_by(event_type, counted_by)
    except InvalidRule as error:
        raise ValidationError({"counted_by": str(error)}) from error
