"""Who signs: profiles that are made from the site's configuration, and addresses that nobody can use."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sites.models import Site
from django.core.checks import run_checks

from badges_plugin import host
from badges_plugin.distribution.channels import resume_changed_keys
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.distribution.open_badges import api, checks, issuers
from badges_plugin.distribution.open_badges.conf import config
from badges_plugin.distribution.open_badges.models import IssuerProfile
from badges_plugin.doctor import Level
from badges_plugin.models import BadgeTemplate
from tests.distribution.worlds import deliver, let_time_pass
from tests.factories import send_passing
from tests.open_badges.signed import said, signed


def configured(settings: Any, **section: object) -> None:
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "open_badges": section}


def test_a_profile_is_made_from_what_the_site_says(
    template: BadgeTemplate, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = host.SiteFacts("Example Campus", "https://lms.example.org", "badges@example.org")
    monkeypatch.setattr(issuers, "site_configuration", lambda site: known)
    assert api.issuer_of(template.site).name == "Example Campus"
    assert not IssuerProfile.objects.exists()
    send_passing(ada)
    deliver()
    issuer = said(signed()[0])["issuer"]
    found = (issuer["name"], issuer["url"], issuer["email"])
    assert found == ("Example Campus", "https://lms.example.org", "badges@example.org")


def test_a_site_without_any_configuration_is_named_by_itself(template: BadgeTemplate, settings: Any) -> None:
    configured(settings, base_url="https://elsewhere.example.org/credentials")
    profile = issuers.make(template.site)
    assert (profile.name, profile.url) == ("Badges of Example", "https://elsewhere.example.org/credentials/")
    assert profile.did.startswith("did:web:elsewhere.example.org:credentials:badges:open:issuers:")
    assert issuers.make(template.site) == profile, "another process was faster"


def test_nothing_is_signed_for_an_example_until_its_address_is_corrected(template: BadgeTemplate, ada: Any) -> None:
    Site.objects.filter(pk=template.site_id).update(domain="elsewhere.org")
    Site.objects.exclude(pk=template.site_id).filter(domain="example.com").delete()
    Site.objects.filter(pk=template.site_id).update(domain="example.com")
    send_passing(ada)
    deliver()
    assert (signed(), Delivery.objects.get().state) == ([], "pending")
    assert "example" in Channel.objects.get().paused_reason

    IssuerProfile.objects.update(base_url="https://credentials.campus.org/")
    resume_changed_keys()
    let_time_pass()
    deliver()

    assert signed()[0].url.startswith("https://credentials.campus.org/badges/b/")


@pytest.mark.parametrize(
    ("base_url", "says"),
    [
        ("https://badges.example.org/", ""),
        ("https://badges.example.org/credentials/", ""),
        ("http://badges.example.org/", "does not start with https"),
        ("https://badges.example.org:8150/", "has a port"),
        ("https://other.example.org/", "names another host"),
        ("https://example.com/", "nothing is signed"),
        ("https://", "nothing is signed"),
        ("", "nothing is signed"),
    ],
)
def test_addresses_that_are_wrong_are_told(template: BadgeTemplate, base_url: str, says: str) -> None:
    IssuerProfile.objects.create(site=template.site, name="I", url="https://i.org", base_url=base_url)
    found = {finding.level: finding.what for finding in checks.probe_issuers()}
    told = [message.msg for message in checks.check_issuers(None, databases=["default"])]
    if says:
        assert says in found[Level.WARNING]
        assert says in told[0]
    else:
        assert (list(found), told) == ([Level.OK], [])
    assert checks.check_issuers(None) == []


def test_the_address_of_a_profile_that_is_still_to_be_made_is_examined(template: BadgeTemplate, settings: Any) -> None:
    configured(settings, base_url="http://localhost:18150")
    assert any("localhost" in finding.what for finding in checks.probe_issuers())
    configured(settings, enabled=False)
    assert list(checks.probe_issuers()) == []


@pytest.mark.parametrize(
    ("section", "number"),
    [
        ({}, ""),
        ({"base_url": "https://campus.org"}, ""),
        ({"base_url": "http://campus.org"}, "open_badges.W002"),
        ({"base_url": "campus.org"}, "open_badges.E001"),
        ({"base_url": 3}, "open_badges.E001"),
        ({"enabled": "yes"}, "open_badges.E001"),
        ({"enable": True}, "open_badges.E001"),
        ({"enabled": None, "base_url": None}, ""),
    ],
)
def test_settings(settings: Any, section: dict[str, Any], number: str) -> None:
    settings.BADGES_CONFIG = {"open_badges": section}
    found = [message.id for message in run_checks(tags=["badges"]) if str(message.id).startswith("open_badges")]
    assert found == ([number] if number else [])
    if not number:
        assert config().enabled is True
