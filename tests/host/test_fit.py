"""Does the plugin fit into the host: the sandbox's stand-in, or the real checkout that these tests run in?"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.sites.models import Site
from django.core import checks
from django.core.management import call_command

from badges_plugin import catalog
from badges_plugin.host import course_titles

KEYS = {"own": "course-v1:Org+A+1", "course": "course-v1:Org+A+2", "unknown": "course-v1:Org+B+1"}
PROGRAM = uuid.UUID("7d1c0e7c-5a3c-4d6e-8d47-2f6b6d0b7c11")


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


@pytest.fixture
def catalogued(db: None) -> Site:
    """Two sites with the same course, as the service's command copies it; it has two runs, and is in a program."""
    label = "catalog"
    sites = [Site.objects.get_or_create(domain=f"{name}.example.org", name=name)[0] for name in ("other", "own")]
    for site in sites:
        course = rows("Course").create(site=site, uuid=uuid.uuid4(), key="Org+A", title="Algebra")
        runs = apps.get_model(label, "CourseRun").objects
        runs.create(course=course, uuid=uuid.uuid4(), key=KEYS["own"], title_override=f"Algebra {site.name}")
        runs.create(course=course, uuid=uuid.uuid4(), key=KEYS["course"], start_date=datetime(2027, 2, 3, tzinfo=UTC))
    rows("Organization").create(site=sites[1], uuid=uuid.uuid4(), key="Org", name="Open Organization")
    rows("Program").create(site=sites[1], uuid=PROGRAM, title="Mathematics", status="active")
    rows("Program").create(site=sites[1], uuid=uuid.uuid4(), title="Mathematics, old", status="retired")
    return sites[1]


def rows(model: str) -> Any:
    label = "catalog"  # not a literal: the type checker would look for the app
    return apps.get_model(label, model).objects


def test_titles_of_courses_come_from_the_catalog(catalogued: Site, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        titles = course_titles(KEYS.values())
    assert titles[KEYS["own"]] in ("Algebra own", "Algebra other")
    assert (titles[KEYS["course"]], len(titles)) == ("Algebra", 2)
    assert catalog.course_titles({"Org+A", "Org+B"}) == {"Org+A": "Algebra"}
    assert catalog.program_titles({str(PROGRAM), "none"}) == {str(PROGRAM): "Mathematics"}
    known = catalog.course_runs(KEYS.values(), catalogued)
    assert (known[KEYS["own"]].title, len(known)) == ("Algebra own", 2)
    assert catalog.is_filled()


SEARCHES = [
    # each run once, the own site's title first, newest first
    (catalog.find_course_runs, "ALG org", ["course-v1:Org+A+2", "course-v1:Org+A+1"]),
    (catalog.find_course_runs, "algebra own", ["course-v1:Org+A+1"]),
    (catalog.find_course_runs, "a", []),
    (catalog.find_course_runs, "100%", []),
    (catalog.find_organizations, "open", ["Org"]),
]


@pytest.mark.parametrize(("find", "term", "keys"), SEARCHES)
def test_the_catalog_is_searched(
    catalogued: Site, django_assert_num_queries: Any, find: Any, term: str, keys: list[str]
) -> None:
    with django_assert_num_queries(1 if len(term) > 1 else 0):
        assert [each.key for each in find(term, catalogued)] == keys


def test_active_programs_come_first(catalogued: Site) -> None:
    assert [each.title for each in catalog.find_programs("math", catalogued)] == ["Mathematics", "Mathematics, old"]


def test_the_host_knows_who_is_signed_in() -> None:
    # Without it, the history of badges would name nobody.
    assert "crum.CurrentRequestUserMiddleware" in settings.MIDDLEWARE
