"""Whether what names learners is deleted in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from badges_plugin.conf import config
from badges_plugin.consumers import retention
from badges_plugin.doctor.findings import Finding

BEHIND = timedelta(days=2)
"""A worker that runs deletes within the hour; one may have been away for a weekend."""


def failed_events() -> Iterator[Finding]:
    """Failed events do not stay for ever."""
    keep = config().retention
    healthy = True
    for name, days in vars(keep).items():
        if days is None:
            healthy = False
            yield Finding.warning(
                f'Failed events name learners and are kept for ever: BADGES_CONFIG["retention"]["{name}"] is 0.',
                "Set it to a number of days, or delete them yourself with manage.py purge_failed_events.",
            )
    number = sum(rows.count() for rows in retention.overdue(timezone.now() - BEHIND))
    if number:
        yield Finding.warning(
            f"{number} failed events should have been deleted by now.",
            "Start a worker (manage.py deliver_badges): it deletes them. Where there is none, run manage.py "
            "purge_failed_events regularly.",
        )
    elif healthy:
        yield Finding.ok("Old failed events are deleted.")
