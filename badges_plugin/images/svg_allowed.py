"""What may be in an uploaded SVG. What is not named here is left out.

Left out on purpose: scripts, event handlers, animation, links, foreign content, embedded images (they may be anything),
filters and patterns (a few bytes of them keep a browser busy for minutes), markers and fonts.
"""

from __future__ import annotations

import re

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

DRAWING = frozenset({"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "use"})
"""Elements that a person sees."""

WITH_TEXT = frozenset({"text", "tspan", "title", "desc", "style"})

ELEMENTS = (
    DRAWING | WITH_TEXT | {"svg", "g", "defs", "symbol", "linearGradient", "radialGradient", "stop", "clipPath", "mask"}
)

GROUPS = frozenset({"a", "switch"})
"""Elements that become plain groups: drawing programs wrap whole pictures in them."""

_STYLES = (
    "alignment-baseline baseline-shift clip-path clip-rule color color-interpolation direction display "
    "dominant-baseline fill fill-opacity fill-rule font-family font-size font-stretch font-style font-variant "
    "font-weight isolation letter-spacing mask mix-blend-mode opacity overflow paint-order shape-rendering "
    "stop-color stop-opacity stroke stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin "
    "stroke-miterlimit stroke-opacity stroke-width text-anchor text-decoration text-rendering unicode-bidi "
    "vector-effect visibility word-spacing writing-mode"
)
STYLES = frozenset(_STYLES.split())
"""Properties, as attributes or in styles."""

_ATTRIBUTES = (
    "id class style transform viewBox preserveAspectRatio x y width height cx cy r rx ry x1 y1 x2 y2 fx fy fr d points "
    "offset gradientUnits gradientTransform spreadMethod clipPathUnits maskUnits maskContentUnits dx dy rotate "
    "textLength lengthAdjust pathLength role lang href"
)
ATTRIBUTES = STYLES | frozenset(_ATTRIBUTES.split())

_FUNCTIONS = frozenset(
    {"rgb", "rgba", "hsl", "hsla", "matrix", "translate", "translatex", "translatey", "scale", "scalex", "scaley"}
    | {"rotate", "skewx", "skewy"}
)
_LOCAL = re.compile(r"url\(\s*(?:'#[\w.:-]+'|\"#[\w.:-]+\"|#[\w.:-]+)\s*\)", re.ASCII)
_REFERENCE = re.compile(r"#([\w.:-]+)", re.ASCII)
_NO_NAME = re.compile(r"[^\w-]", re.ASCII)


def value_is_harmless(value: str) -> bool:
    """Whether a value of a property or attribute neither leads out of the file nor hides what it says."""
    if "\\" in value or "/*" in value or "javascript:" in value.lower():
        return False
    others = _LOCAL.sub("", value)
    names = {_NO_NAME.split(before.rstrip())[-1].lower() for before in others.split("(")[:-1]}
    return names <= _FUNCTIONS and "//" not in others


def href_is_local(value: str) -> bool:
    return _REFERENCE.fullmatch(value.strip()) is not None


def references_in(value: str) -> list[str]:
    """Return the ids that a value refers to: ``#a``, or ``url(#a)``."""
    return [found for url in _LOCAL.findall(value) for found in _REFERENCE.findall(url)]
