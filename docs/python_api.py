"""Describe public Python names for the reference, from their signatures and docstrings."""

from __future__ import annotations

import enum
import importlib
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import attrs
from django.db import models

# These have pages or sections of their own.
ELSEWHERE = {
    "Backend": ":doc:`/howto/write-a-backend` lists its methods.",
    "BadgeAward": "A table: :doc:`data-model`.",
    "BadgeTemplate": "A table: :doc:`data-model`.",
    "WebhookView": ":doc:`/howto/write-a-backend` shows one.",
}


def module(name: str) -> str:
    """Return the sections of a public module: functions, data, exceptions and what else there is."""
    public = importlib.import_module(name)
    members = {each: getattr(public, each) for each in sorted(public.__all__)}
    sections: dict[str, list[str]] = {"Functions": [], "Classes": [], "Exceptions": [], "Constants": []}
    for each, member in members.items():
        sections[_section(member)].append("\n".join(_entry(each, member)))
    parts = [
        f"{title}\n{'~' * len(title)}\n\n" + "\n\n".join(entries) for title, entries in sections.items() if entries
    ]
    return "\n" + "\n\n".join(parts) + "\n\n"


def paragraphs(text: str, indent: str = "") -> Iterator[str]:
    """Yield the lines of a docstring without its annotations about personal data."""
    for line in text.splitlines():
        if not line.lstrip().startswith((".. pii", ".. no_pii")):
            yield f"{indent}{line}".rstrip()


def _section(member: Any) -> str:
    if not callable(member) or not (inspect.isclass(member) or inspect.isfunction(member)):
        return "Constants"
    if inspect.isfunction(member):
        return "Functions"
    return "Exceptions" if issubclass(member, BaseException) else "Classes"


def _entry(name: str, member: Any) -> Iterator[str]:
    if inspect.isfunction(member):
        yield from _function(name, member)
    elif inspect.isclass(member):
        yield from _class(name, member)
    else:
        yield f"``{name}``"
        yield f"   ``{member!r}``" if isinstance(member, str) else f"   a ``{type(member).__name__}``"


def _function(name: str, function: Any) -> Iterator[str]:
    signature = inspect.signature(function)
    shown = [_parameter(each) for each in signature.parameters.values()]
    keyword_only = [n for n, each in enumerate(signature.parameters.values()) if each.kind is each.KEYWORD_ONLY]
    if keyword_only:
        shown.insert(keyword_only[0], "*")
    yield f"``{name}({', '.join(shown)})``"
    yield from paragraphs(inspect.getdoc(function) or "", "   ")
    types = [f"``{each.name}``: ``{each.annotation}``" for each in signature.parameters.values()]
    yield ""
    yield f"   {', '.join([*types, f'returns ``{signature.return_annotation}``'])}."


def _parameter(parameter: inspect.Parameter) -> str:
    if parameter.default is parameter.empty:
        return parameter.name
    default = parameter.default
    # The repr of a function would be another one in each process.
    text = str(default) if isinstance(default, enum.Enum) else "..." if callable(default) else repr(default)
    if isinstance(default, enum.Enum):
        text = f"{type(default).__name__}.{default.name}"
    return f"{parameter.name}={text}"


def _class(name: str, member: type) -> Iterator[str]:
    yield f"``{name}``"
    document = inspect.cleandoc(vars(member).get("__doc__") or "")
    if document and not document.startswith(f"{name}("):
        yield from paragraphs(document, "   ")
        yield ""
    if name in ELSEWHERE:
        yield f"   {ELSEWHERE[name]}"
    elif issubclass(member, enum.Enum):
        yield f"   One of {', '.join(f'``{each.name}``' for each in member)}."
    elif attributes := _attributes(member):
        yield f"   Attributes: {', '.join(f'``{each}``: ``{kind}``' for each, kind in attributes)}."


def _attributes(member: type) -> Sequence[tuple[str, str]]:
    """Return names and types of the attributes of a data class, an attrs class or a named tuple."""
    if issubclass(member, models.Model):
        return []
    if is_dataclass(member):
        return [(each.name, str(each.type)) for each in fields(member) if not each.name.startswith("_")]
    if attrs.has(member):
        return [(each.name, str(each.type)) for each in attrs.fields(member) if not each.name.startswith("_")]
    if issubclass(member, tuple):
        return [(each, _forward(member.__annotations__[each])) for each in member._fields]  # type: ignore[attr-defined]
    return []


def _forward(annotation: Any) -> str:
    return str(getattr(annotation, "__forward_arg__", annotation))
