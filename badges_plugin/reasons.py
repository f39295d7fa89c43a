"""The reason why an award ended, as a sentence in the language of whoever reads it.

Only facts are stored; the sentence is made when it is shown. Staff's and a provider's own words are shown as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin.data import resolve
from badges_plugin.times import day_text

MAX_LENGTH = 255
"""Characters of a reason: what the column holds, and what providers are sent."""

# Event type -> where the payload has the key and the name of what the event is about. Most are about a course.
_COURSE = ("course.course_key", "course.display_name")
_SUBJECTS = {
    "org.openedx.learning.ccx.course.passing.status.updated.v1": ("course.ccx_course_key", "course.display_name"),
    "org.openedx.learning.program.certificate.revoked.v1": ("program.uuid", "program.title"),
    "org.openedx.learning.badge.revoked.v1": ("template.uuid", "template.name"),
}

# Sentences for what such an event nearly always means to a penalty; others get the general one.
_SENTENCES = {
    "org.openedx.learning.course.passing.status.updated.v1": gettext_lazy(
        "The grade in the course %(subject)s dropped below passing."
    ),
    "org.openedx.learning.ccx.course.passing.status.updated.v1": gettext_lazy(
        "The grade in the course %(subject)s dropped below passing."
    ),
    "org.openedx.learning.certificate.revoked.v1": gettext_lazy(
        "The certificate of the course %(subject)s was revoked."
    ),
    "org.openedx.learning.course.unenrollment.completed.v1": gettext_lazy("The learner left the course %(subject)s."),
    "org.openedx.learning.program.certificate.revoked.v1": gettext_lazy(
        "The certificate of the program %(subject)s was revoked."
    ),
    "org.openedx.learning.badge.revoked.v1": gettext_lazy("The badge %(subject)s, which this one needs, was revoked."),
}


def subject_of(event_type: str, payload: object) -> dict[str, str]:
    """Return what an event is about, as facts: the key and the name of its course, program or badge."""
    paths = _SUBJECTS.get(event_type, _COURSE)
    found = {word: resolve(payload, path) for word, path in zip(("key", "name"), paths, strict=True)}
    facts = {word: str(value)[:MAX_LENGTH] for word, value in found.items() if value}
    if resolve(payload, "is_passing") is True:
        facts["passed"] = "yes"  # a penalty may ask for that, too
    return facts


def penalty_reason(facts: Mapping[str, object]) -> str:
    """Return why a penalty took a badge: staff's description of it, or what its event says of the course."""
    if own_words := _text(facts, "penalty", "description"):
        return _fit(own_words)
    subject = _subject(facts)
    if not subject:
        return _("The requirements are no longer fulfilled.")
    sentence = _SENTENCES.get(_text(facts, "event", "type"))
    if sentence is None or _text(facts, "subject", "passed"):
        return _fit(_("The requirements are no longer fulfilled: %(subject)s.") % {"subject": subject})
    return _fit(str(sentence) % {"subject": subject})


def expiry_reason(expires_at: datetime) -> str:
    """Return on which day the badge expired, where the site is."""
    return _("Expired on %(day)s.") % {"day": day_text(expires_at)}


@contextmanager
def in_site_language(language: str = "") -> Iterator[None]:
    """Make texts in the language of the site, or in another one that a provider wants, whoever is at work."""
    with translation.override(language or settings.LANGUAGE_CODE):
        yield


def _subject(facts: Mapping[str, object]) -> str:
    key, name = _text(facts, "subject", "key"), _text(facts, "subject", "name")
    if name and name != key and ":" in key:  # a course key tells people something, a UUID does not
        return f"{name} ({key})"
    return name or key


def _text(facts: Mapping[str, object], about: str, name: str) -> str:
    part = facts.get(about)
    return str(part.get(name) or "") if isinstance(part, Mapping) else ""


def _fit(text: str) -> str:
    """Cut a text that is too long between two words, and show that it was cut."""
    text = " ".join(text.split())
    if len(text) <= MAX_LENGTH:
        return text
    kept = text[: MAX_LENGTH - 1]
    return (kept.rpartition(" ")[0] or kept) + "…"
