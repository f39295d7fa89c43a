"""Write who passed which course, as CSV for ``badges_backfill``. Tutor's command runs this file in the LMS.

The LMS keeps one grade for each learner and course: when the course was first passed, and whether it is passed since
the last change. What happened in between is not kept. That gives up to two rows: passed at the first time, and, if the
grade changed later, passed or not at the last change.

Table: https://github.com/openedx/edx-platform/blob/master/lms/djangoapps/grades/models.py
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import TextIO

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model

HEADER = ("username", "lms_user_id", "course_key", "passed", "time")
# How many rows of the table are read at a time: neither memory nor the length of a query limits the table's size.
CHUNK = 2000
# Passing is saved twice in a row; that is one change.
SAME_MOMENT = timedelta(seconds=1)
# The backfill refuses other user names. It finds those learners by their id.
_USER_NAME = re.compile(r"[\w.+-][\w .+-]{0,148}[\w.+-]")

Grade = tuple[int, object, datetime, datetime, str]
"""User id, course key, time of the first passing, time of the last change, and letter, which is empty if not passed."""


def export(output: TextIO, messages: TextIO, since: datetime | None = None) -> None:
    """Write the rows, only those since a time if one is given, and then a summary to ``messages``."""
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(HEADER)
    rows = retired = deleted = 0
    for grades in _chunks(since):
        people = _people({grade[0] for grade in grades})
        for user_id, course_key, passed, modified, letter in grades:
            if user_id not in people:
                deleted += 1
                continue
            username = people[user_id]
            if username is None:
                retired += 1
                continue
            for time, is_passing in changes(passed, modified, letter, since):
                writer.writerow((username, user_id, course_key, "true" if is_passing else "false", time.isoformat()))
                rows += 1
    output.flush()
    print(f"{rows} rows. Left out: {retired} grades of retired learners, {deleted} of deleted users.", file=messages)


def changes(
    passed: datetime, modified: datetime, letter: str, since: datetime | None
) -> Iterator[tuple[datetime, bool]]:
    """Yield when a course was passed or failed, as far as one row of the table tells it."""
    passed, modified = _utc(passed), _utc(modified)
    if since is None or passed >= since:
        yield passed, True
    if not letter or modified - passed > SAME_MOMENT:
        # Failed after it was passed, also where a database keeps no fractions of a second.
        yield max(modified, passed + timedelta(microseconds=1)), bool(letter)


def _chunks(since: datetime | None) -> Iterator[list[Grade]]:
    """Yield the grades in courses that were ever passed, by ranges of the primary key: nothing has to be sorted."""
    model = apps.get_model("grades", "PersistentCourseGrade")  # type: ignore[misc]  # it is in the LMS only
    table = model.objects.order_by("pk")
    wanted = table.filter(passed_timestamp__isnull=False)
    if since is not None:
        wanted = wanted.filter(modified__gte=since)
    last = -1
    while keys := list(table.filter(pk__gt=last).values_list("pk", flat=True)[:CHUNK]):
        part = wanted.filter(pk__gt=last, pk__lte=keys[-1])
        yield list(part.values_list("user_id", "course_id", "passed_timestamp", "modified", "letter_grade"))
        last = keys[-1]


def _people(ids: Iterable[int]) -> dict[int, str | None]:
    """Return the user name of each user; None for people who were, or are being, retired."""
    users = get_user_model().objects.filter(pk__in=list(ids)).values_list("pk", "username", "email")
    return {
        pk: None if _is_retired(username, email) else username if _USER_NAME.fullmatch(username) else ""
        for pk, username, email in users
    }


def _is_retired(username: str, email: str) -> bool:
    """Return whether one of the two was replaced. The platform replaces the address days before the name."""
    prefix = getattr(settings, "RETIRED_USERNAME_PREFIX", "retired__user_")
    domain = getattr(settings, "RETIRED_EMAIL_DOMAIN", "retired.invalid")
    return username.casefold().startswith(prefix.casefold()) or email.casefold().endswith(
        (f"@{domain}".casefold(), ".invalid")
    )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc) if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
