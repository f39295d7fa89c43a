"""Open Badges in the admin: the issuer is edited, everything else is looked at, and no private key is shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from badges_plugin.admin.templates import BadgeTemplateAdmin
from badges_plugin.distribution.open_badges.admin import BadgeAlignmentInline
from badges_plugin.distribution.open_badges.models import (
    AchievementDetails,
    BadgeAlignment,
    IssuerProfile,
    SignedBadge,
    SigningKey,
)
from badges_plugin.models import BadgeTemplate
from tests.core.admin_pages import url
from tests.distribution.worlds import deliver
from tests.factories import make_template, make_user, send_passing
from tests.open_badges.conftest import HOST

APP = "open_badges"


@pytest.fixture
def client(site_that_signs: Any) -> Client:
    label = "core"  # not a literal: in a real checkout the model is the service's own
    apps.get_model(label, "SiteConfiguration").objects.create(
        site=site_that_signs, platform_name="Example", theme_name="none", lms_url_root="https://lms.example.org"
    )
    client = Client(headers={"host": HOST})
    client.force_login(make_user(is_staff=True, is_superuser=True))
    return client


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_signed_badges_and_keys_are_shown_without_private_parts(
    client: Client, template: BadgeTemplate, ada: Any
) -> None:
    send_passing(ada)
    deliver()
    badge, key, issuer = SignedBadge.objects.get(), SigningKey.objects.get(), IssuerProfile.objects.get()
    pages = [
        text(client, url(model, page, *arguments, app=APP))
        for model, row in (("signedbadge", badge), ("signingkey", key), ("issuerprofile", issuer))
        for page, arguments in (("changelist", ()), ("change", (row.pk,)))
    ]
    assert key.encrypted_private not in "".join(pages)
    assert "ada" in pages[0]
    assert str(badge.uuid) in text(client, url("signedbadge", app=APP) + "?q=ada")
    assert "0 results" in text(client, url("signedbadge", app=APP) + "?q=nobody")
    assert "DataIntegrityProof" in pages[1]
    assert issuer.did in pages[5]
    assert client.post(url("signingkey", "change", key.pk, app=APP), {}).status_code == 403
    assert client.get(url("signingkey", "add", app=APP)).status_code == 403


def test_an_issuer_is_edited_with_a_word_about_its_addresses(client: Client, template: BadgeTemplate, ada: Any) -> None:
    new = {
        "site": template.site_id,
        "name": "Campus",
        "url": "https://campus.org",
        "base_url": f"https://{HOST}/",
        "email": "",
        "description": "",
        "image_url": "",
    }
    assert client.post(url("issuerprofile", "add", app=APP), new, follow=True).status_code == 200
    profile = IssuerProfile.objects.get()
    send_passing(ada)
    deliver()
    page = url("issuerprofile", "change", profile.pk, app=APP)
    answer = client.post(page, {**new, "base_url": "http://campus.org:81/"}, follow=True).content.decode()
    assert "earlier base URL" in answer
    assert "has a port" in answer
    assert "javascript" not in IssuerProfile.objects.get().base_url
    refused = client.post(page, {**new, "base_url": "javascript:alert(1)"}).content.decode()
    assert "Enter a valid URL" in refused
    assert client.post(url("issuerprofile", "delete", profile.pk, app=APP), {"post": "yes"}).status_code == 403


def test_what_a_badge_says_besides_is_edited_with_its_template(client: Client, template: BadgeTemplate) -> None:
    page = url("badgetemplate", "change", template.pk)
    form = text(client, page)
    assert "open_badges_alignments-TOTAL_FORMS" in form
    assert "is_signed_here" not in form, "it is signed anyway"
    add = reverse("admin:badges_plugin_badgetemplate_add")
    assert "open_badges_alignments" not in text(client, add)

    data = {
        "name": template.name,
        "description": "",
        "icon": "",
        "site": template.site_id,
        "is_active": "on",
        "can_be_reawarded": "on",
        "valid_days": "",
        "renewal_days": "0",
        "open_badges_details-TOTAL_FORMS": "1",
        "open_badges_details-INITIAL_FORMS": "0",
        "open_badges_details-0-template": template.pk,
        "open_badges_details-0-achievement_type": "Competency",
        "open_badges_details-0-tags": "logic",
        "open_badges_alignments-TOTAL_FORMS": "1",
        "open_badges_alignments-INITIAL_FORMS": "0",
        "open_badges_alignments-0-template": template.pk,
        "open_badges_alignments-0-name": "Logic",
        "open_badges_alignments-0-url": "https://esco.example.org/1",
        "open_badges_alignments-0-type": "ext:ESCOSkill",
    }
    answer = client.post(page, data, follow=True)
    assert answer.status_code == 200
    assert AchievementDetails.objects.get(template=template).achievement_type == "Competency", answer.content.decode()
    assert BadgeAlignment.objects.get(template=template).type == "ext:ESCOSkill"


def test_badges_of_a_provider_offer_them_once_they_are_signed_here(client: Client, template: BadgeTemplate) -> None:
    elsewhere = make_template(origin="elsewhere")
    page = BadgeTemplateAdmin(BadgeTemplate, admin.site)
    fields = [name for _title, options in page.get_fieldsets(None, elsewhere) for name in options["fields"]]  # type: ignore[arg-type]
    assert "is_signed_here" in fields
    assert BadgeAlignmentInline not in page.get_inlines(None, elsewhere)  # type: ignore[arg-type]
    elsewhere.is_signed_here = True
    assert BadgeAlignmentInline in page.get_inlines(None, elsewhere)  # type: ignore[arg-type]
