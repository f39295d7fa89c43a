"""Reading times, and telling days: a day is one where the site is, an instant is in UTC.

Nothing here is ever made up: a text that says no time is refused.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings

EARLIEST_YEAR = 1900
"""What is older is a mistake, and databases and providers refuse some of it."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def site_day(moment: datetime) -> date:
    """Return the day of an instant in the site's TIME_ZONE."""
    return moment.astimezone(_site_zone()).date()


def site_midnight(day: date) -> datetime:
    """Return the instant at which a day begins in the site's TIME_ZONE, in UTC. Raises OverflowError at the ends."""
    return datetime.combine(day, time.min, tzinfo=_site_zone()).astimezone(UTC)


def _site_zone() -> ZoneInfo:
    """Not Django's ``get_default_timezone``: with ``USE_DEPRECATED_PYTZ``, as in Redwood, that cannot be combined."""
    return ZoneInfo(settings.TIME_ZONE)


def read_instant(text: str) -> datetime:
    """Return an instant in ISO 8601, in UTC; one without a time zone is in UTC already, as events and databases say it.

    Raises ValueError for anything else. A day is no instant.
    """
    if not set(text) & set("Tt "):
        raise ValueError(f"{text!r} is no time of a day")
    moment = datetime.fromisoformat(text)
    if moment.year < EARLIEST_YEAR:
        raise ValueError(f"{text!r} is too long ago")
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from error


def read_time(text: str) -> datetime:
    """Return what ``read_instant`` does or, of a day such as 2026-01-31, its beginning in the site's TIME_ZONE."""
    if not _DAY.fullmatch(text):
        return read_instant(text)
    # Read as an instant first: what is none, or too long ago, is no day either.
    read_instant(f"{text}T12:00")
    try:
        return site_midnight(date.fromisoformat(text))
    except OverflowError as error:
        raise ValueError(str(error)) from error
