"""The Credentials service starts with the rendered settings, and they say what they should."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.tutor import environments
from tests.tutor.combinations import ALL, BUSES, ORGANIZATION, SECRET
from tests.tutor.conftest import Rendered
from tests.tutor.rendering import Rendering
from tests.tutor.services import SETTINGS, environment, python

NEWEST = environments.NEWEST
AWARDED, REVOKED = "org.openedx.learning.badge.awarded.v1", "org.openedx.learning.badge.revoked.v1"
REPORT = """
import json
import django
django.setup()
from django.core.management import call_command
call_command("check", fail_level="ERROR")
if {migrate}:
    call_command("migrate", verbosity=0)
    call_command("migrate", app_label="badges_plugin", check_unapplied=True, verbosity=0)
from django.apps import apps
from django.conf import settings
from django.db import connection
from openedx_events.event_bus import get_producer, make_single_consumer
names = [name for name in dir(settings) if name.startswith(("EVENT_BUS_", "BADGES_", "ALLOWED_"))]
producer_config = settings.EVENT_BUS_PRODUCER_CONFIG
print("REPORT" + json.dumps({
    "settings": {name: getattr(settings, name) for name in names},
    "apps": [config.name for config in apps.get_app_configs()],
    "tables": connection.introspection.table_names(),
    "enabled": sorted(
        (event, topic) for event, topics in producer_config.items() for topic, given in topics.items()
        if given["enabled"]
    ),
    "producer": type(get_producer()).__module__,
    "consumer": type(make_single_consumer(topic="t", group_id="g", extra={})).__module__,
}))
"""


def report(rendering: Rendering, module: str, folder: Path, *, migrate: bool = False) -> dict[str, Any]:
    """Start the service, check, migrate if asked to, which takes longest, and look into it."""
    script = REPORT.replace("{migrate}", str(migrate))
    printed = python({**environment(rendering, module, folder), "RENDERED_DATABASE": ":memory:"}, "-c", script)
    found: dict[str, Any] = json.loads(printed.split("REPORT", 1)[1])
    return found


@pytest.mark.parametrize(
    ("bus", "module"),
    [
        ("kafka", "production"),
        ("redis", "production"),
        ("kafka", "development"),
        # Nothing differs here that does not differ in the others
        pytest.param("redis", "development", marks=pytest.mark.long),
    ],
)
def test_the_service_starts_with_badges(rendered: Rendered, tmp_path: Path, bus: str, module: str) -> None:
    found = report(rendered(NEWEST, f"{bus}-own-mysql-own-redis"), module, tmp_path)
    assert {"badges_plugin", "badges_plugin.distribution", "badges_plugin.distribution.credly"} <= set(found["apps"])
    assert found["settings"]["BADGES_ENABLED"] is True
    assert "metrics" not in found["settings"]["BADGES_CONFIG"]
    assert "credentials.openedx.svc" not in found["settings"]["ALLOWED_HOSTS"]
    topic = "learning-badges-lifecycle"
    assert found["enabled"] == [[AWARDED, topic], [REVOKED, topic]]
    assert found["producer"].startswith(f"edx_event_bus_{bus}.")
    assert found["consumer"] == f"badges_plugin.consumers.{bus}"


@pytest.mark.long
def test_the_tables_can_be_made(rendered: Rendered, tmp_path: Path) -> None:
    found = report(rendered(NEWEST, "kafka-own-mysql-own-redis"), "production", tmp_path, migrate=True)
    assert {"badges_plugin_badgetemplate", "badges_distribution_delivery"} <= set(found["tables"])


def test_what_the_operator_chose_arrives(rendered: Rendered, tmp_path: Path) -> None:
    found = report(rendered(NEWEST, "options-kafka"), "production", tmp_path)
    settings, chosen = found["settings"], ALL["options-kafka"]
    config = settings["BADGES_CONFIG"]
    assert config["credly"]["ORGANIZATIONS"] == {ORGANIZATION: SECRET}
    assert config["credly"]["USE_SANDBOX"] is True
    assert config["credly"]["CREDLY_API_BASE_URL"] == "https://credly.example.com/v1/"
    assert config["rules"]["ignored_keypaths"] == ["user.id"]
    # The host's own keys beside them are still there.
    assert config["credly"]["CREDLY_SANDBOX_BASE_URL"] == "https://sandbox.credly.com/"
    assert config["metrics"] == {"enabled": True, "token": chosen["BADGES_METRICS_TOKEN"]}
    assert "credentials.openedx.svc" in settings["ALLOWED_HOSTS"]
    assert set(chosen["BADGES_EXTRA_EVENTS"]) < set(config["events"])
    assert settings["EVENT_BUS_TOPIC_PREFIX"] == "campus"
    assert found["enabled"] == [[AWARDED, "badges"], [REVOKED, "badges"]]


def test_secrets_of_an_external_cluster_arrive_whole(rendered: Rendered, tmp_path: Path) -> None:
    settings = report(rendered(NEWEST, "external-kafka-own-mysql-own-redis"), "production", tmp_path)["settings"]
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_API_KEY", "KAFKA_API_SECRET"):
        assert settings[f"EVENT_BUS_{name}"] == BUSES["external-kafka"][f"BADGES_{name}"]
    for name in ("SCHEMA_REGISTRY_URL", "SCHEMA_REGISTRY_API_KEY", "SCHEMA_REGISTRY_API_SECRET"):
        assert settings[f"EVENT_BUS_KAFKA_{name}"] == BUSES["external-kafka"][f"BADGES_{name}"]


_DEFAULT_HOST = re.compile(r"credentials\.(?:local\.openedx\.io|www\.myopenedx\.com)")


@pytest.mark.long
@pytest.mark.parametrize("release", [each for each in environments.RELEASES if each != NEWEST])
@pytest.mark.parametrize("name", ["options-kafka", "options-redis"])
def test_other_releases_have_the_same_settings(rendered: Rendered, release: int, name: str) -> None:
    """So that what runs with one runs with all: the service is started with those of the newest only."""
    for module in ("production", "development"):
        path = f"{SETTINGS}/{module}.py"
        start, end = "# Badges: the event bus", "CORS_ORIGIN_WHITELIST ="
        blocks = [
            rendered(each, name).text(path).split(start, 1)[1].split(end, 1)[0].split("FAVICON_URL", 1)[0]
            for each in (release, NEWEST)
        ]
        # They have different hosts by default.
        assert _DEFAULT_HOST.sub("host", blocks[0]) == _DEFAULT_HOST.sub("host", blocks[1])


def test_keys_are_in_the_settings_only(rendered: Rendered, release: int) -> None:
    """Everything below build/ may end up in an image."""
    rendering = rendered(release, "options-kafka")
    with_key = {
        path.relative_to(rendering.env).as_posix()
        for path in rendering.env.rglob("*")
        if path.is_file() and SECRET.encode() in path.read_bytes()
    }
    assert with_key == {f"{SETTINGS}/production.py", f"{SETTINGS}/development.py"}
