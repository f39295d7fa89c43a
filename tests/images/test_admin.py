"""The image of a badge template in the admin: who may change it, what is saved, and what is said."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from badges_plugin.admin.image_form import BadgeImageForm
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.images import picture_of
from badges_plugin.images.designs import Design
from badges_plugin.models import BadgeImage, BadgeTemplate, ImageKind
from tests.core.admin_pages import errors, filled_in, staff, submit, text, url
from tests.factories import make_template
from tests.images.making import opened, png, svg

pytestmark = pytest.mark.django_db

RED_SQUARE = svg('<script>alert(1)</script><rect width="10" height="10" fill="red"/>')


@pytest.fixture
def client() -> Client:
    return staff(superuser=True)


@pytest.fixture
def template() -> BadgeTemplate:
    return make_template(name="Data Analysis", icon="", is_active=False)


def save(client: Client, template: BadgeTemplate, **changes: Any) -> Any:
    return submit(
        client,
        url("badgetemplate", "change", template.pk),
        {f"image-0-{name}": value for name, value in changes.items()},
    )


def file(data: bytes, name: str = "badge.svg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def test_saving_the_page_stores_no_image(client: Client, template: BadgeTemplate) -> None:
    before = picture_of(template)
    values = filled_in(client.get(url("badgetemplate", "change", template.pk)))
    design = before.design
    assert [values[f"image-0-{name}"] for name in ("look", "shape", "color", "text")] == [
        ["automatic"],
        [design.shape],
        [design.color],
        ["DA"],
    ]
    save(client, template)
    assert not BadgeImage.objects.exists()
    assert picture_of(template) == before


def test_what_is_chosen_is_the_image(client: Client, template: BadgeTemplate) -> None:
    save(client, template, shape="rosette", color="plum", text=" R&D\x07 ")
    assert picture_of(template).design == Design("rosette", "plum", "R&D")
    assert "Added image" in LogEntry.objects.get().get_change_message()
    save(client, template, color="navy", text="")
    assert picture_of(template).design == Design("rosette", "navy", "")
    changed = LogEntry.objects.order_by("pk").last()
    assert changed is not None
    assert "Changed Color and Letters for image" in changed.get_change_message()
    save(client, template, look="automatic")
    assert picture_of(template).design.text == "DA"
    assert picture_of(template).kind == ImageKind.AUTOMATIC


def test_an_upload_is_the_image_made_harmless(client: Client, template: BadgeTemplate) -> None:
    save(client, template, upload=file(RED_SQUARE), shape="rosette", color="plum")
    picture = picture_of(template)
    assert picture.kind == ImageKind.SVG
    assert b"script" not in (picture.svg or b"script")
    assert picture.design == Design("rosette", "plum", "DA")
    save(client, template, png=file(png(color=(255, 0, 0))))
    assert opened(picture_of(template).png(96)).getpixel((48, 48)) == (255, 0, 0, 255)
    # Something else on the page is changed: the image stays.
    before = picture_of(template)
    submit(client, url("badgetemplate", "change", template.pk), {"description": "Other"})
    assert picture_of(template) == before
    # The PNG was of the earlier SVG.
    save(client, template, upload=file(RED_SQUARE.replace(b"red", b"blue")))
    assert not BadgeImage.objects.exclude(raster=None).exists()
    save(client, template, upload=file(png(color=(0, 0, 255))))
    assert picture_of(template).kind == ImageKind.PNG
    save(client, template, look="design")
    assert BadgeImage.objects.filter(kind=ImageKind.DESIGN, content=None, digest="").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"look": "upload"}, "Choose a file."),
        ({"look": "design", "text": "nine letters"}, "At most eight letters fit, not 12."),
        ({"shape": "heptagram"}, "Select a valid choice"),
        ({"upload": b"GIF89a"}, "Only PNG and SVG files can be used."),
        ({"upload": svg("<script/>")}, "There is nothing to see in the SVG"),
        ({"upload": png(20, 20)}, "only 20 × 20 pixels"),
        ({"png": png()}, "This is only for an SVG."),
        ({"upload": png(), "png": png()}, "This is only for an SVG."),
        ({"upload": RED_SQUARE, "png": RED_SQUARE}, "This is not a PNG file."),
        ({"upload": b""}, "The submitted file is empty."),
    ],
)
def test_what_cannot_be_used_is_said(changes: dict[str, Any], said: str, template: BadgeTemplate) -> None:
    given = {"look": "automatic", "shape": "star", "color": "teal", "text": ""}
    files = {name: file(value) for name, value in changes.items() if isinstance(value, bytes)}
    form = BadgeImageForm({**given, **changes}, files, badge_template=template)
    assert said in str(form.errors)


def test_nothing_is_saved_where_something_is_wrong(client: Client, template: BadgeTemplate) -> None:
    page = save(client, template, shape="star", upload=file(svg("<script/>")))
    assert "There is nothing to see in the SVG" in errors(page)
    assert not BadgeImage.objects.exists()


def test_who_may_change_a_template_changes_its_image(template: BadgeTemplate) -> None:
    address = url("badgetemplate", "change", template.pk)
    looking = staff("view_badgetemplate")
    page = looking.get(address)
    assert picture_of(template).best_url in page.content.decode()
    assert b"image-0-look" not in page.content
    looking.post(address, {**filled_in(page), "image-0-look": "design", "image-TOTAL_FORMS": "1"})
    assert not BadgeImage.objects.exists()
    save(staff("view_badgetemplate", "change_badgetemplate"), template, shape="rosette")
    assert picture_of(template).design.shape == "rosette"


def test_a_design_is_shown_while_it_is_chosen(template: BadgeTemplate) -> None:
    query = {"shape": "rosette", "color": "plum", "text": "<b>"}
    shown = staff("view_badgetemplate").get(url("badgetemplate", "design"), query)
    assert (shown["Content-Type"], shown["X-Content-Type-Options"]) == ("image/svg+xml", "nosniff")
    assert b"&lt;b&gt;</text>" in shown.content
    assert b"#643579" in shown.content
    assert staff().get(url("badgetemplate", "design"), query).status_code == 403
    assert Client().get(url("badgetemplate", "design"), query).status_code == 302


def test_lists_have_thumbnails_for_one_query(client: Client) -> None:
    address = url("badgetemplate")

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    first = make_template(icon="")
    own = make_template(icon="https://images.example.org/x.png")
    cost()
    before = cost()
    for _ in range(3):
        BadgeImage.objects.create(template=make_template(), kind=ImageKind.DESIGN, shape="rosette")
    assert cost() == before
    page = client.get(address).content.decode()
    assert picture_of(first).best_url in page
    assert picture_of(own).best_url in page
    assert own.icon not in page


def test_templates_of_providers_have_images_too(client: Client) -> None:
    organization = CredlyOrganization.objects.create(uuid=uuid4(), name="Org")
    template = CredlyBadgeTemplate.objects.create(
        name="C", site=make_template().site, organization=organization, icon="https://images.example.org/x.png"
    )
    lists = url("credlybadgetemplate", app="credly_badges")
    assert template.icon in client.get(lists).content.decode()
    # Its default shape follows from a random identity.
    shape = "star" if picture_of(template).design.shape != "star" else "rosette"
    submit(client, url("credlybadgetemplate", "change", template.pk, app="credly_badges"), {"image-0-shape": shape})
    assert picture_of(template).design.shape == shape
    assert template.icon not in client.get(lists).content.decode()


def test_who_sends_nothing_of_images_leaves_them_as_they_are(client: Client, template: BadgeTemplate) -> None:
    save(client, template, shape="star")
    address = url("badgetemplate", "change", template.pk)
    values = {name: value for name, value in filled_in(client.get(address)).items() if not name.startswith("image-")}
    assert client.post(address, {**values, "name": "Other"}).status_code == 302
    template.refresh_from_db()
    assert (template.name, picture_of(template).design.shape) == ("Other", "star")


def test_a_new_template_gets_its_image_afterwards(client: Client) -> None:
    page = client.get(url("badgetemplate", "add"))
    assert "image-0" not in page.content.decode()
    assert "Shape" not in text(page)
