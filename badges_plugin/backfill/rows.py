"""Rows of a CSV file as events: who passed which course, and when.

The header row names the columns. ``username`` or ``lms_user_id`` (or both), ``course_key`` (CCX keys as well),
``passed`` (true or false, yes or no, 1 or 0, on or off), ``time`` (ISO 8601; without a zone it is UTC, a day alone is
its beginning in the site's TIME_ZONE). Others are refused.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from ccx_keys.locator import CCXLocator
from django.utils import timezone
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey
from opaque_keys.edx.locator import CourseLocator
from openedx_events.data import EventsMetadata
from openedx_events.learning.data import (
    CcxCourseData,
    CcxCoursePassingStatusData,
    CourseData,
    CoursePassingStatusData,
    UserData,
    UserPersonalData,
)
from openedx_events.learning.signals import CCX_COURSE_PASSING_STATUS_UPDATED, COURSE_PASSING_STATUS_UPDATED

from badges_plugin.backfill.exceptions import CannotRead
from badges_plugin.consumers.message import DecodedEvent
from badges_plugin.redaction import one_line
from badges_plugin.retirement import is_retired
from badges_plugin.rules import boolean
from badges_plugin.times import read_time

NAMESPACE = UUID("0d5c3a52-7b0e-5c5f-8f63-5a7d9a1be0c4")
NEEDED = ("course_key", "passed", "time")
PEOPLE = ("username", "lms_user_id")
# What the LMS takes where it is set up to take the most (ENABLE_UNICODE_USERNAME), but for "@": a name with that is an
# address that was put into the wrong column, far more often than a user name.
_USER_NAME = re.compile(r"[\w .+-]{2,150}")
_MAX_LMS_USER_ID = 2**31 - 1
_CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used: its line in the file, and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return one_line(f"line {self.line}: {self.reason}")


@dataclass(frozen=True)
class Row:
    """A row that can be used: its line in the file, and its event."""

    line: int
    event: DecodedEvent


def read_rows(lines: Iterable[str]) -> Iterator[Row | BadRow]:
    """Yield the event of each row that can be used and the reasons for each that cannot.

    Raises CannotRead when the header is not what it must be, or this is no CSV.
    """
    reader = csv.DictReader(lines, restkey="", strict=True)
    try:
        _check_header(reader.fieldnames or [])
        for row in reader:
            if any(row.values()):
                yield from _read(row, reader.line_num)
    except (csv.Error, UnicodeDecodeError) as error:
        raise CannotRead(f"Line {reader.line_num + 1} is no CSV in UTF-8: {error}") from error


def _check_header(names: Iterable[str]) -> None:
    given = list(names)
    missing = [name for name in NEEDED if name not in given]
    if not any(name in given for name in PEOPLE):
        missing.append(" or ".join(PEOPLE))
    if missing:
        raise CannotRead(f"The header row lacks {', '.join(missing)}. Commas separate the columns.")
    unknown = sorted(set(given) - {*NEEDED, *PEOPLE})
    if unknown or len(set(given)) < len(given):
        names = one_line(", ".join(unknown or given))
        raise CannotRead(f"The header row has columns that are unknown or there twice: {names}.")


def _read(row: Mapping[str, str | None], line: int) -> Iterator[Row | BadRow]:
    reasons = []
    values: dict[str, object] = {}
    for name, parse in _PARSERS.items():
        try:
            values[name] = parse((row.get(name) or "").strip())
        except ValueError as error:
            reasons.append(str(error))
    if "" in row:
        reasons.append("there are more values than columns")
    if not any((row.get(name) or "").strip() for name in PEOPLE):
        reasons.append("neither a user name nor an LMS user id")
    if reasons:
        yield from (BadRow(line, reason) for reason in reasons)
    else:
        event = _event(**values)  # type: ignore[arg-type]  # each parser gives what its parameter takes
        yield Row(line, event)


def _user_name(text: str) -> str:
    if not text:
        return text
    if len(text) > 150:
        raise ValueError("the user name is too long")
    if not text.isprintable():
        raise ValueError(f"the user name {text!r} has characters that cannot be printed")
    if "@" in unicodedata.normalize("NFKC", text):
        raise ValueError(f"{text!r} is an e-mail address and no user name; name the learner by lms_user_id")
    if not _USER_NAME.fullmatch(text):
        raise ValueError(f"the user name {text!r} has characters that no user name of the LMS has, or is too short")
    if is_retired(text, ""):
        raise ValueError("the learner was retired")
    return text


def _user_id(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= _MAX_LMS_USER_ID:
        raise ValueError(f"the LMS user id {text!r} is no positive number")
    return int(text)


def _course_key(text: str) -> CourseKey:
    try:
        key = CourseKey.from_string(text)
    except InvalidKeyError as error:
        raise ValueError(f"{text!r} is no course key") from error
    # The keys of libraries and of other things to learn are course keys, too, as far as opaque-keys is concerned.
    is_run = isinstance(key, CourseLocator) and bool(key.run) and key.branch is None and key.version_guid is None
    if str(key) != text or not is_run:
        raise ValueError(f"{text!r} is no key of a course run")
    return key


def _passed(text: str) -> bool:
    passed = boolean(text)
    if passed is None:
        raise ValueError(f"passed must be true or false, not {text!r}")
    return passed


def _time(text: str) -> datetime:
    try:
        time = read_time(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time as in 2026-01-31T12:00:00Z") from error
    if time > timezone.now() + _CLOCK_TOLERANCE:
        raise ValueError(f"the time {text!r} is in the future")
    return time


_PARSERS: Mapping[str, Callable[[str], object]] = {
    "username": _user_name,
    "lms_user_id": _user_id,
    "course_key": _course_key,
    "passed": _passed,
    "time": _time,
}


def _event(username: str, lms_user_id: int | None, course_key: CourseKey, passed: bool, time: datetime) -> DecodedEvent:
    """Make the event that the LMS would have sent; the same row always makes the same one."""
    # 0 and "" are how the events of the LMS say that they do not know.
    user = UserData(id=lms_user_id or 0, is_active=True, pii=UserPersonalData(username=username, email="", name=""))
    content = (str(lms_user_id or ""), username, str(course_key), str(passed), time.isoformat())
    event_id = uuid5(NAMESPACE, "\n".join(content))
    status: CcxCoursePassingStatusData | CoursePassingStatusData
    if isinstance(course_key, CCXLocator):
        signal = CCX_COURSE_PASSING_STATUS_UPDATED
        course = CcxCourseData(ccx_course_key=course_key, master_course_key=course_key.to_course_locator())
        status = CcxCoursePassingStatusData(is_passing=passed, course=course, user=user)
    else:
        signal = COURSE_PASSING_STATUS_UPDATED
        status = CoursePassingStatusData(is_passing=passed, course=CourseData(course_key=course_key), user=user)
    metadata = EventsMetadata(
        event_type=signal.event_type,
        minorversion=signal.minor_version,
        id=event_id,
        time=time,
        source="badges/backfill",
    )
    return DecodedEvent(signal, metadata, {"course_passing_status": status})
