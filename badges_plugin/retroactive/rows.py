"""
Rows of a CSV file as events: who passed which course, and when.

The header row names the columns. ``username`` or ``lms_user_id`` (or both), ``course_key`` (CCX keys as well),
``passed`` (true or false, yes or no, 1 or 0), ``time`` (ISO 8601; without a zone it is UTC). Others are refused.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from ccx_keys.locator import CCXLocator
from django.utils import timezone
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey
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

from ..consumers.message import DecodedEvent
from ..redaction import one_line
from .problems import CannotRead

NAMESPACE = UUID("0d5c3a52-7b0e-5c5f-8f63-5a7d9a1be0c4")
NEEDED = ("course_key", "passed", "time")
PEOPLE = ("username", "lms_user_id")
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_LONGEST_ID = 2**31 - 1
_CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used: its line in the file, and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return one_line(f"line {self.line}: {self.reason}")


def read_rows(lines: Iterable[str]) -> Iterator[DecodedEvent | BadRow]:
    """
    Yield an event for each row that can be used and the reasons for each that cannot.

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


def _read(row: Mapping[str, str | None], line: int) -> Iterator[DecodedEvent | BadRow]:
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
        yield _event(**values)  # type: ignore[arg-type]  # each parser gives what its parameter takes


def _user_name(text: str) -> str:
    if len(text) > 150:
        raise ValueError("the user name is too long")
    if not text.isprintable():
        raise ValueError(f"the user name {text!r} has characters that cannot be printed")
    return text


def _user_id(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= _LONGEST_ID:
        raise ValueError(f"the LMS user id {text!r} is no positive number")
    return int(text)


def _course_key(text: str) -> CourseKey:
    try:
        key = CourseKey.from_string(text)
    except InvalidKeyError as error:
        raise ValueError(f"{text!r} is no course key") from error
    if str(key) != text or key.run is None:
        raise ValueError(f"{text!r} is no key of a course run")
    return key


def _passed(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError(f"passed must be true or false, not {text!r}")
    return _BOOLEANS[text.lower()]


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        time = (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError) as error:
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
