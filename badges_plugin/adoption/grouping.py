"""Which requirements are alternatives. Pure.

The built-in app takes requirements with the same group for alternatives, and those without a group for one group more.
Its documentation says that the latter must all be fulfilled; and its form proposes the same letter for all requirements
that are added in one go. So a group that several requirements share may be meant as either, and only people know.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count

from badges_plugin.adoption.found import FoundCondition
from badges_plugin.models.groups import key_of, tidy


class SameGroup(enum.StrEnum):
    """What requirements with the same group mean. ``ASK``: alternatives, as it worked, until somebody has looked."""

    ASK = "ask"
    ANY = "any"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Need:
    """Requirements, by key, of which ``number`` must be fulfilled. ``name`` is empty where one stands alone."""

    members: frozenset[int]
    number: int = 1
    name: str = ""


@dataclass(frozen=True, slots=True)
class Grouping:
    """All that must be fulfilled. ``is_doubtful``: somebody should look whether it was meant so."""

    needs: tuple[Need, ...]
    is_doubtful: bool = False


def grouping(requirements: Sequence[FoundCondition], meaning: SameGroup, *, unnamed: str) -> Grouping:
    """Return what the requirements of a template ask for. ``unnamed`` names the group of those without one."""
    by_group: dict[str | None, list[int]] = defaultdict(list)
    for each in requirements:
        by_group[each.group].append(each.pk)
    needs = []
    for group, members in by_group.items():
        if len(members) == 1 or meaning is SameGroup.ALL:
            needs += [Need(frozenset([pk])) for pk in members]
        else:
            needs.append(Need(frozenset(members), name=tidy(group or "") or unnamed))
    shared = any(len(members) > 1 for members in by_group.values())
    return Grouping(_with_own_names(needs), is_doubtful=shared and meaning is SameGroup.ASK)


def is_complete(needs: Iterable[Need], done: frozenset[int]) -> bool:
    """Whether everything is fulfilled, by the requirements that are. Nothing is never complete."""
    asked = list(needs)
    return bool(asked) and all(len(need.members & done) >= need.number for need in asked)


def _with_own_names(needs: Sequence[Need]) -> tuple[Need, ...]:
    """Number names that people read as the same: "a" and "A" were two groups."""
    taken: set[str] = set()
    found = []
    for need in needs:
        names = (f"{need.name} ({number})" if number > 1 else need.name for number in count(1))
        name = next(name for name in names if not name or key_of(name) not in taken)
        taken.add(key_of(name))
        found.append(replace(need, name=name))
    return tuple(found)
