"""What can be seen in the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from badges_plugin import api, builtin, conf, host
from badges_plugin.data import Deferral
from badges_plugin.database import unapplied_migrations
from badges_plugin.doctor.findings import Finding
from badges_plugin.doctor.registry import app_configs
from badges_plugin.models import BadgeAward, BadgeTemplate, FailedEvent

_APPLIED_LATER = "A consumer or worker then applies them by itself."
_WAITING = {
    Deferral.FUTURE: (
        "events wait because they are from the future: the clock here is behind, or one of the LMS is ahead.",
        f"Set the clocks right. {_APPLIED_LATER}",
    ),
    Deferral.NAME_TAKEN: (
        "events wait because the user name of their learner belongs to another LMS user here.",
        f"Correct the user names in Credentials. {_APPLIED_LATER}",
    ),
    Deferral.UNKNOWN_LEARNER: (
        "events wait because their learner is not known here, and they do not say the user name.",
        f"Have the learner log in to Credentials. {_APPLIED_LATER}",
    ),
    Deferral.ENDLESS_CHAIN: (
        "events were refused because badges that depend on one another award and revoke each other without end.",
        "Take one of the badges out of the circle, then process these failed events again.",
    ),
}

UNANNOUNCED_TOLERANCE = timedelta(minutes=15)
READ_COMMITTED = "read committed"
_ISOLATION = {
    # The name that MariaDB had before 11.1, and the one that MySQL and newer versions have.
    "mysql": "SHOW SESSION VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')",
    "postgresql": "SHOW transaction_isolation",
}


def migrations() -> Iterator[Finding]:
    """The tables are those of this version, and of the versions of the backends that are installed."""
    if missing := unapplied_migrations({config.label for config in app_configs()}):
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
        for warning in [*api.activation_confirmations(template), *api.activation_warnings(template)]:
            healthy = False
            yield Finding.warning(f"Badge template {template.pk}: {warning}", "Intended? Otherwise correct it.")
    if healthy:
        yield Finding.ok(f"{len(active)} badge templates are active.")


def failed_events() -> Iterator[Finding]:
    """Nothing waits for somebody to look at it."""
    failed = FailedEvent.objects.filter(state=FailedEvent.State.FAILED)
    counted: dict[str, int] = dict(failed.order_by().values_list("cause").annotate(Count("pk")))
    for cause, (what, advice) in _WAITING.items():
        if number := counted.get(cause):
            yield Finding.warning(f"{number} {what}", advice)
    if number := counted.get(""):
        yield Finding.warning(
            f"{number} events could not be applied.",
            "Look at the failed events in the admin. Once the cause is removed, process them again (for many there is "
            "manage.py process_failed_events); dismiss those that do not matter.",
        )
    if not counted:
        yield Finding.ok("No event failed.")


def clock() -> Iterator[Finding]:
    """The clock of the machines here is not behind those that events tell of."""
    from_the_future = FailedEvent.objects.filter(state=FailedEvent.State.FAILED, cause=Deferral.FUTURE)
    last = from_the_future.order_by("-pk").values_list("event_time", "failed_at").first()
    if last is None or last[0] is None:
        return
    minutes = round((last[0] - last[1]).total_seconds() / 60)
    yield Finding.warning(
        f"The last event from the future was {minutes} minutes ahead of the clock of the machine that received it.",
        "Compare the clocks of the consumers and of the LMS (timedatectl, chronyc tracking), and have NTP set them.",
    )


def announcements() -> Iterator[Finding]:
    """Awards and revocations were published."""
    overdue = BadgeAward.objects.filter(publish_due_at__lt=timezone.now() - UNANNOUNCED_TOLERANCE).count()
    if overdue:
        yield Finding.error(
            f"{overdue} awards or revocations were not published on the event bus.",
            "Start a worker (manage.py deliver_badges): it publishes them; if one runs, look for the producer's errors "
            "in its log.",
        )
    else:
        yield Finding.ok("All awards and revocations were published.")


def builtin_app() -> Iterator[Finding]:
    """The host's own badges app does nothing twice, and nothing that it was set up for is forgotten."""
    found = builtin.check_rows(None, databases=[connection.alias])
    for message in found:
        yield Finding.warning(f"{message.msg} ({message.id})", message.hint or "See the settings reference.")
    if found:
        return
    if not host.builtin_models():
        yield Finding.ok("This host has no badges app of its own.")
    else:
        state = "on, as BADGES_CONFIG says" if conf.keeps_builtin_app() else "off"
        yield Finding.ok(f"The built-in badges app is {state}.")
