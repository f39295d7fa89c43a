"""The picture of a template: its digest, its bytes, its queries, its addresses, and the link preview."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image, ImageFont

from badges_plugin import checks, images
from badges_plugin.distribution.open_badges.api import issuer_of
from badges_plugin.images import conf, fonts, picture_of, pictures, png_drawing, uploads
from badges_plugin.images.designs import Design
from badges_plugin.models import BadgeImage, BadgeTemplate, ImageKind
from tests.factories import make_template
from tests.images.making import opened, png, svg

pytestmark = pytest.mark.django_db

RED_SQUARE = svg('<rect width="10" height="10" fill="red"/>')


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


def store(template: BadgeTemplate, data: bytes | None = None, raster: bytes | None = None, **fields: Any) -> BadgeImage:
    """Store an image as the admin does: an upload as it was accepted, or a design."""
    if data is not None:
        accepted = uploads.accept(SimpleUploadedFile("x", data))
        small = uploads.accept(SimpleUploadedFile("x", raster)).content if raster else None
        fields |= {"kind": accepted.kind, "content": accepted.content, "raster": small}
        fields["digest"] = uploads.digest_of(accepted.content, small)
    return BadgeImage.objects.update_or_create(
        template=template, defaults={"kind": ImageKind.DESIGN, "shape": "star", "color": "teal", "text": "*", **fields}
    )[0]


def test_every_template_has_a_picture_without_anything_stored() -> None:
    template = make_template(name="Data Analysis")
    picture = picture_of(template)
    assert picture.design.text == "DA"
    assert picture.alt == "Data Analysis"
    assert b"<title>Data Analysis</title>" in (picture.svg or b"")
    assert opened(picture.png(96)).size == (96, 96)
    automatic = store(template, kind=ImageKind.AUTOMATIC, shape="", color="", text="")
    assert picture_of(automatic.template) == picture


def test_a_chosen_design_is_drawn() -> None:
    template = make_template()
    store(template, shape="star", color="teal", text="A & B")
    picture = picture_of(template)
    assert picture.design == Design("star", "teal", "A & B")
    assert b">A &amp; B</text>" in (picture.svg or b"")
    assert picture.png(96) == png_drawing.png(picture.design, 96)


def test_an_uploaded_png_has_no_svg_and_is_shown_in_every_size() -> None:
    template = make_template()
    store(template, png(color=(255, 0, 0)))
    picture = picture_of(template)
    assert picture.svg is None
    assert [opened(picture.png(size)).getpixel((size // 2, size // 2)) for size in images.SIZES] == [
        (255, 0, 0, 255)
    ] * 3
    assert picture.best_url == picture.url("png")


def test_an_uploaded_svg_is_a_design_as_png_unless_a_png_was_uploaded_with_it() -> None:
    template = make_template()
    store(template, RED_SQUARE)
    alone = picture_of(template)
    assert b'fill="red"' in (alone.svg or b"")
    assert alone.png(96) == png_drawing.png(Design("star", "teal", "*"), 96)
    store(template, RED_SQUARE, raster=png(color=(255, 0, 0)))
    both = picture_of(template)
    assert both.svg == alone.svg
    assert opened(both.png(96)).getpixel((48, 48)) == (255, 0, 0, 255)
    assert both.digest != alone.digest


def test_baked_are_a_png_of_600_pixels_and_an_svg_whatever_was_uploaded() -> None:
    template = make_template(name="A <b>")
    assert opened(images.png_for_baking(template)).size == (600, 600)
    assert images.svg_for_baking(template) == picture_of(template).svg
    store(template, png(color=(255, 0, 0)))
    embedded = re.search(rb'<title>A &lt;b&gt;</title><image .*base64,([^"]*)"', images.svg_for_baking(template))
    assert embedded is not None
    assert base64.b64decode(embedded[1]) == images.png_for_baking(template)


def test_a_digest_is_another_for_every_other_picture(settings: Any) -> None:
    template = make_template(name="A")
    digests = [picture_of(template).digest]
    for changes in (
        {},
        {"shape": "circle"},
        {"color": "navy"},
        {"text": "B"},
        {"data": png(color=(255, 0, 0))},
        {"data": png(color=(0, 255, 0))},
        {"data": RED_SQUARE},
        {"data": RED_SQUARE, "raster": png(color=(255, 0, 0))},
    ):
        store(template, **changes)
        digests.append(picture_of(template).digest)
    template.name = "B"  # it is the title of the SVG
    digests.append(picture_of(template).digest)
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "images": {"fonts": ["/fonts/other.ttf"]}}
    digests.append(picture_of(template).digest)
    assert len(set(digests)) == len(digests)
    assert picture_of(template).digest == digests[-1]


def test_any_number_of_pictures_costs_one_query_and_reads_no_content(django_assert_num_queries: Any) -> None:
    templates = [make_template() for _ in range(3)]
    store(templates[0], png(color=(255, 0, 0)))
    store(templates[1], RED_SQUARE)
    with django_assert_num_queries(1) as queries:
        found = pictures(templates)
        assert [found[template.pk].kind for template in templates] == ["png", "svg", "automatic"]
        assert all(found[template.pk].best_url for template in templates)
        found[templates[2].pk].png(96)
    assert '"content"' not in queries.captured_queries[0]["sql"].replace("`", '"')
    with django_assert_num_queries(1):
        found[templates[0].pk].png(96)
        found[templates[0].pk].png(192)
    with django_assert_num_queries(0):
        assert pictures([]) == {}


def test_a_picture_that_is_replaced_meanwhile_is_not_another_one() -> None:
    template = make_template()
    store(template, png(color=(255, 0, 0)))
    picture = picture_of(template)
    store(template, png(color=(0, 0, 255)))
    assert picture.png(96) == png_drawing.png(picture.design, 96)


# The views.


def test_images_are_served_to_be_kept_forever() -> None:
    template = make_template(name="Data Analysis")
    picture = picture_of(template)
    client = Client()
    for address, content_type, body in (
        (picture.url("svg"), "image/svg+xml", picture.svg),
        (picture.url(), "image/png", picture.png(600)),
        (picture.url(size=96), "image/png", picture.png(96)),
        (picture.url(size=192), "image/png", picture.png(192)),
    ):
        with CaptureQueriesContext(connection) as queries:
            response = client.get(address)
        # The service's own middleware asks for its sites.
        assert len([query for query in queries if "badges_plugin_" in query["sql"]]) == 2
        assert (response.status_code, response["Content-Type"], response.content) == (200, content_type, body)
        assert response["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        assert not response.cookies
        again = client.get(address, headers={"If-None-Match": response["ETag"]})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", response["ETag"])
        assert again["Cache-Control"] == response["Cache-Control"]
        head = client.head(address)
        assert (head.status_code, head.content, head["Content-Length"]) == (200, b"", str(len(body or b"")))
        assert client.post(address).status_code == 405
    assert picture.url(size=96).endswith(f"/badges/images/{template.uuid}/{picture.digest}.png?size=96")


def test_an_earlier_address_leads_to_the_present_image() -> None:
    template = make_template()
    before = picture_of(template)
    earlier_preview = images.preview_url_of(template.uuid, images.preview_digest(before, issuer_of(template.site).name))
    store(template)
    now = picture_of(template)
    client = Client()
    for earlier, present in (
        (before.url("svg"), now.url("svg")),
        (before.url(size=96), now.url(size=96)),
        (
            earlier_preview,
            images.preview_url_of(template.uuid, images.preview_digest(now, issuer_of(template.site).name)),
        ),
    ):
        response = client.get(earlier)
        assert (response.status_code, response["Location"]) == (302, present)
        assert response["Cache-Control"] == "public, max-age=60"
        assert client.get(present).status_code == 200


def test_what_is_not_there_is_answered_plainly() -> None:
    template = make_template()
    store(template, png(color=(255, 0, 0)))
    present = picture_of(template)
    client = Client()
    for address in (
        present.url("svg"),
        present.url() + "?size=95",
        present.url() + "?size=",
        present.url() + "?size=600000",
        present.url().replace(str(template.uuid), "00000000-0000-0000-0000-000000000000"),
        images.preview_url_of("00000000-0000-0000-0000-000000000000", "0"),  # type: ignore[arg-type]
    ):
        response = client.get(address)
        assert (response.status_code, response["Content-Type"]) == (404, "text/plain; charset=utf-8"), address
        assert response.content == b"There is no such image."


def test_a_drawing_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    draw = png_drawing.png
    monkeypatch.setattr(png_drawing, "png", lambda design, size: drawn.append(size) or draw(design, size))  # type: ignore[func-returns-value]
    address = picture_of(make_template()).url(size=96)
    assert Client().get(address).content == Client().get(address).content
    assert drawn == [96]


# Link previews.


@pytest.mark.parametrize(
    "name",
    [
        "Data Analysis",
        "تحليل البيانات",
        "Pneumonoultramicroscopicsilicovolcanoconiosis" * 3,
        "Many short words " * 15,
        "统计学",
        "🚀",
    ],
)
def test_a_link_preview_has_the_badge_and_its_name_within_its_borders(name: str) -> None:
    template = make_template(name=name)
    picture = picture_of(template)
    address = images.preview_url_of(template.uuid, images.preview_digest(picture, issuer_of(template.site).name))
    response = Client().get(address)
    assert (response.status_code, response["Content-Type"]) == (200, "image/png")
    preview = opened(response.content).convert("RGB")
    assert preview.size == (1200, 630)
    left, top, right, bottom = _painted(preview)
    assert left >= 80
    assert top >= 40
    assert right <= 1120
    assert bottom <= 590


def _painted(preview: Image.Image) -> tuple[int, int, int, int]:
    """Return where something is, besides the bar below."""
    gray = preview.convert("L").crop((0, 0, 1200, 616)).point([255 if value < 250 else 0 for value in range(256)])
    box = gray.getbbox()
    assert box is not None
    return box


def test_a_preview_without_words_has_the_badge_in_the_middle() -> None:
    picture = picture_of(make_template(name="统计学"))
    left, _, right, _ = _painted(opened(images.preview_png(picture, "")).convert("RGB"))
    assert abs((left + right) / 2 - 600) <= 1


def test_another_issuer_is_another_preview() -> None:
    picture = picture_of(make_template())
    assert images.preview_digest(picture, "One") != images.preview_digest(picture, "Another")


# Settings.


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"max_bytes": 0}, "max_bytes"),
        ({"max_bytes": "1 MB"}, "max_bytes"),
        ({"max_bytes": 10**9}, "max_bytes"),
        ({"max_pixels": True}, "max_pixels"),
        ({"max_pixels": 100_000}, "max_pixels"),
        ({"fonts": "/x.ttf"}, "fonts"),
        ({"fonts": ["x.ttf"]}, "absolute"),
        ({"fonts": [1]}, "fonts"),
        ({"font": []}, "unknown keys"),
        ("x", "dictionary"),
    ],
)
def test_mistakes_in_the_settings_are_named(given: Any, wrong: str, settings: Any) -> None:
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "images": given}
    with pytest.raises(ImproperlyConfigured, match=wrong):
        conf.config()
    assert [message.id for message in checks.check_configuration(None)] == ["badges_plugin.E001"]


def test_fonts_of_the_settings_come_first_and_bad_ones_are_reported(settings: Any, tmp_path: Path) -> None:
    copy = tmp_path / "copy.ttf"
    copy.write_bytes(Path(fonts.DEJAVU).read_bytes())
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "images": {"fonts": [str(copy)]}}
    assert fonts.path_for("DA") == str(copy)
    assert checks.check_configuration(None) == []
    copy.write_bytes(b"no font")
    messages = checks.check_configuration(None)
    assert [message.id for message in messages] == ["badges_plugin.W029"]
    assert str(copy) in messages[0].msg
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "images": {"fonts": [str(tmp_path / "none.ttf")]}}
    assert fonts.path_for("DA") == fonts.DEJAVU


def test_the_font_is_shipped_with_its_license() -> None:
    font = Path(fonts.DEJAVU)
    assert ImageFont.truetype(str(font), 20).getname() == ("DejaVu Sans", "Bold")
    assert "Bitstream Vera Fonts Copyright" in font.with_name("LICENSE_DEJAVU.txt").read_text()


def test_an_image_is_deleted_with_its_template() -> None:
    template = make_template()
    store(template, png(color=(255, 0, 0)))
    template.delete()
    assert not BadgeImage.objects.exists()
