"""Which plugin hook can set what, in the stand-in.

The expectations were measured in the real service (Redwood and Verawood). They are what the plugin's own
settings modules are written for, so the stand-in has to keep them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.host_plugins import settings_seen, write_plugin

pytestmark = pytest.mark.standin

NEW, APPS, CALLS = "OF_THE_HOOK", "INSTALLED_APPS", "CALLS_OF_THE_HOOK"
ENABLED, CONFIG = "BADGES_ENABLED", "BADGES_CONFIG"
REDIS, PREFIX, PRODUCER_CONFIG = "EVENT_BUS_REDIS_CONNECTION_URL", "EVENT_BUS_TOPIC_PREFIX", "EVENT_BUS_PRODUCER_CONFIG"
NAMES = [NEW, APPS, CALLS, ENABLED, CONFIG, REDIS, PRODUCER_CONFIG, PREFIX]

# The types are the real ones: this plugin's own hooks run as well.
BY_THE_HOOK: dict[str, Any] = {
    NEW: "hook",
    ENABLED: "hook",
    CONFIG: {"of_the": "hook"},
    REDIS: "redis://hook",
    PREFIX: "hook",
    PRODUCER_CONFIG: {"org.openedx.of.the.hook.v1": {}},
}
HOOK = f"""
def plugin_settings(settings):
    settings.{CALLS} = getattr(settings, "{CALLS}", 0) + 1
    settings.INSTALLED_APPS.append("django.contrib.humanize")
    for name, value in {BY_THE_HOOK!r}.items():
        setattr(settings, name, value)
"""
OPERATOR = {REDIS: "redis://operator", CONFIG: {"of_the": "operator"}}
SQLITE = {"DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}


@pytest.fixture
def yaml_file(tmp_path: Path) -> Path:
    # JSON is YAML.
    path = tmp_path / "credentials.yml"
    path.write_text(json.dumps({**SQLITE, **OPERATOR}), encoding="utf-8")
    return path


def hook_of(folder: Path, settings_type: str) -> None:
    write_plugin(
        folder,
        "hooked",
        plugin_app={"settings_config": {"credentials.djangoapp": {settings_type: {"relative_path": "hook"}}}},
        modules={"hook": HOOK},
    )


@pytest.mark.parametrize(
    ("module", "hook", "release", "kept", "calls"),
    [
        # The defaults for badges and for the bus come after the base hook: it cannot set them.
        ("base", "base", "verawood", {NEW, APPS}, 1),
        ("production", "base", "verawood", {NEW, APPS}, 1),
        ("base", "base", "redwood", {NEW, APPS, ENABLED, CONFIG}, 1),
        # What the operator gives (REDIS, CONFIG) wins from Sumac on, and loses before.
        ("production", "production", "verawood", {NEW, APPS, ENABLED, PRODUCER_CONFIG, PREFIX}, 1),
        (
            *("production", "production", "redwood"),
            {NEW, APPS, ENABLED, PRODUCER_CONFIG, PREFIX, REDIS, CONFIG},
            1,
        ),
        ("devstack", "devstack", "verawood", {NEW, APPS, ENABLED, PRODUCER_CONFIG, PREFIX, REDIS, CONFIG}, 1),
        # The hook runs twice, and BADGES_ENABLED is set after it.
        ("test", "test", "verawood", {NEW, APPS, PRODUCER_CONFIG, PREFIX, REDIS, CONFIG}, 2),
    ],
)
def test_what_a_hook_can_set(
    tmp_path: Path, yaml_file: Path, module: str, hook: str, release: str, kept: set[str], calls: int
) -> None:
    hook_of(tmp_path, hook)

    seen = settings_seen(
        tmp_path,
        NAMES,
        settings=f"credentials.settings.{module}",
        environ={"CREDENTIALS_CFG": str(yaml_file), "CREDENTIALS_STANDIN_RELEASE": release},
    )

    assert {name for name, value in seen.items() if set_by_the_hook(name, value)} == kept
    assert seen[CALLS] == calls


def set_by_the_hook(name: str, value: Any) -> bool:
    match name:
        case "INSTALLED_APPS":
            return "django.contrib.humanize" in value
        case "EVENT_BUS_PRODUCER_CONFIG":
            return bool(BY_THE_HOOK[name].items() <= value.items())
        case _:
            return bool(value == BY_THE_HOOK.get(name))


@pytest.mark.parametrize(
    ("release", "url"),
    [("verawood", "redis://operator"), ("redwood", "redis://hook")],
)
def test_the_sandbox_keeps_the_order_of_production(tmp_path: Path, release: str, url: str) -> None:
    hook_of(tmp_path, "production")

    seen = settings_seen(
        tmp_path,
        NAMES,
        settings="sandbox.settings",
        environ={REDIS: "redis://operator", "CREDENTIALS_STANDIN_RELEASE": release},
    )

    assert seen[REDIS] == url
    assert seen[PREFIX] == "hook"


@pytest.mark.parametrize(("release", "there"), [("verawood", True), ("redwood", False)])
def test_the_built_in_badges_came_with_sumac(tmp_path: Path, release: str, there: bool) -> None:
    seen = settings_seen(
        tmp_path,
        [APPS, CONFIG],
        settings="credentials.settings.base",
        environ={"CREDENTIALS_STANDIN_RELEASE": release},
    )

    assert ("credentials.apps.badges" in seen[APPS]) is there
    assert (CONFIG in seen) is there
