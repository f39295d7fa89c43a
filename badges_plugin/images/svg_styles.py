"""Styles of an uploaded SVG: of each rule, the allowed properties with harmless values.

Regular expressions that look for an end from every beginning would take minutes for a file made for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from badges_plugin.exceptions import RefusedImage
from badges_plugin.images.svg_allowed import STYLES, references_in, value_is_harmless

_CLASSES = re.compile(r"\s*\.[\w-]+\s*(?:,\s*\.[\w-]+\s*)*", re.ASCII)
_SELECTOR = re.compile(r"[\w\s.#,>*+~:()-]+", re.ASCII)


def clean_declarations(text: str) -> str:
    """Return the declarations of a ``style`` attribute that may stay."""
    kept = []
    for declaration in _without_comments(text).split(";"):
        name, colon, value = (part.strip() for part in declaration.partition(":"))
        if colon and name.lower() in STYLES and value and value_is_harmless(value):
            kept.append(f"{name.lower()}:{value}")
    return ";".join(kept)


def clean_sheet(text: str) -> str:
    """Return the rules of a style sheet that may stay. Raises RefusedImage for one with at-rules."""
    plain = _without_comments(text)
    if "@" in plain or "\\" in plain:
        raise RefusedImage(
            _("The style sheet in the SVG has @ rules or escapes. Save it with its styles as attributes.")
        )
    rules = ((selector.strip(), clean_declarations(body)) for selector, body in _rules(plain))
    return "".join(f"{selector}{{{body}}}" for selector, body in rules if body and _SELECTOR.fullmatch(selector))


def references_by_class(sheet: str) -> dict[str, list[str]]:
    """Return which ids a clean style sheet makes the elements of each class refer to.

    Raises RefusedImage where other selectors do: nobody can tell without a browser whom they select.
    """
    found: dict[str, list[str]] = {}
    for selector, body in _rules(sheet):
        references = references_in(body)
        if references and not _CLASSES.fullmatch(selector):
            raise RefusedImage(_("The style sheet in the SVG is too complex. Save it with its styles as attributes."))
        for name in selector.split(",") if references else ():
            found.setdefault(name.strip().removeprefix("."), []).extend(references)
    return found


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Yield selectors and declarations."""
    for rule in sheet.split("}")[:-1]:
        selector, brace, body = rule.partition("{")
        if brace and "{" not in body:
            yield selector, body


def _without_comments(text: str) -> str:
    """Return text without comments; one that does not end goes to the end."""
    first, *others = text.split("/*")
    kept = [first, *(part.partition("*/")[2] for part in others)]
    return " ".join(kept).replace("<!--", " ").replace("-->", " ")
