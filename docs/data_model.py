"""Describe the tables of the apps for the reference, and draw how they refer to each other."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import svg
from architecture import CHARACTER, CHIP, MARGIN, WIDTH
from django.apps import apps
from django.db import models
from python_api import paragraphs

Model = type[models.Model]
Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]

# The apps of each picture
PICTURES = {
    "core": ("badges_plugin",),
    "delivery": ("badges_distribution", "credly_badges", "accredible_badges", "open_badges"),
    "pages": ("badges_web",),
}
COLORS = ("#1d4ed8", "#b45309", "#047857", "#9d174d", "#6d28d9", "#475569", "#b91c1c", "#0e7490")
TITLES = {"core": "Tables of the core", "delivery": "Tables of deliveries and providers", "pages": "Tables of pages"}
# Kinds of columns in plain words, where their names in Django are not
KINDS = {"Auto": "integer", "BigAuto": "big integer", "Char": "text", "Slug": "text", "URL": "text", "DateTime": "time"}
AS_THEY_ARE = {"UUID", "JSON"}
LANE, SLOT, ROW, BEGIN = 12, 6, CHIP + 8, MARGIN + 34


@dataclass(frozen=True)
class End:
    """Where a line touches the name of a model. ``to``: the model to which the line leads."""

    to: Model
    x: float
    y: float
    is_head: bool


def tables(table: Table) -> str:
    """Return a section for each app, with the columns of each of its tables."""
    parts = []
    for label in (label for labels in PICTURES.values() for label in labels):
        config = apps.get_app_config(label)
        title = f"{config.verbose_name} (``{label}``)"
        parts.append(f"\n{title}\n{'-' * len(title)}\n")
        parts += [_described(model, table) for model in _models(label)]
        if kept := [f"``{model._meta.db_table}``" for model in config.get_models() if _is_history(model)]:
            parts.append(
                "The history of what staff configure has the same columns, with who changed them and when: "
                f"{', '.join(kept)}.\n"
            )
    return "\n".join([*parts, ""])


def _described(model: Model, table: Table) -> str:
    title = f"``{model.__name__}``"
    rows = [(f"``{field.column}``", _kind(field), _meaning(field)) for field in model._meta.local_concrete_fields]
    rows += [
        (f"``{field.name}``", f"several ``{_name(field.related_model)}``", _meaning(field))
        for field in model._meta.local_many_to_many
    ]
    document = "\n".join(paragraphs(inspect.cleandoc(vars(model).get("__doc__") or ""))).strip()
    return "\n".join(
        [
            title,
            "~" * len(title),
            "",
            document,
            "",
            f"Table ``{model._meta.db_table}``. {_uniqueness(model)}".strip(),
            table(("Column", "Kind", "Meaning"), rows),
        ]
    )


def _kind(field: Any) -> str:
    optional = ", may be null" if field.null else ""
    if field.is_relation:
        return f"refers to ``{_name(field.related_model)}``{optional}"
    kind = field.get_internal_type().removesuffix("Field")
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", KINDS.get(kind, kind)).lower() if kind not in AS_THEY_ARE else kind
    size = f", up to {field.max_length}" if field.max_length and kind in KINDS else ""
    return f"{words}{size}{', key' if field.primary_key else ''}{optional}"


def _meaning(field: Any) -> str:
    """Return what the admin says of a field, or else its name there, where it says more than that of the column."""
    said = str(field.help_text) or str(field.verbose_name)
    if not field.help_text and said.replace(" ", "_").lower() in {field.name, f"{field.name}_id", "id"}:
        return "\\-"
    return re.sub(r"([*`|\\]|_\b)", r"\\\1", " ".join(said.split()))


def _uniqueness(model: Model) -> str:
    unique = [
        each.fields for each in model._meta.constraints if isinstance(each, models.UniqueConstraint) and each.fields
    ]
    unique += [(field.name,) for field in model._meta.local_concrete_fields if field.unique and not field.primary_key]
    named = [" and ".join(f"``{name}``" for name in names) for names in unique]
    return f"Unique: {'; '.join(named)}." if named else ""


def _models(label: str) -> list[Model]:
    return [model for model in apps.get_app_config(label).get_models() if not _is_history(model)]


def _is_history(model: Model) -> bool:
    return model.__name__.startswith("Historical")


def _name(model: Model) -> str:
    return model.__name__


def picture(name: str) -> str:
    """Return an SVG: one model below the other, and a line from each to those that refer to it."""
    own = [model for label in PICTURES[name] for model in _models(label)]
    parents = {model: _parents(model) for model in own}
    related = [model for model in own if parents[model] or any(model in each for each in parents.values())]
    others = sorted({each for model in related for each in parents[model] if each not in own}, key=_name)
    order = list(_parents_first([*others, *related], parents))
    height = BEGIN + len(order) * ROW + MARGIN
    ends = {model: list(_ends(model, row, order, parents)) for row, model in enumerate(order)}
    lines = [_chip(model, row, is_other=model in others) for row, model in enumerate(order)]
    before: dict[int, str] = {}
    for number, (parent, lane) in enumerate(_lanes(order, parents).items()):
        joined = [end for model in order for end in ends[model] if end.to is parent]
        # Lines in one lane, and those of two models that follow each other, are told apart by their colors.
        taken = {before.get(lane), *list(before.values())[-1:]}
        color = next(each for each in COLORS[number % len(COLORS) :] + COLORS if each not in taken)
        before.pop(lane, None)
        before[lane] = color
        lines += _line(joined, WIDTH - MARGIN - 6 - lane * LANE, color)
    return "\n".join([*svg.frame(TITLES[name], WIDTH, height), *lines, "</svg>", ""])


def _parents(model: Model) -> list[Model]:
    related = [*model._meta.local_concrete_fields, *model._meta.local_many_to_many]
    found = [field.related_model for field in related if field.is_relation]
    return [each for each in dict.fromkeys(found) if each is not model]


def _parents_first(models_: Sequence[Model], parents: dict[Model, list[Model]]) -> Iterator[Model]:
    done: set[Model] = set()

    def visit(model: Model) -> Iterator[Model]:
        if model not in done and model in models_:
            done.add(model)
            for parent in parents.get(model, ()):
                yield from visit(parent)
            yield model

    for model in models_:
        yield from visit(model)


def _lanes(order: Sequence[Model], parents: dict[Model, list[Model]]) -> dict[Model, int]:
    """Return the lane of each model that others refer to, so that no two lines share a part of one."""
    spans = {}
    for row, model in enumerate(order):
        children = [number for number, other in enumerate(order) if model in parents.get(other, ())]
        if children:
            spans[model] = min(row, *children), max(row, *children)
    ends: list[int] = []
    found = {}
    for model, (first, last) in sorted(spans.items(), key=lambda item: item[1]):
        lane = next((lane for lane, end in enumerate(ends) if end < first), len(ends))
        ends[lane : lane + 1] = [last]
        found[model] = lane
    return found


def _right(model: Model) -> float:
    return MARGIN + len(model.__name__) * CHARACTER + 16


def _ends(model: Model, row: int, order: Sequence[Model], parents: dict[Model, list[Model]]) -> Iterator[End]:
    """Yield where lines touch a model: first the one from those that refer to it, then those to what it refers to."""
    touching = [each for each in parents.get(model, ()) if each in order]
    if any(model in each for each in parents.values()):
        touching.insert(0, model)
    for number, to in enumerate(touching):
        offset = (number - (len(touching) - 1) / 2) * min(SLOT, (CHIP - 4) / len(touching))
        yield End(to, _right(model), BEGIN + row * ROW + CHIP / 2 + offset, is_head=to is model)


def _chip(model: Model, row: int, *, is_other: bool) -> str:
    look = 'rx="4" fill="#fff" stroke="#7b8794"' + (' stroke-dasharray="4 3"' if is_other else "")
    y = BEGIN + row * ROW
    return (
        svg.box(MARGIN, y, _right(model) - MARGIN, CHIP, look)
        + "\n"
        + svg.text(model.__name__, MARGIN + 8, y + CHIP / 2 + svg.FONT / 3, 'font-family="monospace"')
    )


def _line(ends: Sequence[End], x: float, color: str) -> Iterator[str]:
    """Yield an arrow to a model, at ``x`` beside the names, from those that refer to it."""
    look = f'fill="none" stroke="{color}" stroke-width="1.5"'
    (head,) = (end for end in ends if end.is_head)
    top, bottom = min(end.y for end in ends), max(end.y for end in ends)
    yield f'<path d="M{x:g} {bottom:g} V{top:g} M{x:g} {head.y:g} H{head.x + 2:g} m6 -3 l-6 3 l6 3" {look}/>'
    for end in ends:
        if not end.is_head:
            yield f'<path d="M{x:g} {end.y:g} H{end.x:g}" {look}/>'
            yield f'<circle cx="{x:g}" cy="{end.y:g}" r="2.5" fill="{color}"/>'
