"""Badges in pictures, also in pictures made to do harm."""

from __future__ import annotations

import io
import json
import zlib

import pytest
from defusedxml.ElementTree import fromstring
from PIL import Image
from PIL.PngImagePlugin import PngImageFile, PngInfo

from badges_plugin.distribution.open_badges import baking, strict_json, svg, tokens
from badges_plugin.distribution.open_badges.baking import UnbakeablePicture, bake_png, bake_svg, extract
from tests.images.making import chunk
from tests.limits import Lower
from tests.open_badges.samples import KID, TOKEN_KEY, signed

BADGE = json.dumps({"name": '“]]>” \\ " مرحبا 🏅', "n": 1}, ensure_ascii=False)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>'


def picture(**texts: str) -> bytes:
    """Return a PNG with a text chunk for each of ``texts``."""
    info = PngInfo()
    for keyword, text in texts.items():
        info.add_text(keyword, text)
    file = io.BytesIO()
    Image.new("RGB", (9, 7), (200, 40, 90)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def with_chunks(*chunks: bytes) -> bytes:
    png = picture()
    return png[:33] + b"".join(chunks) + png[33:]


def test_png_carries_a_badge_where_the_specification_wants_it() -> None:
    png = picture()
    baked = bake_png(png, BADGE)
    data = b"openbadgecredential\0\0\0\0\0" + BADGE.encode()
    # The signature and IHDR, 33 bytes, and all that follows are as they were.
    assert baked == png[:33] + chunk(b"iTXt", data) + png[33:]
    opened = Image.open(io.BytesIO(baked))
    assert isinstance(opened, PngImageFile)
    assert opened.text == {"openbadgecredential": BADGE}
    assert opened.getpixel((0, 0)) == (200, 40, 90)
    assert extract(baked) == BADGE


def test_png_keeps_other_texts_and_loses_older_badges() -> None:
    png = picture(Author="Ada", openbadges='{"old": 2}', openbadgecredential="{}")
    once = bake_png(png, BADGE)
    assert bake_png(bake_png(once, "a.b.c"), BADGE) == once
    opened = Image.open(io.BytesIO(once))
    assert isinstance(opened, PngImageFile)
    assert opened.text == {"Author": "Ada", "openbadgecredential": BADGE}


def test_badge_that_another_program_baked_is_found() -> None:
    info = PngInfo()
    info.add_itxt("openbadgecredential", BADGE, zip=True)
    file = io.BytesIO()
    Image.new("L", (1, 1)).save(file, "PNG", pnginfo=info)
    assert extract(file.getvalue()) == BADGE


def test_two_badges_in_a_picture_are_none() -> None:
    data = b"openbadgecredential\0\0\0\0\0{}"
    assert extract(with_chunks(chunk(b"iTXt", data), chunk(b"iTXt", data))) is None
    baked = bake_svg(SVG, BADGE)
    element = baked[baked.index(b"<openbadges") : baked.index(b"<g/>")]
    assert extract(baked.replace(b"<g/>", element)) is None


PNG = picture()


@pytest.mark.parametrize(
    "png",
    [
        b"",
        PNG[:8],
        PNG[:40],
        PNG[:-12],  # without IEND
        PNG[:30] + b"!" + PNG[31:],  # a damaged IHDR
        PNG[:8] + PNG[33:],  # without IHDR
        PNG[:33] + PNG[8:33] + PNG[33:],  # IHDR twice
        PNG[:33] + b"\xff\xff\xff\xff" + PNG[37:],  # a chunk of 4 GiB
        b"GIF89a" + bytes(40),
    ],
)
def test_what_is_no_whole_png_is_refused(png: bytes) -> None:
    with pytest.raises(UnbakeablePicture):
        bake_png(png, BADGE)
    assert extract(png) is None


@pytest.mark.parametrize(
    "data",
    [
        b"openbadgecredential",
        b"openbadgecredential\0",
        b"openbadgecredential\0\1\0\0\0not zlib",
        b"openbadgecredential\0\1\0\0\0" + zlib.compress(bytes(50_000_000)),
        b"openbadgecredential\0\0\0\0\0\xff\xfe",
        b"openbadgecredential\0\0\0\0\0" + b"x" * (strict_json.MAX_BYTES + 1),
    ],
)
def test_a_hostile_chunk_holds_no_badge(data: bytes) -> None:
    assert not extract(with_chunks(chunk(b"iTXt", data)))


@pytest.mark.parametrize(
    ("picture", "text"),
    [
        (SVG, BADGE),
        (SVG, "head.pay-load_.sign"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', BADGE),
        (b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\n<!-- <svg> -->' + SVG, BADGE),
        (
            b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">' + SVG,
            "a.b.c",
        ),
        ('<s:svg a=\'>"\' xmlns:s="http://www.w3.org/2000/svg"\n><s:text>é</s:text></s:svg>'.encode(), BADGE),
        (SVG, json.dumps({"x": "\x0b\ufffe"}, ensure_ascii=False).replace("\\u000b", "\x0b")),
    ],
)
def test_svg_carries_a_badge_first_in_its_root(picture: bytes, text: str) -> None:
    baked = bake_svg(picture, text)
    root = fromstring(baked)
    first = root[0]
    assert first.tag == "{https://purl.imsglobal.org/ob/v3p0}credential"
    assert b'xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"' in baked
    assert first.get("verify") == (None if text.startswith("{") else text)
    found = extract(baked)
    assert found is not None
    assert found == text or json.loads(found) == json.loads(text, strict=False)
    # The rest is as it was: what is baked again is the same.
    assert bake_svg(bake_svg(baked, "other.token.x"), text) == baked


def test_svg_loses_older_badges() -> None:
    old = (
        b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="http://openbadges.org">'
        b'<openbadges:assertion verify="a.b.c"><![CDATA[ </x> ]]></openbadges:assertion ><g/></svg>'
    )
    baked = bake_svg(old, BADGE)
    assert [element.tag for element in fromstring(baked)] == [svg._CREDENTIAL, "{http://www.w3.org/2000/svg}g"]
    assert extract(old) is None
    assert extract(baked) is not None


def test_a_signed_badge_survives_every_picture() -> None:
    document = signed(name='“]]>” & <b> \\ " مرحبا 🏅')
    text = json.dumps(document, ensure_ascii=False)
    token = tokens.sign(document, TOKEN_KEY, KID)
    for baked in (bake_png(PNG, text), bake_svg(SVG, text)):
        found = extract(baked)
        assert found is not None
        assert json.loads(found) == document
    assert extract(bake_png(PNG, token)) == extract(bake_svg(SVG, token)) == token


@pytest.mark.parametrize(
    "picture",
    [
        b"",
        b"<svg",
        b"<svg/>",  # in no namespace
        b"<html xmlns='http://www.w3.org/1999/xhtml'/>",
        SVG + b"<g/>",
        SVG.decode().encode("utf-16"),
        b'<?xml version="1.0" encoding="latin-1"?>' + SVG,
        b'<?xml version="1.0" encoding="nonsense"?>' + SVG,
        b'<svg xmlns="http://www.w3.org/2000/svg">\xff</svg>',
        b'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + SVG,
        b'<!DOCTYPE svg [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + SVG,
        b'<svg xmlns="http://www.w3.org/2000/svg">' + b"<g>" * 600 + b"</g>" * 600 + b"</svg>",
        b'<svg xmlns="http://www.w3.org/2000/svg">' + b" " * svg.MAX_BYTES + b"</svg>",
    ],
)
def test_what_is_no_harmless_svg_is_refused(picture: bytes) -> None:
    with pytest.raises(UnbakeablePicture):
        bake_svg(picture, BADGE)
    assert extract(picture) is None


def test_a_picture_of_countless_parts_is_refused(lower: Lower) -> None:
    png, svg_ = with_chunks(*[chunk(b"tEXt", b"")] * 3), SVG.replace(b"<g/>", b"<g/>" * 3)
    assert bake_png(png, BADGE)
    assert bake_svg(svg_, BADGE)
    lower("badges_plugin.distribution.open_badges.png", _MAX_CHUNKS=4)
    lower(svg, _MAX_ELEMENTS=3)
    with pytest.raises(UnbakeablePicture, match="too many chunks"):
        bake_png(png, BADGE)
    with pytest.raises(UnbakeablePicture, match="too many elements"):
        bake_svg(svg_, BADGE)


@pytest.mark.parametrize(
    ("start", "is_refused"),
    [
        ('<svg xmlns="{svg}" xmlns:a="{uri}">', True),
        ("<svg xmlns='{svg}' xmlns:a\n =\n '{uri}'>", True),
        ('<svg xmlns="{svg}"><g xmlns="{uri}"/><g>', True),
        ('<svg xmlns="{svg}" xmlns:{uri}="a">', True),
        ('<!DOCTYPE svg [<!ATTLIST svg xmlns:a CDATA "{uri}">]><svg xmlns="{svg}">', True),
        ('<svg xmlns="{svg}" xmlns:a="http://a.example/"><path d="{uri}"/><g>', False),
    ],
)
def test_a_namespace_that_makes_names_long_is_refused(start: str, is_refused: bool) -> None:
    """Otherwise two megabytes of SVG took gigabytes of memory: each name is preceded by its namespace."""
    begin = start.format(svg="http://www.w3.org/2000/svg", uri="u" * 500)
    picture = (begin + "</g>" * begin.endswith("<g>") + "</svg>").encode()
    assert svg_is_refused(picture) is is_refused


def svg_is_refused(picture: bytes) -> bool:
    try:
        bake_svg(picture, "{}")
    except UnbakeablePicture as refusal:
        return "namespace" in str(refusal)
    return False


def test_pictures_are_told_from_text() -> None:
    assert [baking.is_picture(data) for data in (PNG, SVG, b"\xef\xbb\xbf " + SVG, b'{"a": 1}', b"")] == [
        True,
        True,
        True,
        False,
        False,
    ]
