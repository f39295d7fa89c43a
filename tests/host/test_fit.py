"""Does the plugin fit into the host: the sandbox's stand-in, or the real checkout that these tests run in?"""

from __future__ import annotations

import pytest
from django.apps import AppConfig, apps
from django.core import checks
from django.core.management import call_command


def our_apps() -> list[AppConfig]:
    return [config for config in apps.get_app_configs() if config.name.partition(".")[0] == "badges_plugin"]


def test_the_plugin_is_discovered() -> None:
    # An AppConfig that cannot be imported is skipped in silence, and everything else here would pass.
    assert {config.label for config in our_apps()} >= {"badges_plugin", "badges_distribution", "credly_badges"}


@pytest.mark.django_db
def test_nothing_clashes_with_the_host() -> None:
    assert [message for message in checks.run_checks() if message.is_serious()] == []


@pytest.mark.django_db
def test_migrations_are_complete(capsys: pytest.CaptureFixture[str]) -> None:
    labels = [config.label for config in our_apps()]
    try:
        call_command("makemigrations", *labels, check_changes=True, dry_run=True)
    except SystemExit:
        pytest.fail(f"makemigrations would write, in this host:\n{capsys.readouterr().out}")
