"""Off by default, and then nothing is connected, served or shown; on, everything is. In processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from badges_plugin import conf

ROOT = Path(__file__).resolve().parents[2]

LOOK = """
import json, weakref, django
django.setup()
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import autodiscover
from django.core.checks import registry
from django.urls import get_resolver
from openedx_events.tooling import OpenEdxPublicSignal, load_all_signals
from badges_plugin.signals import badges_awarded, badges_revoked

OURS = ("badges_plugin", "badges_distribution", "credly_badges", "accredible_badges", "open_badges", "badges_web")
load_all_signals()

def ours(receivers):
    found = (entry[1]() if isinstance(entry[1], weakref.ref) else entry[1] for entry in receivers)
    return [receiver.__qualname__ for receiver in found if receiver.__module__.startswith("badges_plugin")]

autodiscover()
print(json.dumps({
    "installed": [label for label in OURS if label in {app.label for app in apps.get_app_configs()}],
    "events": sorted(s.event_type for s in OpenEdxPublicSignal.all_events() if ours(s.receivers)),
    "internal": ours(badges_awarded.receivers) + ours(badges_revoked.receivers),
    "admin": sorted(model._meta.label for model in admin.site._registry if model._meta.app_label in OURS),
    "urls": [str(p.pattern) for p in get_resolver().url_patterns
             if "badges_plugin" in str(getattr(p, "urlconf_module", "")) and p.url_patterns],
    "checks": sorted(check.__name__ for check in registry.registry.registered_checks
                     if check.__module__.startswith("badges_plugin")),
    "untagged": [check.__name__ for check in registry.registry.registered_checks
                 if check.__module__.startswith("badges_plugin") and "badges" not in check.tags],
}))
"""


def look(**environment: str) -> dict[str, Any]:
    environ = {**os.environ, "DATABASE_URL": "sqlite://:memory:", **environment}
    run = subprocess.run([sys.executable, "-c", LOOK], env=environ, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


@pytest.mark.standin
def test_switched_off_nothing_is_connected_served_or_shown() -> None:
    found = look(BADGES_ENABLED="false")
    assert found.pop("installed") == [
        "badges_plugin",
        "badges_distribution",
        "credly_badges",
        "accredible_badges",
        "open_badges",
        "badges_web",
    ]
    assert found == {"events": [], "internal": [], "admin": [], "urls": [], "checks": [], "untagged": []}


@pytest.mark.standin
def test_switched_on_everything_is() -> None:
    found = look(BADGES_ENABLED="true")
    assert found["events"] == sorted(conf.DEFAULT_EVENTS)
    templates = {
        "badges_plugin.BadgeTemplate",
        "credly_badges.CredlyBadgeTemplate",
        "accredible_badges.AccredibleGroup",
        "open_badges.IssuerProfile",
    }
    assert templates <= set(found["admin"])
    assert found["internal"]
    # Of the core, of the built-in app, of Credly's accounts and webhook, and the settings of consumers, distribution,
    # Credly, Accredible and Open Badges, and of the pages, the mails, the REST API and the metrics.
    assert found["checks"] == [
        "check_configuration",
        "check_extra",
        "check_issuers",
        "check_library",
        "check_mails",
        "check_pages",
        "check_publishing",
        "check_rows",
        *["check_settings"] * 7,
        "check_switch",
        "check_tokens",
        "check_webhook",
        "check_webhook_of_stored",
    ]
    assert found["untagged"] == [], "the doctor runs the checks with the tag"


@pytest.mark.parametrize(
    ("value", "expected"), [(True, True), (False, False), (None, False), ("true", False), (1, False)]
)
def test_only_true_is_on(settings: Any, value: Any, expected: bool) -> None:
    settings.BADGES_ENABLED = value
    assert conf.is_enabled() is expected
    del settings.BADGES_ENABLED
    assert conf.is_enabled() is False


# In a real host from Sumac on, the built-in app does not start with such settings either.
@pytest.mark.standin
@pytest.mark.parametrize(
    "badges_config", ['{"events": "x"}', '{"events": null}', '{"rules": {"ignored_keypaths": null}}', '{"rules": []}']
)
def test_a_wrong_setting_is_told_by_the_check_and_does_not_keep_the_service_from_starting(badges_config: str) -> None:
    environ = {**os.environ, "DATABASE_URL": "sqlite://:memory:", "BADGES_CONFIG_JSON": badges_config}
    run = subprocess.run(
        [sys.executable, "sandbox/manage.py", "check"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    is_wrong = "null" not in badges_config
    assert ("badges_plugin.E001" in run.stderr) is is_wrong
    assert "Traceback" not in run.stderr
