"""Does the plugin fit into the host: the sandbox's stand-in, or the real checkout that these tests run in?"""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.sites.models import Site
from django.core import checks
from django.core.management import call_command

from badges_plugin.host import course_titles


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


@pytest.mark.django_db
def test_titles_of_courses_come_from_the_catalog(django_assert_num_queries: Any) -> None:
    keys = {"own": "course-v1:Org+A+1", "course": "course-v1:Org+A+2", "unknown": "course-v1:Org+B+1"}
    if not apps.is_installed("credentials.apps.catalog"):  # the stand-in
        with django_assert_num_queries(0):
            assert course_titles(keys.values()) == {}
        return
    label = "catalog"
    site = Site.objects.get_or_create(domain="example.org", name="example")[0]
    course = apps.get_model(label, "Course").objects.create(site=site, uuid=uuid.uuid4(), key="Org+A", title="Algebra")
    runs = apps.get_model(label, "CourseRun").objects
    runs.create(course=course, uuid=uuid.uuid4(), key=keys["own"], title_override="Algebra I")
    runs.create(course=course, uuid=uuid.uuid4(), key=keys["course"])
    with django_assert_num_queries(1):
        assert course_titles(keys.values()) == {keys["own"]: "Algebra I", keys["course"]: "Algebra"}


def test_the_host_knows_who_is_signed_in() -> None:
    # Without it, the history of badges would name nobody.
    assert "crum.CurrentRequestUserMiddleware" in settings.MIDDLEWARE
