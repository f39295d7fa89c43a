"""Which rules a fulfillment was made under, and whether it counts under the rules as they are now.

Rules are known by a fingerprint: what they mean, not how they are written. A fulfillment is stored with the
fingerprint of its time, and counts while that is the requirement's own, or while staff chose to keep what was
done under it. Fulfillments that staff chose to forget never count again, not even if the old rules come back: each time
its fulfillments are forgotten, a fingerprint gets a new number.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from badges_plugin import events
from badges_plugin.criteria import Way
from badges_plugin.exceptions import InvalidRule, UnusableEventType
from badges_plugin.rules import compile_rule


class RuleText(Protocol):
    """A rule as it is written: a stored one, one of a migration's, or one that is being entered."""

    @property
    def key_path(self) -> str: ...

    @property
    def operator(self) -> str: ...

    @property
    def value(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Validity:
    """Under which rules fulfillments of one requirement may have been made."""

    current: str
    """The fingerprint of the rules as they are now; empty where nothing counts."""
    kept: frozenset[str] = frozenset()
    forgotten: Mapping[str, int] = field(default_factory=dict)
    """By digest: the number below which fulfillments are forgotten."""

    def covers(self, made_under: str) -> bool:
        """Whether what was done under rules of this fingerprint counts."""
        return made_under == self.current or made_under in self.kept

    def is_open(self, made_under: str) -> bool:
        """Whether it does not count, and staff have not decided that it is forgotten."""
        return not self.covers(made_under) and not self._is_below(made_under)

    def is_forgotten(self, made_under: str) -> bool:
        """Whether staff decided that what was done under rules of this fingerprint is forgotten."""
        return not self.covers(made_under) and self._is_below(made_under)

    def _is_below(self, made_under: str) -> bool:
        return number_of(made_under) < self.forgotten.get(digest_of(made_under), 0)


_ONE_EVENT = Way()


def digest(event_type: str, rules: Iterable[RuleText], way: Way = _ONE_EVENT) -> str:
    """Return what is the same for rules that mean the same, whatever their order, blanks and repetitions.

    How a requirement counts belongs to what its rules mean; how many it asks for does not. Rules that cannot be
    compiled, after a new release of openedx-events for example, are taken letter by letter.
    """
    return digest_of_meaning(event_type, (_canonical(event_type, rule) for rule in rules), way)


def digest_of_meaning(event_type: str, rules: Iterable[tuple[str, ...]], way: Way = _ONE_EVENT) -> str:
    """Return the digest of rules in their canonical form."""
    meaning: list[object] = [event_type, sorted(set(rules))]
    if not way.is_one:
        meaning.append(f"by {way.counted_by}" if way.counted_by else "each event")
    return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()[:32]


def fingerprint(digest: str, forgotten: Mapping[str, int]) -> str:
    """Return what fulfillments are stored with."""
    return f"{digest}.{forgotten.get(digest, 0)}"


def validity_of(digest: str, kept: Mapping[str, Sequence[str]], forgotten: Mapping[str, int]) -> Validity:
    """Return which fulfillments count under rules of a digest, by what was decided about former rules."""
    current = fingerprint(digest, forgotten)
    return Validity(current, frozenset(kept.get(current, ())), forgotten)


def digest_of(fingerprint: str) -> str:
    return fingerprint.partition(".")[0]


def number_of(fingerprint: str) -> int:
    number = fingerprint.partition(".")[2]
    return int(number) if number.isdecimal() else 0


def _canonical(event_type: str, rule: RuleText) -> tuple[str, ...]:
    try:
        # Whether an operator lets rules use a key path does not change what they mean.
        kind = events.get_event_type(event_type).kinds.get(rule.key_path)
        if kind is not None:
            return compile_rule(rule.key_path, rule.operator, rule.value, kind).canonical
    except (InvalidRule, UnusableEventType):
        pass
    return (rule.key_path, rule.operator, "as written", rule.value.strip())
