"""The sentences in which events about courses, and events that are counted, are asked for.

A table: whoever adds an event type here gives whole sentences, which translators see as they are. Event types that are
missing are asked for by their name and their rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Sentence  # what gettext_lazy returns, for type checkers only

LEARNING = "org.openedx.learning."
PASSING_STATUS = frozenset(
    {f"{LEARNING}course.passing.status.updated.v1", f"{LEARNING}ccx.course.passing.status.updated.v1"}
)
GRADE = f"{LEARNING}course.persistent_grade_summary.changed.v1"


@dataclass(frozen=True)
class CourseWording:
    """What is done with courses: one, several that are listed, or all that an organization or a pattern stands for."""

    one: Sentence
    any_of: Sentence
    any: Sentence
    of_org: Sentence
    run_of: Sentence
    like: Sentence
    at_least: Sentence
    different: Sentence
    different_of_org: Sentence
    different_like: Sentence


PASS = CourseWording(
    one=_("Pass %(course)s"),
    any_of=_("Pass one of: %(courses)s"),
    any=_("Pass any course"),
    of_org=_("Pass any course of %(org)s"),
    run_of=_("Pass any run of %(course)s"),
    like=_("Pass any course whose key matches %(pattern)s"),
    at_least=ngettext_lazy(
        "Pass at least %(count)d of: %(courses)s", "Pass at least %(count)d of: %(courses)s", "count"
    ),
    different=ngettext_lazy("Pass %(count)d course", "Pass %(count)d different courses", "count"),
    different_of_org=ngettext_lazy(
        "Pass %(count)d course of %(org)s", "Pass %(count)d different courses of %(org)s", "count"
    ),
    different_like=ngettext_lazy(
        "Pass %(count)d course whose key matches %(pattern)s",
        "Pass %(count)d different courses whose keys match %(pattern)s",
        "count",
    ),
)

EARN_CERTIFICATE = CourseWording(
    one=_("Earn the certificate of %(course)s"),
    any_of=_("Earn the certificate of one of: %(courses)s"),
    any=_("Earn the certificate of any course"),
    of_org=_("Earn the certificate of any course of %(org)s"),
    run_of=_("Earn the certificate of any run of %(course)s"),
    like=_("Earn the certificate of any course whose key matches %(pattern)s"),
    at_least=ngettext_lazy(
        "Earn the certificates of at least %(count)d of: %(courses)s",
        "Earn the certificates of at least %(count)d of: %(courses)s",
        "count",
    ),
    different=ngettext_lazy(
        "Earn the certificate of %(count)d course", "Earn the certificates of %(count)d different courses", "count"
    ),
    different_of_org=ngettext_lazy(
        "Earn the certificate of %(count)d course of %(org)s",
        "Earn the certificates of %(count)d different courses of %(org)s",
        "count",
    ),
    different_like=ngettext_lazy(
        "Earn the certificate of %(count)d course whose key matches %(pattern)s",
        "Earn the certificates of %(count)d different courses whose keys match %(pattern)s",
        "count",
    ),
)

ENROLL = CourseWording(
    one=_("Enroll in %(course)s"),
    any_of=_("Enroll in one of: %(courses)s"),
    any=_("Enroll in any course"),
    of_org=_("Enroll in any course of %(org)s"),
    run_of=_("Enroll in any run of %(course)s"),
    like=_("Enroll in any course whose key matches %(pattern)s"),
    at_least=ngettext_lazy(
        "Enroll in at least %(count)d of: %(courses)s", "Enroll in at least %(count)d of: %(courses)s", "count"
    ),
    different=ngettext_lazy("Enroll in %(count)d course", "Enroll in %(count)d different courses", "count"),
    different_of_org=ngettext_lazy(
        "Enroll in %(count)d course of %(org)s", "Enroll in %(count)d different courses of %(org)s", "count"
    ),
    different_like=ngettext_lazy(
        "Enroll in %(count)d course whose key matches %(pattern)s",
        "Enroll in %(count)d different courses whose keys match %(pattern)s",
        "count",
    ),
)

REACH_GRADE = CourseWording(
    one=_("Reach a grade of at least %(grade)s in %(course)s"),
    any_of=_("Reach a grade of at least %(grade)s in one of: %(courses)s"),
    any=_("Reach a grade of at least %(grade)s in any course"),
    of_org=_("Reach a grade of at least %(grade)s in any course of %(org)s"),
    run_of=_("Reach a grade of at least %(grade)s in any run of %(course)s"),
    like=_("Reach a grade of at least %(grade)s in any course whose key matches %(pattern)s"),
    at_least=ngettext_lazy(
        "Reach a grade of at least %(grade)s in at least %(count)d of: %(courses)s",
        "Reach a grade of at least %(grade)s in at least %(count)d of: %(courses)s",
        "count",
    ),
    different=ngettext_lazy(
        "Reach a grade of at least %(grade)s in %(count)d course",
        "Reach a grade of at least %(grade)s in %(count)d different courses",
        "count",
    ),
    different_of_org=ngettext_lazy(
        "Reach a grade of at least %(grade)s in %(count)d course of %(org)s",
        "Reach a grade of at least %(grade)s in %(count)d different courses of %(org)s",
        "count",
    ),
    different_like=ngettext_lazy(
        "Reach a grade of at least %(grade)s in %(count)d course whose key matches %(pattern)s",
        "Reach a grade of at least %(grade)s in %(count)d different courses whose keys match %(pattern)s",
        "count",
    ),
)

COURSE_WORDINGS = {
    f"{LEARNING}certificate.created.v1": EARN_CERTIFICATE,
    f"{LEARNING}certificate.changed.v1": EARN_CERTIFICATE,
    f"{LEARNING}course.enrollment.created.v1": ENROLL,
}
"""By event type. The passing status and grades are not here: what they ask for depends on their rules, too."""


@dataclass(frozen=True)
class LossWording:
    """What takes a badge away that was earned with courses."""

    one: Sentence
    any_of: Sentence
    any: Sentence
    of_org: Sentence
    run_of: Sentence
    like: Sentence


FAIL = LossWording(
    one=_("Lost when the grade in %(course)s drops below passing"),
    any_of=_("Lost when the grade in one of these courses drops below passing: %(courses)s"),
    any=_("Lost when the grade in any course drops below passing"),
    of_org=_("Lost when the grade in any course of %(org)s drops below passing"),
    run_of=_("Lost when the grade in a run of %(course)s drops below passing"),
    like=_("Lost when the grade in any course whose key matches %(pattern)s drops below passing"),
)

MISS_GRADE = LossWording(
    one=_("Lost when the grade in %(course)s drops below %(grade)s"),
    any_of=_("Lost when the grade in one of these courses drops below %(grade)s: %(courses)s"),
    any=_("Lost when the grade in any course drops below %(grade)s"),
    of_org=_("Lost when the grade in any course of %(org)s drops below %(grade)s"),
    run_of=_("Lost when the grade in a run of %(course)s drops below %(grade)s"),
    like=_("Lost when the grade in any course whose key matches %(pattern)s drops below %(grade)s"),
)

LOSE_CERTIFICATE = LossWording(
    one=_("Lost when the certificate of %(course)s is revoked"),
    any_of=_("Lost when the certificate of one of these is revoked: %(courses)s"),
    any=_("Lost when the certificate of any course is revoked"),
    of_org=_("Lost when the certificate of any course of %(org)s is revoked"),
    run_of=_("Lost when the certificate of a run of %(course)s is revoked"),
    like=_("Lost when the certificate of any course whose key matches %(pattern)s is revoked"),
)

UNENROLL = LossWording(
    one=_("Lost on unenrolling from %(course)s"),
    any_of=_("Lost on unenrolling from one of: %(courses)s"),
    any=_("Lost on unenrolling from any course"),
    of_org=_("Lost on unenrolling from any course of %(org)s"),
    run_of=_("Lost on unenrolling from a run of %(course)s"),
    like=_("Lost on unenrolling from any course whose key matches %(pattern)s"),
)

LOSS_WORDINGS = {
    f"{LEARNING}certificate.revoked.v1": LOSE_CERTIFICATE,
    f"{LEARNING}course.unenrollment.completed.v1": UNENROLL,
}

PROGRAMS = {
    f"{LEARNING}program.certificate.awarded.v1": _("Complete the program %(program)s"),
    f"{LEARNING}program.certificate.revoked.v1": _("Lost when the certificate of the program %(program)s is revoked"),
}
"""By event type, for rules that name one program."""

COUNTED = {
    f"{LEARNING}auth.session.login.completed.v1": (
        _("Sign in"),
        ngettext_lazy("Sign in %(count)d time", "Sign in %(count)d times", "count"),
    ),
    f"{LEARNING}student.registration.completed.v1": (
        _("Register"),
        ngettext_lazy("Register %(count)d time", "Register %(count)d times", "count"),
    ),
    f"{LEARNING}forum.thread.created.v1": (
        _("Write a forum post"),
        ngettext_lazy("Write %(count)d forum post", "Write %(count)d forum posts", "count"),
    ),
    f"{LEARNING}forum.thread.response.created.v1": (
        _("Write a response in a forum"),
        ngettext_lazy("Write %(count)d response in forums", "Write %(count)d responses in forums", "count"),
    ),
    f"{LEARNING}forum.thread.response.comment.created.v1": (
        _("Write a comment in a forum"),
        ngettext_lazy("Write %(count)d comment in forums", "Write %(count)d comments in forums", "count"),
    ),
}
"""Once, and so many times, by event type."""

PASSED, FAILED = _("passed on %(day)s"), _("failed on %(day)s")
