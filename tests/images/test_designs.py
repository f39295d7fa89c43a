"""Designs: which a template has, its letters, and how it is drawn as SVG and as PNG."""

from __future__ import annotations

from uuid import UUID

import pytest
from defusedxml.ElementTree import fromstring
from PIL import features

from badges_plugin.images import fonts, png_drawing, svg_drawing
from badges_plugin.images.designs import Design, default_design, estimated_font_size
from badges_plugin.images.letters import clusters, letters_of
from badges_plugin.images.shapes import COLORS, LAYERS, SHAPES
from tests.images.making import opened

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Data Analysis", "DA"),
        ("Introduction to Data Science", "ID"),  # small words do not count beside capitals,
        ("data analysis", "da"),  # but where there are no others
        ("Statistics", "St"),
        ("iOS", "iO"),  # as it is written: what a capital i is depends on the language
        ("Logic 101", "L101"),
        ("2026", "202"),
        ("Python-Programming", "PP"),
        ("(Beta) test!", "Be"),
        ("Élan vital", "Él"),
        ("E\u0301lan Vital", "ÉV"),  # decomposed
        ("ИИ и данные", "ИИ"),
        ("统计学导论", "统计"),
        ("ひらがな", "ひら"),
        ("한국어 배지", "한국"),
        ("تحليل البيانات", "تحليل"),
        ("الإحصائيات", "\u0627"),  # too long to be written, and cut it would look wrong
        ("לוגיקה", "לוגיקה"),
        ("क्षत्रिय", "क्षत्रिय"),
        ("🚀 Rocket", "Ro"),
        ("🚀", ""),
        ("!!!", ""),
        ("", ""),
        ("  \x00\x07\t", ""),
        ("A" * 255, "AA"),
    ],
)
def test_letters_of_a_name(name: str, letters: str) -> None:
    assert letters_of(name) == letters


def test_a_letter_is_what_a_reader_takes_for_one() -> None:
    assert clusters("e\u0301क्ष👩‍🚀x") == ["e\u0301", "क्ष", "👩‍🚀", "x"]


def test_the_design_of_a_template_never_changes() -> None:
    """These are in signed badges; whatever is added to shapes and colors, they stay."""
    assert default_design(UUID(int=1), "Data Analysis") == Design("circle", "burgundy", "DA")
    assert default_design(UUID(int=2), "Logic") == Design("arch", "navy", "Lo")
    assert default_design(UUID(int=2), "Renamed Badge") == Design("arch", "navy", "RB")
    drawn = {default_design(UUID(int=number), "") for number in range(400)}
    assert len({each.shape for each in drawn}) == 10
    assert len({each.color for each in drawn}) == 8


@pytest.mark.parametrize("name", COLORS)
def test_white_letters_are_readable(name: str) -> None:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio: 4.5, and the rim is told from a dark page by 3."""
    color = COLORS[name]
    assert _contrast("#ffffff", color.body) >= 4.5
    assert _contrast(color.rim, color.edge) >= 4.5
    assert _contrast(color.rim, "#12161c") >= 3


def _contrast(one: str, other: str) -> float:
    def luminance(color: str) -> float:
        parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_drawn_alike_as_svg_and_as_png(shape: str) -> None:
    design = Design(shape, "navy")
    layers = fromstring(svg_drawing.svg(design)).findall(f"{SVG}g")
    assert [layer.get("fill") for layer in layers] == [getattr(COLORS["navy"], color) for color, *_ in LAYERS]
    drawing = png_drawing.draw(design, 100)
    x, y = (round(part / 2) for part in SHAPES[shape].center)
    assert drawing.getpixel((x, y)) == (0x24, 0x49, 0x7F, 255)
    assert drawing.getpixel((0, 0)) == (0xD9, 0xE5, 0xF5, 0)
    left, top, right, bottom = drawing.getchannel("A").getbbox() or (0, 0, 0, 0)
    # It fills the square, and nothing is cut off.
    assert min(left, top) > 0
    assert max(right, bottom) < 100
    assert bottom - top > 80


def test_text_in_svg_is_text_in_any_script() -> None:
    root = fromstring(svg_drawing.svg(Design("circle", "teal", '<a> "\x01&'), "R&D <b>"))
    assert [element.text for element in root.iter() if element.text] == ["R&D <b>", '<a> "&']
    arabic = fromstring(svg_drawing.svg(Design("circle", "teal", "إحصاء"))).find(f"{SVG}text")
    assert arabic.get("direction") == "rtl"
    assert not svg_drawing.svg(Design("circle", "teal", "🚀")).isascii()
    assert b"<text" not in svg_drawing.svg(Design("circle", "teal", " \x00"))


def test_more_letters_are_smaller() -> None:
    sizes = [estimated_font_size(Design("circle", "teal", text)) for text in ("", "A", "DA", "统计", "WWWWWWWW")]
    assert sizes == [74, 74, 74, 60, 16]


@pytest.mark.parametrize("text", ["DA", "x²", "Żółć", "Λογική", "Алгебра", "לוגיקה"])
def test_png_has_the_letters_that_the_font_has(text: str) -> None:
    drawn = png_drawing.draw(Design("square", "plum", text), 100)
    assert drawn.tobytes() != png_drawing.draw(Design("square", "plum"), 100).tobytes()
    white = drawn.convert("L").point([255 if value > 200 else 0 for value in range(256)]).crop((20, 20, 80, 80))
    assert white.getbbox() is not None


@pytest.mark.parametrize("text", ["统计", "तर्क", "ไทย", "🚀", "A🚀", "A\ufe0f", "\ue000"])
def test_png_has_no_text_where_the_font_lacks_a_letter(text: str) -> None:
    assert fonts.path_for(text) is None
    assert png_drawing.png(Design("square", "plum", text), 100) == png_drawing.png(Design("square", "plum"), 100)


def test_without_raqm_no_text_is_drawn_in_the_wrong_order(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (fonts.path_for("إحصاء") is not None) == features.check("raqm")
    monkeypatch.setattr(features, "check", lambda name: False)
    assert fonts.path_for("إحصاء") is None
    assert fonts.path_for("DA") == fonts.DEJAVU


def test_a_shape_that_this_version_lacks_is_drawn_as_another() -> None:
    unknown = Design("heptagram", "infrared", "A")
    assert svg_drawing.svg(unknown) == svg_drawing.svg(Design("hexagon", "navy", "A"))
    assert opened(png_drawing.png(unknown, 96)).size == (96, 96)
