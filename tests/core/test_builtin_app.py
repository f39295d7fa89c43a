"""The host's built-in badges app as far as any host shows it; beside the real one: tests/host/test_builtin_app.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from badges_plugin import builtin, checks, conf, host
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleGroup
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.doctor import Level, database_probes
from tests.factories import make_template


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        ({}, False),
        ({"builtin_app": "off"}, False),
        ({"builtin_app": "on"}, True),
        # What YAML makes of a bare off and on.
        ({"builtin_app": False}, False),
        ({"builtin_app": True}, True),
        ({"builtin_app": None}, False),
    ],
)
def test_b2_the_built_in_app_is_off_unless_it_is_kept(settings: Any, config: dict[str, Any], kept: bool) -> None:
    settings.BADGES_CONFIG = config
    assert conf.keeps_builtin_app() is kept
    assert checks.check_configuration(None) == []


@pytest.mark.parametrize("value", ["On", "yes", 1, 0, "", [], {}])
def test_b2_anything_else_is_a_mistake(settings: Any, value: Any) -> None:
    settings.BADGES_CONFIG = {"builtin_app": value}
    with pytest.raises(ImproperlyConfigured, match='"off" or "on"'):
        conf.keeps_builtin_app()
    assert [message.id for message in checks.check_configuration(None)] == ["badges_plugin.E001"]


SECTIONS = {"events": ["a", "b"], "credly": {"USE_SANDBOX": False, "CREDLY_BASE_URL": "https://credly.com/"}}


@pytest.mark.parametrize(
    ("given", "completed"),
    [
        (None, SECTIONS),
        ({}, SECTIONS),
        ({"consumer": {"patience": 1}}, {**SECTIONS, "consumer": {"patience": 1}}),
        ({"events": []}, {**SECTIONS, "events": []}),
        ({"events": None, "credly": None}, SECTIONS),
        (
            {"credly": {"USE_SANDBOX": True, "CREDLY_BASE_URL": None}},
            {**SECTIONS, "credly": {**SECTIONS["credly"], "USE_SANDBOX": True}},  # type: ignore[dict-item]
        ),
        # Wrong ones are for the checks.
        ({"credly": "x"}, {"events": ["a", "b"], "credly": "x"}),
        ("x", "x"),
    ],
)
def test_b2_what_the_built_in_app_cannot_do_without_is_completed(given: Any, completed: Any) -> None:
    sumac = SimpleNamespace(INSTALLED_APPS=["credentials.apps.badges"], BADGES_CONFIG=given)
    conf.complete(SECTIONS, sumac)
    conf.complete(SECTIONS, sumac)
    assert completed == sumac.BADGES_CONFIG


def test_b2_a_host_without_the_built_in_app_keeps_its_settings() -> None:
    redwood = SimpleNamespace(INSTALLED_APPS=["credentials.apps.core"], BADGES_CONFIG={})
    conf.complete(SECTIONS, redwood)
    assert redwood.BADGES_CONFIG == {}


def test_b2_switching_off_twice_is_switching_off_once() -> None:
    builtin.connect()
    builtin.connect()
    assert host.builtin_receivers() == []
    assert builtin.check_switch(None) == []


LOOK = """
import json, django
django.setup()
from django.contrib import admin
print(json.dumps(sorted(model.__name__ for model in admin.site._registry if model._meta.app_label == "badges")))
"""


@pytest.mark.parametrize(("value", "shown"), [("off", False), ("on", True)])
def test_b2_the_pages_of_the_built_in_app_are_there_only_where_it_is_kept(value: str, shown: bool) -> None:
    if not host.builtin_models():
        pytest.skip("this host has no badges app of its own")
    config = json.dumps({"builtin_app": value})
    environ = {**os.environ, "DATABASE_URL": "sqlite://:memory:", "BADGES_CONFIG_JSON": config}
    run = subprocess.run([sys.executable, "-c", LOOK], env=environ, capture_output=True, text=True, check=True)
    assert ("CredlyBadgeTemplate" in json.loads(run.stdout.splitlines()[-1])) is shown


@pytest.fixture
def theirs() -> Any:
    """The models of the built-in app."""
    models = host.builtin_models()
    if "AccredibleGroup" not in models:
        pytest.skip("this host's own badges app knows no Accredible, or there is none")
    return SimpleNamespace(**models)


@pytest.mark.django_db
@pytest.mark.parametrize("kept", ["off", "on"])
def test_b2_templates_that_are_active_in_both_are_named(settings: Any, theirs: Any, kept: str) -> None:
    settings.BADGES_CONFIG = {"builtin_app": kept}
    site, shared = make_template().site, uuid.uuid4()
    CredlyBadgeTemplate.objects.create(
        uuid=shared,
        name="Ours",
        site=site,
        is_active=True,
        state="active",
        organization=CredlyOrganization.objects.create(uuid=uuid.uuid4(), name="Ours"),
    )
    AccredibleGroup.objects.create(
        name="Ours", site=site, is_active=True, group_id=7654, api_config=AccredibleApiConfig.objects.create(name="x")
    )
    organization = theirs.CredlyOrganization.objects.create(uuid=uuid.uuid4(), api_key="secret-1")
    api_config = theirs.AccredibleAPIConfig.objects.create(name="y", api_key="")
    for number, (key, is_active) in enumerate([(shared, True), (uuid.uuid4(), True), (uuid.uuid4(), False)]):
        made = theirs.CredlyBadgeTemplate.objects.create(
            uuid=key, name=f"Credly {number}", site=site, organization=organization
        )
        theirs.CredlyBadgeTemplate.objects.filter(pk=made.pk).update(is_active=is_active)
    group = theirs.AccredibleGroup(pk=7654, name="Group 7654", site=site, api_config=api_config)
    group.save()
    theirs.AccredibleGroup.objects.filter(pk=7654).update(is_active=True)

    found = {message.id: message.msg for message in builtin.check_rows(None, databases=["default"])}
    both = found.pop("badges_plugin.W023")
    assert "“Credly 0”" in both
    assert "“Group 7654”" in both
    assert "“Credly 1”" not in both
    assert ("awarded twice" in both) is (kept == "on")
    if kept == "on":
        assert found == {}
    else:
        assert found.pop("badges_plugin.W022").endswith("are not processed: “Credly 1”.")
        assert found.keys() == {"badges_plugin.W024"}
        assert "(1 with an API key)" in found["badges_plugin.W024"]
        assert "(0 with an API key)" in found["badges_plugin.W024"]
        assert "secret-1" not in str(found)
    assert {finding.level for finding in database_probes.builtin_app()} == {Level.WARNING}


@pytest.mark.django_db
def test_b2_a_plain_check_does_not_ask_the_database(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert builtin.check_rows(None) == []
    assert [finding.level for finding in database_probes.builtin_app()] == [Level.OK]
