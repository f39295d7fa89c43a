"""Describe the values that events can have at a key path, as far as these are certain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from ccx_keys.locator import CCXLocator
from opaque_keys import InvalidKeyError, OpaqueKey
from opaque_keys.edx.keys import CourseKey
from opaque_keys.edx.locator import LibraryLocator

from badges_plugin import events
from badges_plugin.patterns import ANYTHING, Pattern, literal, word


@dataclass(frozen=True)
class Domain:
    """The values at one key path of one event type."""

    accepts: Callable[[str], bool] = lambda value: True
    """Whether a text can be the value."""
    forms: tuple[Pattern, ...] = (ANYTHING,)
    """The patterns of texts; a text matches one of them."""
    is_key: bool = False
    """Whether the values are opaque keys, for example of courses."""
    is_whole: bool = False
    """Whether numbers are integers."""
    limits: tuple[float, float] | None = None
    """The least and the greatest possible number."""


Domains = Mapping[str, Domain]

PERCENT_GRADE = "percent_grade"
# 0.8 is 80 %. Assignments that weigh more than 100 % together give grades over 1, and nothing gives 80.
_GRADES = (0.0, 10.0)

_PART = r"\w\-~."
_RUN = (*word(_PART), *literal("+"), *word(_PART), *literal("+"), *word(_PART))
_COURSE = (*literal("course-v1:"), *_RUN)
_OLD_COURSE = (*word(_PART), *literal("/"), *word(_PART), *literal("/"), *word(_PART))
_CCX = (*literal("ccx-v1:"), *_RUN, *literal("+ccx@"), *word("0-9"))


def domains(event_type: str) -> Domains:
    """Return the domain of every key path. Raises UnusableEventType if the event type does not exist."""
    found = events.get_event_type(event_type)
    return {path: _domain(found, path, cls) for path, cls in found.classes.items()}


def _domain(event_type: events.EventType, path: str, cls: type) -> Domain:
    if issubclass(cls, CCXLocator):
        return Domain(_is_key(cls), (_CCX,), is_key=True)
    if issubclass(cls, CourseKey):
        takes_ccx = _takes_ccx(event_type)
        forms = (_COURSE, _OLD_COURSE, *([_CCX] if takes_ccx else []))
        return Domain(_is_course_run(takes_ccx), forms, is_key=True)
    if issubclass(cls, OpaqueKey):
        return Domain(_is_key(cls), is_key=True)
    if issubclass(cls, UUID) or path.rpartition(".")[2] == "uuid":
        return Domain(_is_uuid, (word(r"0-9a-f\-"),))
    if path == PERCENT_GRADE:
        return Domain(limits=_GRADES)
    return Domain(is_whole=issubclass(cls, int))


def _takes_ccx(event_type: events.EventType) -> bool:
    """Return whether the events may be about custom courses (CCX): not if these have an event type or key path."""
    if any(issubclass(cls, CCXLocator) for cls in event_type.classes.values()):
        return False
    return not events.exists(event_type.name.replace(".learning.course.", ".learning.ccx.course."), but=event_type.name)


def _is_key(cls: type[OpaqueKey]) -> Callable[[str], bool]:
    def accepts(value: str) -> bool:
        try:
            return str(cls.from_string(value)) == value
        except InvalidKeyError:
            return False

    return accepts


def _is_course_run(takes_ccx: bool) -> Callable[[str], bool]:
    def accepts(value: str) -> bool:
        try:
            key = CourseKey.from_string(value)
        except InvalidKeyError:
            return False
        if str(key) != value or isinstance(key, LibraryLocator) or (isinstance(key, CCXLocator) and not takes_ccx):
            return False
        # Events are about courses, not about drafts and versions of them.
        return bool(key.run) and not getattr(key, "branch", None) and not getattr(key, "version_guid", None)

    return accepts


def _is_uuid(value: str) -> bool:
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False
