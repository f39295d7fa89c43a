"""Migrating in tests, and what commands say before it."""

from __future__ import annotations

import os
from io import StringIO
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.contrib.sites.models import Site
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from badges_plugin.host import AWARDED, UserCredential
from badges_plugin.models import BadgeTemplate
from tests.factories import make_template, make_user, requires_course, send_passing

# Every command of ours that looks into the database without anything else being set up.
COMMANDS = [
    ("badges_remove", "--dry-run"),
    ("badges_remove", "--no-input"),
    ("badges_rotate_keys",),
    ("badges_sign_awards", "--dry-run"),
    ("badges_reencrypt_keys", "--dry-run"),
    ("badges_reencrypt_keys",),
    ("badges_backfill", os.devnull),
    ("deliver_badges", "--once"),
    ("process_failed_events",),
    ("process_failed_events", "--dry-run"),
    ("purge_deliveries", "--dry-run"),
    ("purge_failed_events", "--older-than=3"),
    ("purge_failed_events", "--username=ada"),
    ("poll_accredible_credentials",),
    ("poll_credly_events",),
    ("sync_accredible_badge_templates",),
    ("sync_credly_badge_templates",),
]


def to_newest() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def every_command_says_to_migrate(missing: str) -> None:
    """Run all commands while the tables of an app are missing. The doctor examines the rest, and no table is made."""
    tables = set(connection.introspection.table_names())
    for command, *arguments in COMMANDS:
        looks_there = missing == "badges_plugin" or command.startswith(("deliver", "purge_deliveries"))
        if not looks_there:
            continue
        with pytest.raises(CommandError) as refusal:
            call_command(command, *arguments, stdout=StringIO())
        assert str(refusal.value).endswith("Run manage.py migrate first."), command
        assert len(str(refusal.value).splitlines()) == 1
    said = StringIO()
    with pytest.raises(SystemExit):
        call_command("badges_doctor", "--reach", "database", stdout=said)
    assert "migrations of badges are not applied" in said.getvalue()
    assert set(connection.introspection.table_names()) == tables


def awarded(number: int = 1, **changes: Any) -> BadgeTemplate:
    """Save a template that so many learners have earned."""
    template = make_template(**changes)
    requires_course(template)
    for _ in range(number):
        send_passing(make_user())
    return template


def host_credential(username: str = "somebody") -> UserCredential:
    """Return a credential of something that has nothing to do with badges."""
    credential: UserCredential = UserCredential.objects.create(
        username=username,
        credential_content_type=ContentType.objects.get_for_model(Site),
        credential_id=1,
        status=AWARDED,
    )
    return credential
