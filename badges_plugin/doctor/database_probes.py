"""Probes of the database: migrations, isolation, templates, failed events, announcements, the built-in app."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from badges_plugin import api, builtin, conf, host
from badges_plugin.consumers import retention
from badges_plugin.counting import count_up_to, in_words
from badges_plugin.data import Deferral
from badges_plugin.database import unapplied_migrations
from badges_plugin.doctor.findings import Finding
from badges_plugin.doctor.registry import app_configs
from badges_plugin.models import BadgeAward, FailedEvent

_APPLIED_LATER = "A consumer or worker then applies them automatically."
_WAITING = {
    Deferral.FUTURE: (
        "events wait because they are from the future: the clock here is slow, or one of the LMS is fast.",
        f"Correct the clocks. {_APPLIED_LATER}",
    ),
    Deferral.NAME_TAKEN: (
        "events wait because the user name of their learner belongs to another LMS user here.",
        f"Correct the user names in Credentials. {_APPLIED_LATER}",
    ),
    Deferral.UNKNOWN_LEARNER: (
        "events wait because their learner is unknown here, and they do not give the user name.",
        f"Have the learner log in to Credentials. {_APPLIED_LATER}",
    ),
    Deferral.ENDLESS_CHAIN: (
        "events were refused because badges that depend on one another award and revoke each other without end.",
        "Remove one of the badges from the cycle, then process these failed events again.",
    ),
}

UNPUBLISHED_TOLERANCE = timedelta(minutes=15)
RETENTION_TOLERANCE = timedelta(days=2)
"""A running worker deletes within the hour; it may have been down for a weekend."""
READ_COMMITTED = "read committed"
_ISOLATION = {
    # MariaDB before 11.1 has the first name; newer versions and MySQL have the second.
    "mysql": "SHOW SESSION VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')",
    "postgresql": "SHOW transaction_isolation",
}


def migrations() -> Iterator[Finding]:
    """Check that all migrations of this plugin and of the installed backends are applied."""
    if missing := unapplied_migrations({config.label for config in app_configs()}):
        labels = ", ".join(sorted({migration.app_label for migration in missing}))
        yield Finding.error(
            f"{len(missing)} migrations of badges are not applied ({labels}).", "Run manage.py migrate."
        )
    else:
        yield Finding.ok("All migrations are applied.")


def isolation() -> Iterator[Finding]:
    """Check that a transaction sees what was committed while it waited for a lock. SQLite has one writer at a time."""
    if connection.vendor not in _ISOLATION:
        return
    with connection.cursor() as cursor:
        cursor.execute(_ISOLATION[connection.vendor])
        level = str(cursor.fetchone()[-1]).lower().replace("-", " ")
    if level == READ_COMMITTED:
        yield Finding.ok(f"Transactions are isolated as {level}.")
    else:
        yield Finding.warning(
            f"Transactions are isolated as {level}: changes committed while one of them waited may go unseen.",
            'Leave "isolation_level" out of the OPTIONS of DATABASES, or set it to "read committed", which is '
            "Django's default for MySQL.",
        )


def templates() -> Iterator[Finding]:
    """Check that there are active badge templates, and that each of them can be earned."""
    number, healthy = 0, True
    for review in api.review_active():
        number, name = number + 1, f"Badge template {review.template_id}"
        for problem in review.problems:
            healthy = False
            yield Finding.error(f"{name}: {problem}", "Correct it in the admin, or deactivate the template.")
        for warning in review.warnings:
            healthy = False
            yield Finding.warning(f"{name}: {warning}", "If this is not intended, change it in the admin.")
    if not number:
        yield Finding.warning(
            "No badge template is active: no event has any effect.",
            "Set up a badge template with requirements in the admin and activate it.",
        )
    elif healthy:
        yield Finding.ok(f"{number} badge templates are active.")


def failed_events() -> Iterator[Finding]:
    """Check that no failed event waits to be applied or needs a decision."""
    failed = FailedEvent.objects.filter(state=FailedEvent.State.FAILED)
    counted: dict[str, int] = dict(failed.order_by().values_list("cause").annotate(Count("pk")))
    for cause, (what, advice) in _WAITING.items():
        if number := counted.get(cause):
            yield Finding.warning(f"{number} {what}", advice)
    if number := counted.get(""):
        yield Finding.warning(
            f"{number} events could not be applied.",
            "Look at the failed events in the admin. Once the cause is fixed, process them again (many at once with "
            "manage.py process_failed_events); dismiss those that do not matter.",
        )
    if not counted:
        yield Finding.ok("No event failed.")


def retained_events() -> Iterator[Finding]:
    """Check that failed events, which name learners, are deleted in time."""
    keep = conf.config().retention
    healthy = True
    for name in ("decided_failed_events_days", "undecided_failed_events_days"):
        if getattr(keep, name) is None:
            healthy = False
            yield Finding.warning(
                f'Failed events name learners and are kept forever: BADGES_CONFIG["retention"]["{name}"] is 0.',
                "Set it to a number of days, or delete them yourself with manage.py purge_failed_events.",
            )
    number = sum(count_up_to(rows) for rows in retention.overdue(timezone.now() - RETENTION_TOLERANCE))
    if number:
        yield Finding.warning(
            f"{in_words(number)} failed events should have been deleted by now.",
            "Start a worker (manage.py deliver_badges), which deletes them. Without one, run manage.py "
            "purge_failed_events regularly.",
        )
    elif healthy:
        yield Finding.ok("Old failed events are deleted.")


def clock() -> Iterator[Finding]:
    """Report by how much the latest event from the future was ahead of the clock here."""
    from_the_future = FailedEvent.objects.filter(state=FailedEvent.State.FAILED, cause=Deferral.FUTURE)
    last = from_the_future.order_by("-pk").values_list("event_time", "failed_at").first()
    if last is None or last[0] is None:
        return
    minutes = round((last[0] - last[1]).total_seconds() / 60)
    yield Finding.warning(
        f"The latest event from the future was {minutes} minutes ahead of the clock of the machine that received it.",
        "Compare the clocks of the consumers and of the LMS (timedatectl, chronyc tracking), and let NTP set them.",
    )


def announcements() -> Iterator[Finding]:
    """Check that awards and revocations were published."""
    overdue = BadgeAward.objects.filter(publish_due_at__lt=timezone.now() - UNPUBLISHED_TOLERANCE).count()
    if overdue:
        yield Finding.error(
            f"{overdue} awards or revocations were not published on the event bus.",
            "Start a worker (manage.py deliver_badges), which publishes them. If one is running, look for the "
            "producer's errors in its log.",
        )
    else:
        yield Finding.ok("All awards and revocations were published.")


def builtin_app() -> Iterator[Finding]:
    """Check that the built-in badges app awards nothing twice and has no configuration that is ignored."""
    found = builtin.check_rows(None, databases=[connection.alias])
    for message in found:
        yield Finding.warning(f"{message.msg} ({message.id})", message.hint or "See the settings reference.")
    if found:
        return
    if not host.builtin_models():
        yield Finding.ok("This host has no built-in badges app.")
    else:
        state = "on, as BADGES_CONFIG says" if conf.keeps_builtin_app() else "off"
        yield Finding.ok(f"The built-in badges app is {state}.")
