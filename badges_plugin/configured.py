"""Read the rows of active templates: plain ones, of a thousand templates at a time, with a fixed number of queries.

Not model instances with prefetched relations: on a site with 50,000 requirements that takes a twentieth of the time and
a seventh of the memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from sys import intern
from typing import Any, NamedTuple, TypeVar

from django.db.models import QuerySet

from badges_plugin.models import BadgePenalty, BadgeRequirement, BadgeTemplate, DataRule, PenaltyDataRule

AT_ONCE = 1000
"""Templates whose rows are read together: all rows of a large site would take more memory than what is made of them."""

MOST_KEYS = 1000
"""Requirements whose rules are asked for by key when some templates have changed."""

RowT = TypeVar("RowT")


class RuleText(NamedTuple):
    """A rule as it is stored."""

    key_path: str
    operator: str
    value: str


class RequirementRow(NamedTuple):
    """A requirement, with what is needed of its group."""

    template_id: int
    pk: int
    event_type: str
    how_many: int
    counted_by: str
    position: int
    needs_badge_id: int | None
    group_id: int | None
    needed: int | None
    group_position: int | None

    @property
    def turn(self) -> int:
        return self.position if self.group_position is None else self.group_position


Decision = tuple[Mapping[str, Sequence[str]], Mapping[str, int]]
"""Of which former rules of a requirement the fulfillments are kept, and which are forgotten."""


class Rows(NamedTuple):
    """The rows of some templates, by the keys of what they belong to."""

    templates: list[tuple[Any, ...]]
    """The values of ``template_columns``."""
    requirements: Mapping[int, Sequence[RequirementRow]]
    decisions: Mapping[int, Decision]
    rules: Mapping[int, Sequence[RuleText]]
    penalties: Mapping[int, Sequence[tuple[int, str]]]
    """Primary keys and event types, by template."""
    penalty_rules: Mapping[int, Sequence[RuleText]]
    linked: Mapping[int, Sequence[int]]
    """Primary keys of the requirements that a penalty takes away."""


@cache
def template_columns() -> tuple[str, ...]:
    """Return the names of the columns of a template."""
    return tuple(field.attname for field in BadgeTemplate._meta.concrete_fields)


def configured(template_ids: Collection[int] | None = None, *, with_inactive: bool = False) -> Iterator[Rows]:
    """Yield the rows of the active templates, or of those of these, in the order of the templates' keys.

    ``with_inactive``: of all of them, as if they were active. At most seven queries for each ``AT_ONCE`` templates.
    """
    for templates in _templates(template_ids, with_inactive=with_inactive):
        yield _rows_of(_Reader(templates, by_key=template_ids is not None, with_inactive=with_inactive))


def _templates(template_ids: Collection[int] | None, *, with_inactive: bool) -> Iterator[list[tuple[Any, ...]]]:
    wanted = BadgeTemplate.objects.all() if with_inactive else BadgeTemplate.objects.filter(is_active=True)
    active = wanted.order_by("pk").values_list(*template_columns())
    if template_ids is not None:
        ordered = sorted(template_ids)
        for start in range(0, len(ordered), AT_ONCE):
            yield list(active.filter(pk__in=ordered[start : start + AT_ONCE]))
        return
    column, after = template_columns().index(BadgeTemplate._meta.pk.attname), 0
    while found := list(active.filter(pk__gt=after)[:AT_ONCE]):
        yield found
        if len(found) < AT_ONCE:
            return
        after = found[-1][column]


def _rows_of(read: _Reader) -> Rows:
    asked = [_requirement(row) for row in read.of_templates(BadgeRequirement.objects.all(), *_REQUIREMENT_COLUMNS)]
    requirements = [row.pk for row in asked]
    penalties = [
        (template_id, (pk, intern(event_type)))
        for template_id, pk, event_type in read.of_templates(
            BadgePenalty.objects.all(), "template_id", "pk", "event_type"
        )
    ]
    penalty_keys = [pk for _, (pk, _) in penalties]
    # Of most requirements nothing was ever decided, and reading so from JSON takes a fifth of the whole time.
    decided = BadgeRequirement.objects.exclude(kept_rules={}, forgotten_rules={})
    links = BadgePenalty.requirements.through.objects.all()
    shared: dict[RuleText, RuleText] = {}
    return Rows(
        read.templates,
        _by_owner((row.template_id, row) for row in asked),
        {pk: (kept, forgotten) for pk, kept, forgotten in read.of_templates(decided, "pk", *_DECISION_COLUMNS)},
        _texts(read.of_owners(DataRule.objects.all(), "requirement", requirements, *_RULE_COLUMNS), shared),
        _by_owner(penalties),
        _texts(read.of_owners(PenaltyDataRule.objects.all(), "penalty", penalty_keys, *_RULE_COLUMNS), shared),
        _by_owner(read.of_owners(links, "badgepenalty", penalty_keys, "badgerequirement_id")),
    )


class _Reader:
    """Reads what belongs to some templates: ``by_key``, or to all from the first to the last of them."""

    def __init__(self, templates: list[tuple[Any, ...]], *, by_key: bool, with_inactive: bool) -> None:
        column = template_columns().index(BadgeTemplate._meta.pk.attname)
        self.templates = templates
        self._keys = [values[column] for values in templates]
        self._by_key = by_key
        self._state: dict[str, bool] = {} if with_inactive else {"is_active": True}

    def of_templates(self, rows: QuerySet[Any], *columns: str, path: str = "template") -> Iterable[tuple[Any, ...]]:
        """Return the columns of rows; ``path`` leads from them to their template."""
        if not self._keys:
            return ()
        among = {"pk__in": self._keys} if self._by_key else {"pk__gte": self._keys[0], "pk__lte": self._keys[-1]}
        wanted = {f"{path}__{name}": value for name, value in {**among, **self._state}.items()}
        return rows.filter(**wanted).order_by("pk").values_list(*columns)

    def of_owners(
        self, rows: QuerySet[Any], owner: str, keys: Collection[int], *columns: str
    ) -> Iterable[tuple[Any, ...]]:
        """Return the columns of the rows of owners, all of which are given, after the owners' keys."""
        if not keys:
            return ()
        columns = (f"{owner}_id", *columns)
        if self._by_key and len(keys) <= MOST_KEYS:
            # MySQL, unless it knows how large the tables are, would read all rules for those of one template.
            return rows.filter(**{f"{owner}__in": keys}).order_by("pk").values_list(*columns)
        return self.of_templates(rows, *columns, path=f"{owner}__template")


_REQUIREMENT_COLUMNS = (
    "template_id", "pk", "event_type", "count", "counted_by", "position", "needs_badge_id",
    "group_id", "group__needed", "group__position",
)  # fmt: skip
_DECISION_COLUMNS = ("kept_rules", "forgotten_rules")
_RULE_COLUMNS = RuleText._fields


def _requirement(row: tuple[Any, ...]) -> RequirementRow:
    # The names are the same again and again.
    return RequirementRow(row[0], row[1], intern(row[2]), row[3], intern(row[4]), *row[5:])


def _texts(rows: Iterable[tuple[Any, ...]], shared: dict[RuleText, RuleText]) -> dict[int, list[RuleText]]:
    found: dict[int, list[RuleText]] = {}
    for owner, key_path, operator, value in rows:
        text = RuleText(intern(key_path), intern(operator), value)
        text = shared.setdefault(text, text)
        if owner in found:
            found[owner].append(text)
        else:
            found[owner] = [text]
    return found


def _by_owner(rows: Iterable[tuple[int, RowT]]) -> dict[int, list[RowT]]:
    found: dict[int, list[RowT]] = {}
    for owner, row in rows:
        found.setdefault(owner, []).append(row)
    return found
