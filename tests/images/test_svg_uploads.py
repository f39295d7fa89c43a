"""Uploaded SVG: what is harmless stays, what is not goes, and what cannot be used is refused with a reason."""

from __future__ import annotations

import re

import pytest
from defusedxml.ElementTree import fromstring

from badges_plugin.exceptions import RefusedImage
from badges_plugin.images import svg_costs, svg_uploads
from badges_plugin.images.svg_uploads import accept_svg
from tests.images.making import svg
from tests.limits import Lower

RECT = '<rect width="10" height="10"/>'

# What must not be in any result: scripts, handlers, and whatever leads out of the file.
HOSTILE = re.compile(
    r"script|onload|onclick|javascript|evil|foreignObject|iframe|animate|data:|@import|<image|<a\b|&(?!amp;|lt;|gt;|quot;)",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<script href="https://evil.example/x.js"/>',
        '<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>',
        '<g onload="alert(1)" ONCLICK="alert(1)"/>',
        '<g xmlns:x="urn:x" x:onload="alert(1)"/>',
        '<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="javascript:alert(1)"/></foreignObject>',
        '<a href="javascript:alert(1)"><path d="M0 0"/></a>',
        '<image href="https://evil.example/track.png"/>',
        '<image xlink:href="data:image/svg+xml;base64,PHN2Zz48L3N2Zz4="/>',
        '<use href="https://evil.example/x.svg#a"/>',
        '<use xlink:href="data:image/svg+xml,evil"/>',
        '<animate attributeName="href" values="javascript:alert(1)"/>',
        '<set attributeName="onload" to="alert(1)"/>',
        "<style>rect { fill: url(https://evil.example/x.svg#a) }</style>",
        '<style>rect { fill: url("//evil.example/x") ; background: red }</style>',
        "<style>rect { background-image: image-set('https://evil.example/x' 1x) }</style>",
        "<style>rect { fill: src('https://evil.example/x') }</style>",
        "<style>rect { behavior: url(#evil) }</style>",
        '<style>x{}</style><path style="fill:url(\'https://evil.example/x\')" d="M0 0"/>',
        '<path style="fill:url(/*#a)*/https:evil.example)" d="M0 0"/>',
        '<path fill="url(#a) url(https:evil.example)" d="M0 0"/>',
        '<path fill="u\\72l(https:evil.example)" d="M0 0"/>',
        '<path filter="url(https://evil.example/x#f)" d="M0 0"/>',
        '<filter id="f"><feImage href="https://evil.example/x"/></filter>',
        '<pattern id="p"><image href="https://evil.example/x"/></pattern>',
        '<metadata><x xmlns="urn:evil">evil</x></metadata>',
        '<credential xmlns="https://purl.imsglobal.org/ob/v3p0">evil</credential>',
        "<title><script>alert(1)</script></title>",
        "<style><script>alert(1)</script>x{fill:red}</style>",
        "<text>&lt;script&gt;</text>".replace("script", "b"),
        "<?xml-stylesheet href='https://evil.example/x.css'?>",
        "<!-- <script>evil</script> -->",
        "<text><![CDATA[<b onload='x'>]]></text>".replace("onload", "on"),
        '<discard xmlns="http://www.w3.org/2000/svg"/><handler>alert(1)</handler>',
        '<svg onload="alert(1)"><script>1</script></svg>',
    ],
)
def test_what_is_hostile_is_left_out(inside: str) -> None:
    result = accept_svg(svg(inside + RECT)).decode()
    assert not HOSTILE.search(result)
    assert fromstring(result).find("{http://www.w3.org/2000/svg}rect") is not None


