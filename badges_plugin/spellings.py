"""Find other spellings of a key in the service's course catalog and in other rules.

Keys are compared case-sensitively, so ``course-v1:demo+x+1`` and ``course-v1:Demo+X+1`` are different keys. Only the
catalog and other rules can show which of them events contain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from django.db.models import Q
from django.db.models.functions import Lower

from badges_plugin.host import course_keys_like
from badges_plugin.models import DataRule, PenaltyDataRule
from badges_plugin.models.conditions import AbstractDataRule


def other_spellings(keys: Collection[str]) -> dict[str, str]:
    """Return the other spelling of each key that is spelled differently elsewhere. At most three queries.

    The catalog decides if it has the key, but many services have no catalog or an old one. If two rules differ, one of
    them is probably wrong, and both are reported.
    """
    if not keys:
        return {}
    known = _by_folded_key(course_keys_like(keys))
    ruled = _by_folded_key(_in_rules(keys))
    found = {}
    for key in keys:
        folded = key.casefold()
        others = ruled.get(folded, set()) - {key}
        if folded in known:
            others = set() if key in known[folded] else known[folded]
        if others:
            found[key] = min(others)
    return found


def _by_folded_key(spellings: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for key in spellings:
        found.setdefault(key.casefold(), set()).add(key)
    return found


def _in_rules(keys: Collection[str]) -> Iterator[str]:
    """Yield the spellings in rules, except rules that name several keys."""
    models: tuple[type[AbstractDataRule], ...] = (DataRule, PenaltyDataRule)
    for model in models:
        values = model.objects.alias(folded=Lower("value")).filter(Q(folded__in=[key.lower() for key in keys]))
        yield from values.values_list("value", flat=True)
