"""How much work a drawing is: a short SVG can ask for billions of elements, by copies of copies or masks in masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from xml.etree.ElementTree import Element

from django.utils.translation import gettext as _

from badges_plugin.exceptions import RefusedImage
from badges_plugin.images.svg_allowed import references_in
from badges_plugin.images.svg_styles import references_by_class

MAX_COST = 100_000
_MAX_STEPS = 200  # from an element to its children and to what it refers to; each is a call


def check(root: Element) -> None:
    """Refuse a drawing of more elements than browsers draw at once, and one that refers to itself. RefusedImage."""
    _Costs(root).of(root)


class _Costs:
    def __init__(self, root: Element) -> None:
        self._named: dict[str, Element] = {}
        for element in root.iter():
            self._named.setdefault(element.get("id", ""), element)  # of several, browsers take the first
        sheet = "".join(style.text or "" for style in root.iter("style"))
        self._by_class: Mapping[str, list[Element]] = {
            name: [self._named[each] for each in dict.fromkeys(ids) if each in self._named]
            for name, ids in references_by_class(sheet).items()
        }
        self._known: dict[Element, int] = {}
        self._within: set[Element] = set()

    def of(self, element: Element) -> int:
        """Return how many elements are drawn for one, with all that it refers to. Raises RefusedImage for too many."""
        if element in self._known:
            return self._known[element]
        if element in self._within:
            raise RefusedImage(_("A part of the SVG refers to itself. Simplify the drawing, or upload it as PNG."))
        if len(self._within) > _MAX_STEPS:
            raise too_complex()
        self._within.add(element)
        total = 1
        for part in chain(element, self._referred(element)):
            total += self.of(part)
            if total > MAX_COST:
                raise too_complex()
        self._within.remove(element)
        self._known[element] = total
        return total

    def _referred(self, element: Element) -> Iterator[Element]:
        for name in _references(element):
            if name in self._named:
                yield self._named[name]
        for name in element.get("class", "").split():
            yield from self._by_class.get(name, ())


def _references(element: Element) -> Iterator[str]:
    for name, value in element.items():
        if name == "href":
            yield value.strip().removeprefix("#")
        elif name != "id":
            yield from references_in(value)


def too_complex() -> RefusedImage:
    return RefusedImage(_("The SVG is too complex. Simplify the drawing, or upload it as PNG."))
