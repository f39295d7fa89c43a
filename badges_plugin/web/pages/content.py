"""What a signed document says, for pages: the texts that were signed, not those of today.

Whoever changes a badge's description later must not change what somebody's page says they earned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from badges_plugin.distribution.api import web_url
from badges_plugin.times import read_time
from badges_plugin.web.shared import text_at

_BULLET = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")  # https://spec.commonmark.org/0.31.2/#backslash-escapes

# The most usual of https://www.imsglobal.org/spec/ob/v3p0/#achievementtype-enumeration ; others are said as they are.
_KINDS = {
    "Achievement": _("Achievement"),
    "Assessment": _("Assessment"),
    "Assignment": _("Assignment"),
    "Award": _("Award"),
    "Badge": _("Badge"),
    "Certificate": _("Certificate"),
    "CertificateOfCompletion": _("Certificate of completion"),
    "Certification": _("Certification"),
    "Competency": _("Competency"),
    "Course": _("Course"),
    "CoCurricular": _("Cocurricular activity"),
    "Degree": _("Degree"),
    "Diploma": _("Diploma"),
    "License": _("License"),
    "MicroCredential": _("Micro-credential"),
    "Membership": _("Membership"),
}


@dataclass(frozen=True)
class Skill:
    name: str
    url: str
    framework: str


@dataclass(frozen=True)
class Deed:
    """Something that the learner did."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class BadgeContent:
    """Texts of a document, plain.

    Of the Markdown of its criteria, the items of lists are ``criteria``, what had to be done; all else is
    ``conditions``. One sentence each.
    """

    name: str
    description: str
    criteria: tuple[str, ...]
    conditions: tuple[str, ...]
    kind: str
    skills: tuple[Skill, ...]
    deeds: tuple[Deed, ...]
    grade: str
    issuer_name: str
    issuer_url: str
    earned_at: datetime | None
    valid_until: datetime | None


def content_of(document: str | Mapping[str, Any]) -> BadgeContent:
    """Return what a document says. What is missing or of another type is empty: others may have written it."""
    data = json.loads(document) if isinstance(document, str) else document
    achievement = _mapping(_mapping(data.get("credentialSubject")).get("achievement"))
    subject = _mapping(data.get("credentialSubject"))
    issuer = data.get("issuer")
    kind = text_at(achievement, "achievementType")
    narrative = text_at(achievement, "criteria", "narrative").splitlines()
    return BadgeContent(
        name=text_at(achievement, "name") or text_at(data, "name"),
        description=text_at(achievement, "description"),
        criteria=_sentences(line for line in narrative if _BULLET.match(line)),
        conditions=_sentences(line for line in narrative if not _BULLET.match(line)),
        kind=str(_KINDS.get(kind, kind.removeprefix("ext:"))),
        skills=tuple(_skill(each) for each in _list(achievement.get("alignment"))),
        deeds=tuple(_deed(each) for each in _list(data.get("evidence"))),
        grade=next((text_at(each, "value") for each in _list(subject.get("result")) if text_at(each, "value")), ""),
        issuer_name=text_at(issuer, "name"),
        issuer_url=web_url(text_at(issuer, "url")),
        earned_at=_time(text_at(data, "awardedDate")) or _time(text_at(data, "validFrom")),
        valid_until=_time(text_at(data, "validUntil")),
    )


def issuer_id_of(document: Mapping[str, Any]) -> str:
    """Return who a document says has issued it: a URL or a DID, as text."""
    issuer = document.get("issuer")
    return issuer if isinstance(issuer, str) else text_at(issuer, "id")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Mapping[str, Any]]:
    """Return the objects of a list; JSON-LD may leave out the list around a single one."""
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, Mapping)]


def _sentences(markdown: Iterable[str]) -> tuple[str, ...]:
    lines = (_ESCAPED.sub(r"\1", _BULLET.sub("", line).strip()) for line in markdown)
    return tuple(line for line in lines if line)


def _skill(each: Mapping[str, Any]) -> Skill:
    return Skill(text_at(each, "targetName"), web_url(text_at(each, "targetUrl")), text_at(each, "targetFramework"))


def _deed(each: Mapping[str, Any]) -> Deed:
    return Deed(
        text_at(each, "name"), _sentences((text_at(each, "narrative") or text_at(each, "description")).splitlines())
    )


def _time(text: str) -> datetime | None:
    try:
        return read_time(text) if text else None
    except (ValueError, OverflowError):
        return None
