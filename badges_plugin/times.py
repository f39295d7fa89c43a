"""Parse times, and convert between instants in UTC and days in the site's time zone.

A text that is not a complete time is refused; nothing is guessed.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.formats import date_format

EARLIEST_YEAR = 1900
"""Earlier times are mistakes, and databases and providers refuse some of them."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def site_day(moment: datetime) -> date:
    """Return the day of an instant in the site's TIME_ZONE."""
    return moment.astimezone(_site_zone()).date()


def day_text(moment: datetime) -> str:
    """Return the day of an instant in the site's TIME_ZONE, as the reader's language writes days."""
    return date_format(site_day(moment), "DATE_FORMAT")


def site_midnight(day: date) -> datetime:
    """Return the instant, in UTC, when a day begins in the site's TIME_ZONE. Raises OverflowError if out of range."""
    return datetime.combine(day, time.min, tzinfo=_site_zone()).astimezone(UTC)


def _site_zone() -> ZoneInfo:
    """Return the zone; with ``USE_DEPRECATED_PYTZ`` (Redwood) ``combine`` does not work with Django's default zone."""
    return ZoneInfo(settings.TIME_ZONE)


def read_instant(text: str) -> datetime:
    """Return an ISO 8601 instant in UTC; without a time zone it is taken as UTC, as in events and databases.

    Raises ValueError for anything else, including a day without a time.
    """
    if not set(text) & set("Tt "):
        raise ValueError(f"{text!r} has no time of day")
    moment = datetime.fromisoformat(text)
    if moment.year < EARLIEST_YEAR:
        raise ValueError(f"{text!r} is too long ago")
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from error


def read_time(text: str) -> datetime:
    """Return what ``read_instant`` does; for a day such as 2026-01-31, its beginning in the site's TIME_ZONE."""
    if not _DAY.fullmatch(text):
        return read_instant(text)
    # Read as an instant first, which refuses invalid days and those too long ago.
    read_instant(f"{text}T12:00")
    try:
        return site_midnight(date.fromisoformat(text))
    except OverflowError as error:
        raise ValueError(str(error)) from error
