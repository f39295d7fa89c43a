"""What an event says, in words: "Passed Algebra"."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from badges_plugin.conf import BADGE_EVENT_TYPES
from badges_plugin.data import grade_in, resolve
from badges_plugin.reading import wordings
from badges_plugin.reading.words import event_label
from badges_plugin.reasons import subject_of

CERTIFICATE_REVOKED = f"{wordings.LEARNING}certificate.revoked.v1"


def course_pattern(event_type: str, *, is_good: bool) -> str:
    """Return the sentence of an event about a course, with a place for its name; empty where there is none.

    ``is_good``: it fulfills what is asked for, rather than taking it away.
    """
    if event_type in wordings.PASSING_STATUS:
        return _("Passed %(course)s") if is_good else _("Failed %(course)s")
    if is_good and (wording := wordings.COURSE_WORDINGS.get(event_type)):
        is_certificate = wording is wordings.EARN_CERTIFICATE
        return _("Earned the certificate of %(course)s") if is_certificate else _("Enrolled in %(course)s")
    if is_good and event_type == wordings.GRADE:
        return _("Was graded in %(course)s")
    if not is_good and event_type in wordings.LOSS_WORDINGS:
        is_certificate = event_type == CERTIFICATE_REVOKED
        return _("Lost the certificate of %(course)s") if is_certificate else _("Left %(course)s")
    return ""


def badge_pattern(event_type: str) -> str:
    """Return the sentence of an event about a badge, with a place for its name; empty for other events."""
    awarded, revoked = BADGE_EVENT_TYPES
    if event_type == awarded:
        return _("Earned the badge “%(badge)s”")
    return _("Lost the badge “%(badge)s”") if event_type == revoked else ""


def subject_key(event_type: str, payload: object) -> str:
    """Return the key of the course, program or badge that an event is about; empty where there is none."""
    return subject_of(event_type, payload).get("key", "")


def event_sentence(event_type: str, payload: object, titles: Mapping[str, str]) -> str:
    """Return what an event says. ``titles``: of courses by their keys, as far as they are known.

    ``payload``: the data object, or the mapping that was stored of it, at which key paths start. Names no person.
    """
    subject = subject_of(event_type, payload)
    key = subject.get("key", "")
    name = titles.get(key) or subject.get("name") or key
    if name and (pattern := badge_pattern(event_type)):
        return pattern % {"badge": name}
    is_good = event_type not in wordings.LOSS_WORDINGS
    if event_type in wordings.PASSING_STATUS:
        is_good = resolve(payload, "is_passing") is True
    if name and (pattern := course_pattern(event_type, is_good=is_good)):
        sentence = pattern % {"course": name}
    elif name:
        sentence = _("%(event)s: %(subject)s") % {"event": event_label(event_type), "subject": name}
    else:
        sentence = event_label(event_type)
    grade = _grade(payload)
    return _("%(what)s (%(grade)s)") % {"what": sentence, "grade": grade} if grade else sentence


class _Attributes:
    """The values of a stored event, which are read as attributes of data objects are."""

    def __init__(self, values: Mapping[str, object]) -> None:
        vars(self).update(values)


def _grade(payload: object) -> str:
    return grade_in(_Attributes(payload) if isinstance(payload, Mapping) else payload)