def test_a_picture_stays_as_it_is() -> None:
    inside = (
        '<title>Crest</title><defs><linearGradient id="a"><stop offset="0" stop-color="#fff"/></linearGradient>'
        '<radialGradient id="b" href="#a"/><clipPath id="c"><circle cx="5" cy="5" r="4"/></clipPath>'
        '<mask id="m"><rect width="5" height="5" fill="white"/></mask></defs>'
        "<style>.x,.y{fill:url(#a);font-family:'Open Sans', sans-serif}</style>"
        '<g transform="translate(1 2) rotate(45)" clip-path="url(#c)"><path class="x" d="M0 0 L9 9z" opacity=".5"/></g>'
        '<rect width="9" height="9" style="fill:url(\'#b\');mix-blend-mode:multiply" mask="url(#m)"/>'
        '<text x="5" y="5" font-size="3">Καλά <tspan dy="1">統計</tspan> &amp;</text><use href="#c" x="1"/>'
    )
    expected = fromstring(svg(inside))
    result = fromstring(accept_svg(svg(inside)))
    assert [(each.tag, each.attrib, each.text) for each in result.iter()] == [
        (each.tag, each.attrib, each.text) for each in expected.iter()
    ]


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (svg('<a href="https://example.org/"><path d="M0 0"/></a>'), '<g><path d="M0 0" /></g>'),
        (svg('<switch><foreignObject/><g><path d="M0 0"/></g></switch>'), '<g><g><path d="M0 0" /></g></g>'),
        (svg('<path id="p" d="M0 0"/><use xlink:href="#p"/>'), '<use href="#p" />'),
        (svg(RECT, 'width="40px" height="20"'), '<svg viewBox="0 0 40 20"'),
        (svg(RECT, 'viewBox="0,0,8,8" width="100%" height="9in" x="1"'), '<svg viewBox="0 0 8 8"'),
        (b"\xef\xbb\xbf<?xml version='1.0' encoding='ISO-8859-1'?>" + svg("<text>ü</text>"), "<text>ü</text>"),
        (b'<?xml version="1.0" standalone="no"?>\n' + svg(), '<rect width="10" height="10" />'),
    ],
)
def test_what_drawing_programs_write_is_understood(data: bytes, kept: str) -> None:
    assert kept in accept_svg(data).decode()


def test_what_was_accepted_is_accepted_again_unchanged() -> None:
    once = accept_svg(svg("<style>.a{fill:red;x:y}</style><script/>" + RECT + "<text>a &lt; b</text>"))
    assert accept_svg(once) == once


