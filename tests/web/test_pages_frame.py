"""What stands around every page: headers, languages, the site’s name and theme; and pages survive a poor set-up."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.http import HttpResponse
from django.test import override_settings

from badges_plugin.doctor import Level
from badges_plugin.web import checks
from badges_plugin.web.headers import policy
from badges_plugin.web.pages import urls as page_urls
from tests.catalog import write_catalog
from tests.web.pages_world import NOBODY, as_user, words

VERIFY = "/badges/verify/"


@pytest.mark.parametrize(
    ("images", "assets", "expected"),
    [
        ([], "/static/pages.css", {"style-src": "'self'", "img-src": "'self'"}),
        (
            ["https://x.example/a.png", "/b.png"],
            "/s.css",
            {"style-src": "'self'", "img-src": "'self' https://x.example"},
        ),
        (
            [],
            "https://cdn.example:8443/s.css",
            {"style-src": "'self' https://cdn.example:8443", "img-src": "'self' https://cdn.example:8443"},
        ),
        (
            ["javascript:alert(1)", "https://x; script-src *", "//y.example/z", "https://[", ""],
            "",
            {"img-src": "'self'"},
        ),
        (
            ["https://bücher.example/a.png", "https://書籍.example/b.png", "https://*/c.png"],
            "",
            {"img-src": "'self' https://xn--bcher-kva.example https://xn--rovu88b.example"},
        ),
    ],
)
def test_the_policy_allows_what_is_shown(images: list[str], assets: str, expected: dict[str, str]) -> None:
    parts = dict(part.strip().split(" ", 1) for part in policy(images=images, assets=assets).split(";"))
    assert {name: parts[name] for name in expected} == expected
    assert parts["default-src"] == "'none'"
    assert parts["frame-ancestors"] == "'none'"
    assert HttpResponse(headers={"X": policy(images=images)})["X"].startswith("default-src")


@pytest.mark.parametrize(
    ("asked", "language", "direction", "heading"),
    [
        ("ar", "ar", "rtl", "تحقق من وسام"),
        ("en-us", "en", "ltr", "Verify a badge"),
        ("he", "en", "ltr", "Verify a badge"),
        ("fr", "fr", "ltr", "Vérifier un badge"),
        ("xx", "en", "ltr", "Verify a badge"),
    ],
)
def test_says_its_language(
    site: Any, settings: Any, tmp_path: Path, asked: str, language: str, direction: str, heading: str
) -> None:
    # "he" is a language that the host knows and these pages are not translated to.
    write_catalog(tmp_path, "ar", {"Badges you can earn": "أوسمة", "Verify a badge": "تحقق من وسام"})
    settings.LOCALE_PATHS = [str(tmp_path)]
    response = as_user(None).get(VERIFY, HTTP_ACCEPT_LANGUAGE=asked)
    assert f'<html lang="{language}" dir="{direction}">' in response.content.decode()
    assert response["Content-Language"] == language
    assert heading in words(response)


def test_nothing_there_is_a_page_of_ours(site: Any) -> None:
    client = as_user(None)
    for path in ("b/nonsense/", "c/1/2/3/", "mine/x/", "catalogue/x/", "verify/x/", f"b/{NOBODY}/badge.exe"):
        response = client.get(f"/badges/{path}")
        assert response.status_code == 404
        assert "There is nothing here" in words(response)
        assert "default-src 'none'" in response["Content-Security-Policy"]
    response = client.get(f"/badges/b/{NOBODY}")
    assert (response.status_code, response["Location"]) == (301, f"/badges/b/{NOBODY}/")


def broken(request: Any) -> dict[str, str]:
    raise RuntimeError("Site has no siteconfiguration")


def test_survives_a_host_without_configuration_and_build(site: Any, settings: Any) -> None:
    label = "core"  # not a literal: in a real checkout the model is the service's own
    apps.get_model(label, "SiteConfiguration").objects.all().delete()
    templates = [{**settings.TEMPLATES[0]}]
    templates[0]["OPTIONS"] = {"context_processors": [f"{__name__}.broken"]}
    settings.TEMPLATES = templates
    manifest = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    with override_settings(STORAGES={"staticfiles": {"BACKEND": manifest}}):
        for path in ("verify/", "catalogue/", f"b/{NOBODY}/"):
            response = as_user(None).get(f"/badges/{path}")
            assert response.status_code in {200, 404}
            assert 'href="/static/badges_web/pages.css"' in response.content.decode()
            assert "Badges by Example University" in words(response)


def test_shows_the_sites_name_logo_and_theme(site: Any, settings: Any, tmp_path: Path) -> None:
    label = "core"  # as above
    apps.get_model(label, "SiteConfiguration").objects.update_or_create(
        site=site, defaults={"platform_name": "Academy", "theme_name": "ours", "lms_url_root": "https://x.example"}
    )
    settings.LOGO_URL, settings.FAVICON_URL = "https://edx-cdn.org/v3/default/logo.svg", "https://edx-cdn.org/f.ico"
    assert "edx-cdn" not in as_user(None).get(VERIFY).content.decode(), "the service's default is nobody's logo"
    settings.LOGO_URL = "https://lms.example/logo.svg"
    response = as_user(None).get(VERIFY)
    assert "Academy" in words(response)
    assert 'src="https://lms.example/logo.svg"' in response.content.decode()
    assert "img-src 'self' https://lms.example;" in response["Content-Security-Policy"]

    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "_header.html").write_text("<div>Theme of {{ platform_name }}</div>")
    (tmp_path / "ours" / "_footer.html").write_text("{% load no_such_library %}")
    templates = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]
    settings.TEMPLATES = templates
    text = words(as_user(None).get(VERIFY))
    assert "Theme of Academy" in text
    assert "Badges by Academy" in text, "a footer that cannot be shown is replaced by ours"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, ""),
        (
            {
                "support_email": "a@b.example",
                "help_url": "https://x.example/h",
                "verify_rate": "",
                "public_rate": "5/10s",
            },
            "",
        ),
        ({"enabled": "yes"}, "enabled"),
        ({"support_email": "nobody"}, "support_email"),
        ({"help_url": "javascript:alert(1)"}, "help_url"),
        ({"privacy_url": 7}, "privacy_url"),
        ({"verify_rate": "often"}, "verify_rate"),
        ({"public_rate": "0/m"}, "public_rate"),
        ({"size": 7}, "size"),
    ],
)
def test_settings_are_checked(settings: Any, given: dict[str, Any], problem: str) -> None:
    settings.BADGES_CONFIG = {"pages": given}
    found = checks.check_pages(None)
    assert [message.id for message in found] == (["badges_web.E001"] if problem else [])
    assert all(problem in message.msg for message in found)


def test_a_mistake_in_the_settings_takes_no_page_down(site: Any, settings: Any) -> None:
    settings.BADGES_CONFIG = {"pages": {"help_url": "nonsense"}}
    assert as_user(None).get(VERIFY).status_code == 200


def test_the_pages_can_be_switched_off(settings: Any) -> None:
    settings.BADGES_CONFIG = {"pages": {"enabled": False}}
    try:
        assert importlib.reload(page_urls).urlpatterns == []
    finally:
        settings.BADGES_CONFIG = {}
        assert importlib.reload(page_urls).urlpatterns[0].name == "mine"


@pytest.mark.parametrize(
    ("given", "levels"),
    [
        ({}, [Level.OK, Level.OK, Level.OK]),
        ({"support_email": "a@b.example", "verify_rate": "", "public_rate": ""}, [Level.OK]),
        ({"enabled": False}, [Level.OK]),
    ],
)
def test_the_doctor_looks_at_the_pages(settings: Any, given: dict[str, Any], levels: list[Level]) -> None:
    settings.BADGES_CONFIG = {"pages": given}
    assert [finding.level for finding in checks.examine()] == levels
