"""Turn the rows of a CSV file into events: who passed which course, and when.

The header row names the columns: ``username`` or ``lms_user_id`` (or both), ``course_key`` (including CCX keys),
``passed`` (true or false, yes or no, 1 or 0, on or off), ``time`` (ISO 8601; UTC unless it has a zone; a day means its
beginning in the site's TIME_ZONE). Other columns are refused.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
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

from badges_plugin.consumers.message import DecodedEvent
from badges_plugin.exceptions import CannotRead
from badges_plugin.redaction import one_line
from badges_plugin.retirement import is_retired
from badges_plugin.rules import boolean
from badges_plugin.times import read_time

NAMESPACE = UUID("0d5c3a52-7b0e-5c5f-8f63-5a7d9a1be0c4")
REQUIRED = ("course_key", "passed", "time")
IDENTITIES = ("username", "lms_user_id")
# The user names that the LMS allows with ENABLE_UNICODE_USERNAME, but without "@": a value with it is far more often an
# e-mail address in the wrong column than a user name.
_USER_NAME = re.compile(r"[\w .+-]{2,150}")
_MAX_LMS_USER_ID = 2**31 - 1
_CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used: its line in the file, and the reason."""

    line: int
    reason: str

    def __str__(self) -> str:
        return one_line(f"line {self.line}: {self.reason}")


@dataclass(frozen=True)
class Row:
    """A usable row: its line in the file, and its event."""

    line: int
    event: DecodedEvent


def read_rows(lines: Iterable[str]) -> Iterator[Row | BadRow]:
    """Yield the event of each usable row and the reasons for each unusable one.

    Raises CannotRead when the header is wrong, or the text is not CSV.
    """
    reader = csv.DictReader(lines, restkey="", strict=True)
    try:
        _check_header(reader.fieldnames or [])
        for row in reader:
            if any(row.values()):
                yield from _read(row, reader.line_num)
    except (csv.Error, UnicodeDecodeError) as error:
        raise CannotRead(f"Line {reader.line_num + 1} is not CSV in UTF-8: {error}") from error


def _check_header(names: Iterable[str]) -> None:
    given = list(names)
    missing = [name for name in REQUIRED if name not in given]
    if not any(name in given for name in IDENTITIES):
        missing.append(" or ".join(IDENTITIES))
    if missing:
        raise CannotRead(f"The header row lacks {', '.join(missing)}. Separate the columns with commas.")
    unknown = sorted(set(given) - {*REQUIRED, *IDENTITIES})
    if unknown or len(set(given)) < len(given):
        names = one_line(", ".join(unknown or given))
        raise CannotRead(f"The header row has unknown or duplicate columns: {names}.")


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
    if not any((row.get(name) or "").strip() for name in IDENTITIES):
        reasons.append("neither a user name nor an LMS user id")
    if reasons:
        yield from (BadRow(line, reason) for reason in reasons)
    else:
        event = _event(**values)  # type: ignore[arg-type]  # each parser returns the type of its parameter
        yield Row(line, event)


def _user_name(text: str) -> str:
    if not text:
        return text
    if len(text) > 150:
        raise ValueError("the user name is too long")
    if not text.isprintable():
        raise ValueError(f"the user name {text!r} has characters that cannot be printed")
    if "@" in unicodedata.normalize("NFKC", text):
        raise ValueError(f"{text!r} is an e-mail address, not a user name; use lms_user_id instead")
    if not _USER_NAME.fullmatch(text):
        raise ValueError(f"the user name {text!r} is too short or has characters that the LMS does not allow")
    if is_retired(text, ""):
        raise ValueError("the learner was retired")
    return text


def _user_id(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= _MAX_LMS_USER_ID:
        raise ValueError(f"the LMS user id {text!r} is not a positive number")
    return int(text)


@lru_cache(maxsize=4096)  # a file has few courses and many rows
def _course_key(text: str) -> CourseKey:
    try:
        key = CourseKey.from_string(text)
    except InvalidKeyError as error:
        raise ValueError(f"{text!r} is not a course key") from error
    # In opaque-keys the keys of libraries and other learning contexts are course keys, too.
    is_run = isinstance(key, CourseLocator) and bool(key.run) and key.branch is None and key.version_guid is None
    if str(key) != text or not is_run:
        raise ValueError(f"{text!r} is not the key of a course run")
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
        raise ValueError(f"{text!r} is not a time such as 2026-01-31T12:00:00Z") from error
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
    """Return the event that the LMS would have sent; the same row always gives the same event."""
    # LMS events use 0 and "" for unknown values.
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
