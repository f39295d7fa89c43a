"""Badges in SVG: one element, directly after the start of the root.

https://www.imsglobal.org/spec/ob/v3p0/#svg . The picture is parsed to find places in it, and changed as text, so that
nothing of it is written anew. Entities are refused by defusedxml.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import quoteattr

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from badges_plugin import namespaces
from badges_plugin.distribution.open_badges import strict_json, tokens
from badges_plugin.distribution.open_badges.data import UnbakeablePicture

_NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
_CREDENTIAL = f"{{{_NAMESPACE}}}credential"
#: The element of Open Badges 1 and 2: a picture must not carry somebody else's badge beside ours.
_OLD_ASSERTION = "{http://openbadges.org}assertion"
_SVG = "{http://www.w3.org/2000/svg}svg"
_BOM = b"\xef\xbb\xbf"
_TAG = re.compile(rb"<([^\s/>]+)(?:[^\"'>]|\"[^\"]*\"|'[^']*')*>")
_PREFIX = re.compile(rb"\sxmlns:openbadges\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"'](?!utf-8[\"']|us-ascii[\"'])", re.IGNORECASE)
#: What XML cannot hold, and what would end CDATA. In JSON these stand inside of texts only, so they can be escaped.
_UNWRITABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|]]>")
#: The time to read an SVG grows with these, as that to read a PNG does with its bytes.
MAX_BYTES = 2_000_000
_MAX_ELEMENTS = 50_000
_MAX_DEPTH = 500
_MAX_BADGES = 10


def is_xml(data: bytes) -> bool:
    """Return whether ``data`` begins like XML."""
    return data.removeprefix(_BOM).lstrip().startswith(b"<")


def bake(svg: bytes, text: str) -> bytes:
    """Return ``svg`` with ``text`` as its badge; raise UnbakeablePicture if it is no SVG in UTF-8."""
    svg = _without(svg, _scan(svg).badges)
    start = _scan(svg).root
    found = _TAG.match(svg, start)
    if found is None:
        raise UnbakeablePicture("the root element is not found")
    tag, name = _PREFIX.sub(b"", found[0]), found[1]
    is_empty = tag.endswith(b"/>")
    opened = tag.removesuffix(b">").removesuffix(b"/") + f' xmlns:openbadges="{_NAMESPACE}">'.encode()
    closed = b"</" + name + b">" if is_empty else b""
    return b"".join([svg[:start], opened, _element(text).encode(), closed, svg[found.end() :]])


def extract(svg: bytes) -> str | None:
    """Return the badge in ``svg``; None if there is none, or more than one. Raises UnbakeablePicture."""
    badges = [badge for badge in _scan(svg).badges if badge.is_current]
    if len(badges) != 1:
        return None
    return badges[0].token or "".join(badges[0].texts).strip() or None


@dataclass(slots=True)
class _Badge:
    """A badge in an SVG. ``end`` is where its end tag begins, or where it ends if it has none."""

    start: int
    is_current: bool
    token: str
    end: int = 0
    texts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Scan:
    """What the parser reports to, and what it found: the offset of the root element, and the badges below it."""

    expat: Any = None
    root: int = -1
    badges: list[_Badge] = field(default_factory=list)
    _elements: int = 0
    _depth: int = 0
    _open: _Badge | None = None
    _size: int = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        at = self.expat.CurrentByteIndex
        if self._depth == 0:
            if tag != _SVG:
                raise UnbakeablePicture("not an SVG")
            self.root = at
        elif self._depth == 1 and tag in {_CREDENTIAL, _OLD_ASSERTION}:
            self._open = _Badge(at, tag == _CREDENTIAL, attributes.get("verify", ""))
            self.badges.append(self._open)
        self._depth += 1
        self._elements += 1
        if self._depth > _MAX_DEPTH or self._elements > _MAX_ELEMENTS or len(self.badges) > _MAX_BADGES:
            raise UnbakeablePicture("the SVG has too many elements")

    def data(self, text: str) -> None:
        if self._open is not None:
            self._size += len(text)
            if self._size > strict_json.MAX_BYTES:
                raise UnbakeablePicture("the badge is too long")
            self._open.texts.append(text)

    def end(self, _tag: str) -> None:
        self._depth -= 1
        if self._depth == 1 and self._open is not None:
            self._open.end = self.expat.CurrentByteIndex
            self._open = None

    def close(self) -> None:
        pass


def _scan(svg: bytes) -> _Scan:
    if len(svg) > MAX_BYTES:
        raise UnbakeablePicture("the SVG is too large")
    # UTF-16 and UTF-32 hold zeros.
    if b"\0" in svg or _ENCODING.search(svg[:200]):
        raise UnbakeablePicture("the SVG is not in UTF-8")
    if namespaces.are_costly(svg):
        raise UnbakeablePicture("a namespace in the SVG is too long, or declared in its DTD")
    scan = _Scan()
    try:
        parser = DefusedXMLParser(target=scan)
        scan.expat = parser.parser
        parser.feed(svg)
        parser.close()
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise UnbakeablePicture(str(error)) from error
    return scan


def _without(svg: bytes, badges: list[_Badge]) -> bytes:
    for badge in reversed(badges):
        tag = _TAG.match(svg, badge.start)
        is_empty = tag is not None and tag[0].endswith(b"/>")
        end = badge.end if is_empty else svg.index(b">", badge.end) + 1
        svg = svg[: badge.start] + svg[end:]
    return svg


def _element(text: str) -> str:
    if tokens.SHAPE.fullmatch(text):
        return f"<openbadges:credential verify={quoteattr(text)}/>"
    escaped = _UNWRITABLE.sub(lambda found: "".join(map(_escape, found[0])), text)
    return f"<openbadges:credential><![CDATA[{escaped}]]></openbadges:credential>"


def _escape(character: str) -> str:
    return character if character == "]" else json.dumps(character)[1:-1] if character != ">" else "\\u003e"