DOUBLED = "".join(f'<g id="g{n}"><use href="#g{n + 1}"/><use href="#g{n + 1}"/></g>' for n in range(30)) + RECT
MASKED = "".join(
    f'<mask id="m{n}"><path mask="url(#m{n + 1})"/><path mask="url(#m{n + 1})"/></mask>' for n in range(30)
)
BY_CLASS = "<style>" + "".join(f".c{n}{{clip-path:url(#p{n})}}" for n in range(30)) + "</style>"
BY_CLASS += "".join(
    f'<clipPath id="p{n}"><path class="c{n + 1}"/><path class="c{n + 1}"/></clipPath>' for n in range(29)
)
TWO_IDS = DOUBLED + "".join(f'<g id="g{n}"/>' for n in range(30))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GIF89a", "neither a PNG nor a readable SVG"),
        (b"\x00\x01\x02", "neither"),
        (b"<svg", "neither a PNG nor a readable SVG"),
        (b"<html></html>", "not an SVG"),
        (b"<svg><rect/></svg>", "not an SVG"),  # without its namespace no browser draws it
        (b'<x:svg xmlns:x="urn:evil"><rect/></x:svg>', "not an SVG"),
        (svg().decode().encode("utf-16"), "UTF-8"),
        (b"<?xml version='1.0' encoding='utf-7'?>" + svg("+ADw-script+AD4-"), "nothing to see"),
        (b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd">' + svg(), "document type"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]>' + svg("&a;" + RECT), "document type"),
        (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + svg("<text>&a;</text>"), "document type"),
        (svg("&undefined;"), "neither"),
        (svg(""), "nothing to see"),
        (svg("<script>alert(1)</script>"), "nothing to see"),
        (svg('<image href="https://evil.example/x.png"/>'), "nothing to see"),
        (svg(f"<defs>{RECT}</defs>"), "nothing to see"),
        (svg(f"<style>@import url(https://evil.example/);</style>{RECT}"), "@ rules"),
        (svg(f"<style>@font-face {{ src: url(https://evil.example/) }}</style>{RECT}"), "@ rules"),
        (svg(f"<style>rect {{ fill: u\\72l(x) }}</style>{RECT}"), "@ rules"),
        (svg(f"<style>g rect {{ fill: url(#a) }}</style>{RECT}"), "style sheet in the SVG is too complex"),
        (svg(RECT, ""), "viewBox"),
        (svg(RECT, 'viewBox="0 0 0 10"'), "viewBox"),
        (svg(RECT, 'viewBox="0 0 1e999 10"'), "viewBox"),
        (svg(RECT, 'viewBox="0 0 nan 10"'), "viewBox"),
        (svg(RECT, 'viewBox="a b c d"'), "viewBox"),
        (svg(RECT, 'width="100%" height="100%"'), "viewBox"),
        (svg("<g>" * 150 + RECT + "</g>" * 150), "too complex"),
        (svg("<x>" * 5000 + "</x>" * 5000 + RECT), "too complex"),
        (svg(f'<g xmlns:a="{"u" * 500}"><a:g/></g>' + RECT), "too complex"),
        (svg(f'{DOUBLED}<use href="#g0"/>'), "too complex"),
        (svg(f'{TWO_IDS}<use href="#g0"/>'), "too complex"),
        (svg(f'{MASKED}<rect width="9" mask="url(#m0)"/>'), "too complex"),
        (svg(f'{BY_CLASS}<rect width="9" class="c0"/>'), "too complex"),
        (svg('<g id="a"><use href="#a"/></g>' + RECT), "refers to itself"),
        (
            svg('<clipPath id="a"><path clip-path="url(#b)"/></clipPath><clipPath id="b" clip-path="url(#a)"/>' + RECT),
            "itself",
        ),
        (svg("".join(f'<path id="a{n}" fill="url(#a{n + 1})" d="M0 0"/>' for n in range(300))), "too complex"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(RefusedImage, match=re.escape(reason)):
        accept_svg(data)


def test_a_drawing_of_too_many_elements_is_refused(lower: Lower) -> None:
    lower(svg_uploads, MAX_ELEMENTS=10)
    lower(svg_costs, MAX_COST=10)
    accept_svg(svg(RECT * 9))
    with pytest.raises(RefusedImage, match="too complex"):
        accept_svg(svg(RECT * 10))
    with pytest.raises(RefusedImage, match="too complex"):
        accept_svg(svg(f'<g id="g">{RECT * 4}</g><use href="#g"/>'))


LONG = 100_000


@pytest.mark.parametrize(
    "inside",
    [
        f"<style>{'/*' * LONG}</style>",
        f"<style>{'a' * LONG}</style>",
        f"<style>{'{' * LONG}</style>",
        f'<path fill="{"a" * LONG}"/>',
        f'<path fill="{"url(" * LONG}"/>',
        f'<path fill="url({" " * LONG}"/>',
        f'<path style="{";" * LONG}"/>',
    ],
    ids=lambda value: value[:20],
)
def test_long_values_do_not_take_longer_than_they_are(inside: str) -> None:
    """Each would take minutes if a regular expression looked for an end from every beginning."""
    accept_svg(svg(inside + RECT))


@pytest.mark.parametrize("attributes", [f'width="{"9" * LONG}x" height="9"', f'viewBox="{" " * LONG}"'], ids=["9", "_"])
def test_long_sizes_do_not_take_longer_than_they_are(attributes: str) -> None:
    with pytest.raises(RefusedImage, match="viewBox"):
        accept_svg(svg(RECT, attributes))
