"""What can be seen in the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from .. import api
from ..models import BadgeAward, BadgeTemplate, FailedEvent
from .findings import Finding
from .registry import app_configs

UNANNOUNCED_TOLERANCE = timedelta(minutes=15)
READ_COMMITTED = "read committed"
_ISOLATION = {
    # The name that MariaDB had before 11.1, and the one that MySQL and newer versions have.
    "mysql": "SHOW SESSION VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')",
    "postgresql": "SHOW transaction_isolation",
}


def migrations() -> Iterator[Finding]:
    """The tables are those of this version, and of the versions of the backends that are installed."""
    executor = MigrationExecutor(connection)
    ours = {config.label for config in app_configs()}
    targets = [node for node in executor.loader.graph.leaf_nodes() if node[0] in ours]
    missing = [migration for migration, _ in executor.migration_plan(targets) if migration.app_label in ours]
    if missing:
        labels = ", ".join(sorted({migration.app_label for migration in missing}))
        yield Finding.error(
            f"{len(missing)} migrations of badges are not applied ({labels}).", "Run manage.py migrate."
        )
    else:
        yield Finding.ok("All migrations are applied.")


def isolation() -> Iterator[Finding]:
    """Whoever waited for a lock reads what the other one wrote. On SQLite, where one writes at a time, always."""
    if connection.vendor not in _ISOLATION:
        return
    with connection.cursor() as cursor:
        cursor.execute(_ISOLATION[connection.vendor])
        level = str(cursor.fetchone()[-1]).lower().replace("-", " ")
    if level == READ_COMMITTED:
        yield Finding.ok(f"Transactions are isolated as {level}.")
    else:
        yield Finding.warning(
            f"Transactions are isolated as {level}: what was committed while one of them waited may not be seen.",
            'Leave "isolation_level" out of the OPTIONS of DATABASES, or set it to "read committed"; Django\'s own '
            "choice for MySQL is that.",
        )


def templates() -> Iterator[Finding]:
    """There is something to earn, and it can be earned."""
    active = list(BadgeTemplate.objects.filter(is_active=True))
    if not active:
        yield Finding.warning(
            "No badge template is active: no event has any effect.",
            "Set up a badge template with requirements in the admin and activate it.",
        )
        return
    healthy = True
    for template in active:
        for problem in api.activation_problems(template):
            healthy = False
            yield Finding.error(
                f"Badge template {template.pk}: {problem}", "Correct it in the admin, or deactivate the template."
            )
        for warning in api.activation_warnings(template):
            healthy = False
            yield Finding.warning(f"Badge template {template.pk}: {warning}", "Intended? Otherwise correct it.")
    if healthy:
        yield Finding.ok(f"{len(active)} badge templates are active.")


def failed_events() -> Iterator[Finding]:
    """Nothing waits for somebody to look at it."""
    number = FailedEvent.objects.filter(state=FailedEvent.State.FAILED).count()
    if number:
        yield Finding.warning(
            f"{number} events could not be applied.",
            "Look at the failed events in the admin. Once the cause is removed, process them again (for many there is "
            "manage.py process_failed_events); dismiss those that do not matter.",
        )
    else:
        yield Finding.ok("No event failed.")


def announcements() -> Iterator[Finding]:
    """Awards and revocations were published."""
    overdue = BadgeAward.objects.filter(announce_due_at__lt=timezone.now() - UNANNOUNCED_TOLERANCE).count()
    if overdue:
        yield Finding.error(
            f"{overdue} awards or revocations were not published on the event bus.",
            "Start a worker (manage.py deliver_badges): it publishes them; if one runs, look for the producer's errors "
            "in its log.",
        )
    else:
        yield Finding.ok("All awards and revocations were published.")
