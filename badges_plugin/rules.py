"""Data rules: does the value at a key path satisfy an operator? Pure; knows neither the database nor events.

A rule is compiled once, when it is saved or when the ruleset is built, and evaluated for every event. All that
can be wrong with a rule is found when it is compiled; a compiled rule never raises. A value that is absent or
null, or that is not of the kind the event's data class promises, makes any rule false, "not equal" included:
what an event does not say is no reason to award anything.
"""

from __future__ import annotations

import enum
import fnmatch
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.utils.translation import gettext as _

from badges_plugin.data import ValueKind, resolve
from badges_plugin.exceptions import InvalidRule
from badges_plugin.times import site_midnight


class Operator(enum.StrEnum):
    """The comparisons that staff can choose. The values are stored; never change one."""

    EQUAL = "eq"
    NOT_EQUAL = "ne"
    GREATER = "gt"
    GREATER_OR_EQUAL = "gte"
    LESS = "lt"
    LESS_OR_EQUAL = "lte"
    ONE_OF = "in"
    CONTAINS = "contains"
    STARTS_WITH = "startswith"
    MATCHES = "glob"


Predicate = Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled rule. ``equal_to`` holds the only values that can satisfy it, where that set is known."""

    key_path: str
    kind: ValueKind
    operator: Operator
    wanted: object
    """What values are compared with, as it was read: of "one of" a frozenset."""
    predicate: Predicate
    equal_to: frozenset[object] | None = None

    @property
    def canonical(self) -> tuple[str, ...]:
        """Return a form in which rules that mean the same are equal, however they were written.

        It is stored, as a part of a fingerprint: another form would make everything look changed.
        """
        if self.equal_to is not None:  # "one of" a single value is "equal to" it
            return (self.key_path, Operator.ONE_OF.value, *sorted(_written(value) for value in self.equal_to))
        return (self.key_path, self.operator.value, _written(self.wanted))

    def matches(self, payload: object) -> bool:
        """Whether the payload satisfies the rule; false when the key path is absent or null."""
        value = resolve(payload, self.key_path)
        return value is not None and self.predicate(value)


def compile_rule(key_path: str, operator: str, value: str, kind: ValueKind) -> Rule:
    """Compile a rule for values of a kind.

    Raises InvalidRule, with a sentence for the person who wrote the rule, when the operator does not exist or
    does not fit the kind, or when the value cannot be read as the kind.
    """
    try:
        chosen = Operator(operator)
    except ValueError:
        raise InvalidRule(_("There is no operator “%s”.") % operator) from None
    if chosen not in OPERATORS[kind]:
        names = ", ".join(item.value for item in OPERATORS[kind])
        raise InvalidRule(
            _("Operator “%(operator)s” cannot compare a %(kind)s; use one of: %(names)s.")
            % {"operator": chosen.value, "kind": kind.value, "names": names}
        )
    if chosen is Operator.ONE_OF:
        return _compile_one_of(key_path, value, kind)
    if chosen in _ORDERINGS:
        return _compile_ordering(key_path, chosen, value, kind)
    if chosen in _TEXT_PATTERNS:
        text = _read_text(value)
        found = _list_contains(text) if kind is ValueKind.LIST else _on(as_text, _TEXT_PATTERNS[chosen](text))
        return Rule(key_path, kind, chosen, text, found)
    return _compile_equality(key_path, chosen, value, kind)


def read_value(value: str, kind: ValueKind) -> object:
    """Return what "equal to" compares with, as ``compile_rule`` would read it. Raises InvalidRule."""
    return _READ[kind](value)


def as_comparable(value: object, kind: ValueKind) -> object:
    """Return a payload's value in the form it is compared in, or None when it is not of the kind."""
    return _AS[kind](value)


def as_text(value: object) -> str | None:
    """Text as it is; opaque keys and UUIDs as their string form; nothing else is text."""
    if isinstance(value, str):
        return value
    return None if isinstance(value, bool | int | float | list | tuple | dict | date) else str(value)


def as_counted(value: object) -> str | None:
    """Return the form in which different values are told apart, or None for what cannot be counted."""
    if isinstance(value, datetime):
        return _written(_as_datetime(value))
    found = _written(value) if isinstance(value, bool | int | float | date) else as_text(value)
    return found or None


def _as_boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _as_number(value: object) -> float | int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return value if isinstance(value, float) and math.isfinite(value) else None


def _as_datetime(value: object) -> datetime | None:
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "1", "on"), True),
    **dict.fromkeys(("false", "no", "0", "off"), False),
}

_AS: dict[ValueKind, Callable[[object], object]] = {
    ValueKind.BOOLEAN: _as_boolean,
    ValueKind.NUMBER: _as_number,
    ValueKind.DATETIME: _as_datetime,
    ValueKind.TEXT: as_text,
    ValueKind.LIST: lambda value: value,
}


