"""Find other spellings of a key, in the service's catalog of courses and in other rules.

Keys are compared letter by letter, and ``course-v1:demo+x+1`` is a valid key just as ``course-v1:Demo+X+1`` is. Only
the catalog and other rules tell which of them events use.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from django.db.models import Q
from django.db.models.functions import Lower

from badges_plugin.host import course_keys_like
from badges_plugin.models import DataRule, PenaltyDataRule
from badges_plugin.models.requirements import AbstractDataRule


def other_spellings(keys: Collection[str]) -> dict[str, str]:
    """Return another spelling of each key that is spelled differently elsewhere. At most three queries.

    The catalog decides where it has a key; many services have no catalog, or an old one. Where two rules differ, one of
    them is probably wrong, and both are reported.
    """
    if not keys:
        return {}
    known = _by_letters(course_keys_like(keys))
    ruled = _by_letters(_in_rules(keys))
    found = {}
    for key in keys:
        letters = key.casefold()
        others = ruled.get(letters, set()) - {key}
        if letters in known:
            others = set() if key in known[letters] else known[letters]
        if others:
            found[key] = min(others)
    return found


def _by_letters(written: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for key in written:
        found.setdefault(key.casefold(), set()).add(key)
    return found


def _in_rules(keys: Collection[str]) -> Iterator[str]:
    """Yield keys that rules name, in any spelling. Rules that name several keys are left out."""
    models: tuple[type[AbstractDataRule], ...] = (DataRule, PenaltyDataRule)
    for model in models:
        values = model.objects.alias(letters=Lower("value")).filter(Q(letters__in=[key.lower() for key in keys]))
        yield from values.values_list("value", flat=True)
