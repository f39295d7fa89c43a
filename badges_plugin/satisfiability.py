"""Can rules that must all apply ever apply to one event? Pure; decided over all rules of a condition together.

"No" is certain. "Yes" means that nothing stands against it that is known here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from badges_plugin.data import ValueKind
from badges_plugin.domains import Domain, Domains
from badges_plugin.patterns import ANYTHING, containing, glob, meet, starting_with
from badges_plugin.rules import Operator, Rule

_PATTERNS = {
    Operator.STARTS_WITH: starting_with,
    Operator.CONTAINS: containing,
    Operator.MATCHES: glob,
}
_FROM_BELOW = (Operator.GREATER, Operator.GREATER_OR_EQUAL)
_FROM_ABOVE = (Operator.LESS, Operator.LESS_OR_EQUAL)
_MAX_NUMBERS = 10_000


def conflicts(rules: Iterable[Rule], domains: Domains) -> list[tuple[Rule, ...]]:
    """Return the rules that can never apply together, by key path. One alone: no event has such a value."""
    by_path: dict[str, list[Rule]] = {}
    for rule in rules:
        by_path.setdefault(rule.key_path, []).append(rule)
    found: list[tuple[Rule, ...]] = []
    for path, together in by_path.items():
        domain = domains.get(path, Domain())
        impossible = [rule for rule in together if not _possible([rule], domain)]
        if impossible:
            found += [(rule,) for rule in impossible]
        elif not _possible(together, domain):
            found.append(tuple(together))
    return found


def can_apply(rules: Iterable[Rule], domains: Domains) -> bool:
    """Whether one event may satisfy all rules."""
    return not conflicts(rules, domains)


def implies(rules: Sequence[Rule], other: Rule, domains: Domains) -> bool:
    """Whether every event that satisfies all rules certainly satisfies the other one."""
    same_path = [rule for rule in rules if rule.key_path == other.key_path]
    if other.canonical in [rule.canonical for rule in same_path]:
        return True
    values = _candidates(same_path, domains.get(other.key_path, Domain())) if same_path else None
    return values is not None and all(other.predicate(value) for value in values)


def _possible(rules: Sequence[Rule], domain: Domain) -> bool:
    values = _candidates(rules, domain)
    if values is not None:
        return bool(values)
    kind = rules[0].kind
    if kind is ValueKind.LIST:
        return True
    if kind is ValueKind.TEXT:
        return _text_possible(rules, domain)
    return _interval_possible(rules, domain)


def _candidates(rules: Sequence[Rule], domain: Domain) -> list[object] | None:
    """Return the only values that satisfy all rules, or None where there are too many to name."""
    kind = rules[0].kind
    named: list[frozenset[object]] = [rule.equal_to for rule in rules if rule.equal_to is not None]
    if kind is ValueKind.BOOLEAN:
        named.append(frozenset([True, False]))
    if kind is ValueKind.TEXT:
        named += [frozenset([rule.wanted]) for rule in rules if _is_exact(rule)]
    if not named:
        return None
    values = frozenset.intersection(*named)
    if kind is ValueKind.TEXT:
        values = frozenset(value for value in values if domain.accepts(str(value)))
    if kind is ValueKind.NUMBER and domain.is_whole:
        values = frozenset(value for value in values if float(str(value)).is_integer())
    if kind is ValueKind.NUMBER and domain.limits is not None:
        values = frozenset(value for value in values if domain.limits[0] <= float(str(value)) <= domain.limits[1])
    return [value for value in values if all(rule.predicate(value) for rule in rules)]


def _is_exact(rule: Rule) -> bool:
    return rule.operator is Operator.MATCHES and not any(char in str(rule.wanted) for char in "*?[")


def _text_possible(rules: Sequence[Rule], domain: Domain) -> bool:
    orderings = [rule for rule in rules if rule.operator in (*_FROM_BELOW, *_FROM_ABOVE)]
    if orderings and (ANYTHING not in domain.forms or not _interval_possible(orderings, Domain())):
        return False  # text is ordered as numbers, and keys are none
    patterns = [_PATTERNS[rule.operator](str(rule.wanted)) for rule in rules if rule.operator in _PATTERNS]
    return any(meet([*patterns, form]) for form in domain.forms)


def _interval_possible(rules: Sequence[Rule], domain: Domain) -> bool:
    """Whether a number or moment lies between all bounds, and is none of those that are excluded."""
    below: list[Any] = [rule.wanted for rule in rules if rule.operator in _FROM_BELOW]
    above: list[Any] = [rule.wanted for rule in rules if rule.operator in _FROM_ABOVE]
    if domain.limits is not None:
        below.append(domain.limits[0])
        above.append(domain.limits[1])
    if not below or not above:
        return True
    low, high = max(below), min(above)
    if domain.is_whole:
        first, last = math.ceil(low), math.floor(high)
        if last - first > _MAX_NUMBERS:
            return True
        return any(all(rule.predicate(number) for rule in rules) for number in range(first, last + 1))
    # What lies at both bounds is one value; between different ones there are more than can be excluded.
    return bool(low < high) or (bool(low == high) and all(rule.predicate(_as_sent(rule, low)) for rule in rules))


def _as_sent(rule: Rule, value: object) -> object:
    """Text is ordered as numbers."""
    return str(value) if rule.kind is ValueKind.TEXT else value
