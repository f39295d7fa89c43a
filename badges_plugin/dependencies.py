"""Which badges need which other badges: circles, and chains that are too long.

A badge needs another one by a requirement that names it, or by one whose rules on badge events compare
``template.uuid`` with its UUID. Penalties do not count: without a requirement in the circle nothing is awarded anew, so
that penalties alone come to an end.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from badges_plugin.conf import BADGE_EVENT_TYPES
from badges_plugin.data import ValueKind
from badges_plugin.exceptions import InvalidRule
from badges_plugin.models import BadgeRequirement, BadgeTemplate, DataRule
from badges_plugin.models.validity import RuleText
from badges_plugin.rules import Operator, compile_rule

MAX_CHAIN = 10
"""How many badges may follow from one another."""

UUID_KEY_PATH = "template.uuid"

Graph = Mapping[int, frozenset[int]]
"""By primary key of a template, those that it needs."""


def stored_graph(*, but: BadgeRequirement | None = None) -> Graph:
    """Return what badges need by their stored requirements, active or not, leaving one out. At most three queries."""
    others = BadgeRequirement.objects.all()
    if but is not None and but.pk:
        others = others.exclude(pk=but.pk)
    edges = list(others.filter(needs_badge__isnull=False).values_list("template_id", "needs_badge_id"))
    rules = DataRule.objects.filter(requirement__in=others.filter(event_type__in=BADGE_EVENT_TYPES)).filter(
        key_path=UUID_KEY_PATH, operator__in=[Operator.EQUAL, Operator.ONE_OF]
    )
    named = [(rule.requirement.template_id, _uuids([rule])) for rule in rules.select_related("requirement")]
    keys = _keys({uuid for _, uuids in named for uuid in uuids})
    edges += [(template_id, keys[uuid]) for template_id, uuids in named for uuid in uuids if uuid in keys]
    return _graph(edges)


def graph_with(requirement: BadgeRequirement, rules: Iterable[RuleText]) -> Graph:
    """Return the stored graph as it would be if a requirement were saved as it is now, with these rules."""
    graph = dict(stored_graph(but=requirement))
    needed = {requirement.needs_badge_id} if requirement.needs_badge_id is not None else set()
    if requirement.event_type in BADGE_EVENT_TYPES:
        needed |= set(_keys(_uuids(rules)).values())
    graph[requirement.template_id] = graph.get(requirement.template_id, frozenset()) | needed
    return graph


def find_circle(graph: Graph, start: int) -> list[int]:
    """Return the shortest way from a badge over those that it needs back to itself, with it at both ends; or none."""
    came_from: dict[int, int] = {}
    waiting = deque([start])
    while waiting:
        badge = waiting.popleft()
        for needed in sorted(graph.get(badge, ())):
            if needed == start:
                way = [badge]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return [*reversed(way), start]
            if needed not in came_from:
                came_from[needed] = badge
                waiting.append(needed)
    return []


def longest_chain(graph: Graph, badge: int) -> list[int]:
    """Return the longest chain of badges through one, each needing the next. There must be no circle."""
    needed_by = _graph((needed, each) for each, all_needed in graph.items() for needed in all_needed)
    above, below = _longest_from(needed_by, badge), _longest_from(graph, badge)
    return [*reversed(above), *below[1:]]


def badges_that_need(templates: Collection[BadgeTemplate]) -> dict[int, list[BadgeTemplate]]:
    """Return, by primary key, which badges need each of the templates, those among them left out, by name."""
    own = {template.pk for template in templates}
    found: dict[int, list[int]] = {pk: [] for pk in own}
    for badge, needed in stored_graph().items():
        for pk in needed & own:
            if badge not in own:
                found[pk].append(badge)
    rows = BadgeTemplate.objects.in_bulk({badge for badges in found.values() for badge in badges})
    return {pk: sorted((rows[badge] for badge in badges), key=str) for pk, badges in found.items()}


def _longest_from(graph: Graph, start: int) -> list[int]:
    """Deepest first without recursion: a chain in the database may have any length."""
    longest: dict[int, list[int]] = {}
    open_badges = [start]
    while open_badges:
        badge = open_badges[-1]
        missing = [each for each in graph.get(badge, ()) if each not in longest and each not in open_badges]
        if missing:
            open_badges.append(missing[0])
            continue
        ways: Sequence[list[int]] = [longest[each] for each in sorted(graph.get(badge, ())) if each in longest]
        longest[badge] = [badge, *max(ways, key=len, default=[])]
        open_badges.pop()
    return longest[start]


def _graph(edges: Iterable[tuple[int, int | None]]) -> Graph:
    found: dict[int, set[int]] = defaultdict(set)
    for badge, needed in edges:
        if needed is not None:
            found[badge].add(needed)
    return {badge: frozenset(needed) for badge, needed in found.items()}


def _uuids(rules: Iterable[RuleText]) -> set[UUID]:
    """Return what rules compare the badge's UUID with, as far as they name it whole."""
    named: set[object] = set()
    for rule in rules:
        if rule.key_path == UUID_KEY_PATH:
            with suppress(InvalidRule):  # it never applies
                named |= compile_rule(rule.key_path, rule.operator, rule.value, ValueKind.TEXT).equal_to or set()
    return {uuid for value in named if (uuid := _uuid(str(value))) is not None}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None  # no badge has it


def _keys(uuids: Collection[UUID]) -> dict[UUID, int]:
    if not uuids:
        return {}
    return dict(BadgeTemplate.objects.filter(uuid__in=uuids).values_list("uuid", "pk"))
