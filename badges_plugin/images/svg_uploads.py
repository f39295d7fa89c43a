"""Uploaded SVG: read with defusedxml, and written anew with nothing but what ``svg_allowed`` names.

The result is served with a content security policy that stops scripts as well; this is for those who download it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element, TreeBuilder, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, XMLParser
from django.utils.translation import gettext as _

from badges_plugin import namespaces
from badges_plugin.exceptions import RefusedImage
from badges_plugin.images import svg_costs
from badges_plugin.images.svg_allowed import (
    ATTRIBUTES,
    DRAWING,
    ELEMENTS,
    GROUPS,
    SVG,
    WITH_TEXT,
    XLINK,
    href_is_local,
    value_is_harmless,
)
from badges_plugin.images.svg_styles import clean_declarations, clean_sheet

MAX_ELEMENTS = 20_000
MAX_DEPTH = 100
_IN_SVG = f"{{{SVG}}}"
_KEPT = frozenset({"defs", "symbol", "clipPath", "mask"})
_NUMBER = re.compile(r"\s*\+?(\d*\.?\d+)\s*(px)?\s*", re.ASCII)


def accept_svg(data: bytes) -> bytes:
    """Return the harmless part of an SVG file, in UTF-8. Raises RefusedImage."""
    root = _read(data)
    for style in root.iter("style"):
        style.text = clean_sheet("".join(style.itertext()))
    _give_it_a_size(root)
    if not _draws(root):
        raise RefusedImage(_("There is nothing to see in the SVG: it has no drawing, or only what is not allowed."))
    svg_costs.check(root)
    root.set("xmlns", SVG)
    return tostring(root, encoding="unicode").encode()


def _read(data: bytes) -> Element:
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedImage(_("The file is neither a PNG nor an SVG in UTF-8.")) from None
    if namespaces.are_costly(data):
        raise svg_costs.too_complex()
    parser = XMLParser(target=_Cleaner(), forbid_dtd=True)
    try:
        parser.feed(text)
        root: Element = parser.close()
    except DefusedXmlException:
        raise RefusedImage(
            _("The SVG has a document type (<!DOCTYPE …>). Save it as “plain SVG”, or delete that line.")
        ) from None
    except (ParseError, ValueError, LookupError) as error:
        if isinstance(error, RefusedImage):
            raise
        raise RefusedImage(_("The file is neither a PNG nor a readable SVG.")) from None
    return root


class _Cleaner:
    """Builds a tree of what is allowed, in plain names, while the parser reads; stops where there is too much."""

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._open: list[str] = []  # as they are named in the result
        self._left_out = 0  # depth inside an element that is left out
        self._count = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS or len(self._open) + self._left_out >= MAX_DEPTH:
            raise svg_costs.too_complex()
        name = _name(tag)
        if not self._open and not self._left_out and name != "svg":
            raise RefusedImage(_("The file is not an SVG: its first element must be “svg” of the SVG namespace."))
        if self._left_out or name not in ELEMENTS | GROUPS or (self._open and self._open[-1] in {"style", "title"}):
            self._left_out += 1
            return
        name = "g" if name in GROUPS else name
        self._open.append(name)
        self._builder.start(name, _attributes(attributes))

    def end(self, tag: str) -> None:
        if self._left_out:
            self._left_out -= 1
        else:
            self._builder.end(self._open.pop())

    def data(self, text: str) -> None:
        if self._open and not self._left_out and self._open[-1] in WITH_TEXT:
            self._builder.data(text)

    def close(self) -> Element:
        return self._builder.close()


def _attributes(given: Mapping[str, str]) -> dict[str, str]:
    kept = {}
    for full_name, value in given.items():
        name = "href" if full_name == f"{{{XLINK}}}href" else full_name
        if name == "style":
            value = clean_declarations(value)
        elif name not in ATTRIBUTES or not value_is_harmless(value) or (name == "href" and not href_is_local(value)):
            continue
        kept[name] = value
    return kept


def _name(tag: str) -> str:
    """Return the name of an element of SVG; empty for any other."""
    return tag.removeprefix(_IN_SVG) if tag.startswith(_IN_SVG) else ""


def _draws(root: Element) -> bool:
    """Whether something is drawn, not only kept for use elsewhere."""
    return any(child.tag in DRAWING or (child.tag not in _KEPT and _draws(child)) for child in root)


def _give_it_a_size(root: Element) -> None:
    """Keep the view box alone, so that the picture fills what it is shown in. Raises RefusedImage without any size."""
    box = [part for part in re.split(r"[\s,]+", root.get("viewBox", "").strip()) if part]
    if not box:
        sizes = [_NUMBER.fullmatch(root.get(name, "")[:32]) for name in ("width", "height")]
        box = ["0", "0", *(found[1] for found in sizes if found)]
    try:
        numbers = [float(part) for part in box]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or not all(0 < side < 1e6 for side in numbers[2:]) or not all(abs(n) < 1e6 for n in numbers):
        raise RefusedImage(_("The SVG does not say how large the drawing is: it needs a “viewBox”."))
    for name in ("x", "y", "width", "height"):
        root.attrib.pop(name, None)
    root.set("viewBox", " ".join(f"{number:g}" for number in numbers))