def boolean(text: str) -> bool | None:
    """Return what a person means by "true", "no", "1", "off" and the like, or None where that is not known."""
    return _BOOLEANS.get(text.strip().lower())


def _read_boolean(value: str) -> bool:
    meant = boolean(value)
    if meant is None:
        raise InvalidRule(_("“%s” is not a boolean: write true or false.") % value)
    return meant


def _read_number(value: str) -> float | int:
    number: float | int | None
    try:
        number = int(value.strip())
    except ValueError:
        number = _as_number(value.strip())
    if number is None:
        raise InvalidRule(_("“%s” is not a number.") % value)
    return number


def _read_datetime(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        raise InvalidRule(
            _("“%s” is not a date: write for example 2026-01-31 or 2026-01-31T12:00:00+00:00.") % value
        ) from None
    if moment.tzinfo is not None:
        return moment
    if moment.time() != time.min:
        raise InvalidRule(_("“%s” has no time zone: end it with Z or an offset such as +00:00.") % value)
    try:
        return site_midnight(moment.date())
    except OverflowError:
        raise InvalidRule(_("“%s” is too far away to be compared.") % value) from None


def _read_text(value: str) -> str:
    text = value.strip()
    if not text:
        raise InvalidRule(_("The value is empty."))
    return text


_READ: dict[ValueKind, Callable[[str], object]] = {
    ValueKind.BOOLEAN: _read_boolean,
    ValueKind.NUMBER: _read_number,
    ValueKind.DATETIME: _read_datetime,
    ValueKind.TEXT: _read_text,
}


def _compile_equality(key_path: str, operator: Operator, value: str, kind: ValueKind) -> Rule:
    wanted = read_value(value, kind)
    if operator is Operator.EQUAL:
        found = _on(_AS[kind], lambda found: found == wanted)
        return Rule(key_path, kind, operator, wanted, found, frozenset([wanted]))
    return Rule(key_path, kind, operator, wanted, _on(_AS[kind], lambda found: found != wanted))


def _compile_one_of(key_path: str, value: str, kind: ValueKind) -> Rule:
    separator = "\n" if "\n" in value.strip() else ","
    wanted = frozenset(_READ[kind](item) for item in value.split(separator) if item.strip())
    if not wanted:
        raise InvalidRule(_("The list of values is empty: write them one per line, or with commas between."))
    return Rule(key_path, kind, Operator.ONE_OF, wanted, _on(_AS[kind], lambda found: found in wanted), wanted)


def _compile_ordering(key_path: str, operator: Operator, value: str, kind: ValueKind) -> Rule:
    # Text has no order that staff would expect ("10" < "9"), yet grades travel as text: order it as numbers.
    ordered_as = ValueKind.NUMBER if kind is ValueKind.TEXT else kind
    wanted = _READ[ordered_as](value)
    compare = _ORDERINGS[operator]
    return Rule(key_path, kind, operator, wanted, _on(_AS[ordered_as], lambda found: compare(found, wanted)))


def _on(convert: Callable[[object], object], test: Callable[[object], bool]) -> Predicate:
    def predicate(value: object) -> bool:
        found = convert(value)
        return found is not None and test(found)

    return predicate


def _list_contains(wanted: str) -> Predicate:
    def predicate(value: object) -> bool:
        return isinstance(value, list | tuple) and any(str(item) == wanted for item in value)

    return predicate


def _glob(pattern: str) -> Callable[[object], bool]:
    matcher = re.compile(fnmatch.translate(pattern))
    return lambda found: matcher.match(str(found)) is not None


_ORDERINGS: dict[Operator, Callable[..., bool]] = {
    Operator.GREATER: lambda found, wanted: found > wanted,
    Operator.GREATER_OR_EQUAL: lambda found, wanted: found >= wanted,
    Operator.LESS: lambda found, wanted: found < wanted,
    Operator.LESS_OR_EQUAL: lambda found, wanted: found <= wanted,
}

_TEXT_PATTERNS: dict[Operator, Callable[[str], Callable[[object], bool]]] = {
    Operator.CONTAINS: lambda wanted: lambda found: wanted in str(found),
    Operator.STARTS_WITH: lambda wanted: lambda found: str(found).startswith(wanted),
    Operator.MATCHES: _glob,
}

_EQUALITIES = (Operator.EQUAL, Operator.NOT_EQUAL)

OPERATORS: dict[ValueKind, tuple[Operator, ...]] = {
    ValueKind.BOOLEAN: _EQUALITIES,
    ValueKind.NUMBER: (*_EQUALITIES, *_ORDERINGS, Operator.ONE_OF),
    ValueKind.DATETIME: (*_EQUALITIES, *_ORDERINGS),
    ValueKind.TEXT: (*_EQUALITIES, *_ORDERINGS, Operator.ONE_OF, *_TEXT_PATTERNS),
    ValueKind.LIST: (Operator.CONTAINS,),
}
"""Which operators can compare which kind; in the order in which they are offered."""
