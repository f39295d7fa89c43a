"""What a signed badge says, as plain data: no rows, no queries.

Texts may hold anything that people write; ``building`` cleans them. Times are aware. Addresses are absolute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

#: A JSON object.
Document: TypeAlias = dict[str, Any]

#: Types of achievements; others start with "ext:". https://www.imsglobal.org/spec/ob/v3p0/#achievementtype-enumeration
ACHIEVEMENT_TYPES = (
    "Achievement",
    "ApprenticeshipCertificate",
    "Assessment",
    "Assignment",
    "AssociateDegree",
    "Award",
    "BachelorDegree",
    "Badge",
    "Certificate",
    "CertificateOfCompletion",
    "Certification",
    "CoCurricular",
    "CommunityService",
    "Competency",
    "Course",
    "Degree",
    "Diploma",
    "DoctoralDegree",
    "Fieldwork",
    "GeneralEducationDevelopment",
    "JourneymanCertificate",
    "LearningProgram",
    "License",
    "MasterCertificate",
    "MasterDegree",
    "Membership",
    "MicroCredential",
    "ProfessionalDoctorate",
    "QualityAssuranceCredential",
    "ResearchDoctorate",
    "SecondarySchoolDiploma",
)
#: Types of what achievements are aligned to. Others start with "ext:", such as "ext:ESCOSkill".
ALIGNMENT_TYPES = (
    "CFItem",
    "CFRubric",
    "CFRubricCriterion",
    "CFRubricCriterionLevel",
    "CTDL",
    "ceasn:Competency",
    "ceterms:Credential",
)


@dataclass(frozen=True, slots=True)
class IssuerFacts:
    """Who issues. ``id`` is a did:web or an https address; the keys' ``controller`` must equal it."""

    id: str
    name: str
    url: str
    email: str = ""
    description: str = ""
    image_url: str = ""


@dataclass(frozen=True, slots=True)
class Alignment:
    """A skill, standard or occupation elsewhere that the achievement corresponds to.

    ``type`` is one of ALIGNMENT_TYPES, starts with "ext:", or is empty.
    """

    name: str
    url: str
    framework: str = ""
    code: str = ""
    type: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class AchievementFacts:
    """What the badge is awarded for.

    ``description`` may be empty; the name then takes its place. ``criteria`` is Markdown; it or ``criteria_url`` is
    needed. ``type`` is one of ACHIEVEMENT_TYPES or starts with "ext:". ``language`` is a tag such as "en" or "pt-br";
    one that Open Badges cannot express is left out.
    """

    id: str
    name: str
    description: str
    criteria: str
    criteria_url: str = ""
    type: str = "Badge"
    image_url: str = ""
    tags: tuple[str, ...] = ()
    alignments: tuple[Alignment, ...] = ()
    language: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that happened and counted. ``id`` may be empty; ``narrative`` is Markdown."""

    id: str
    name: str
    narrative: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class GradeResult:
    """A grade: ``value`` as it should be read ("87 %", "B+"), ``name`` says of what."""

    value: str
    name: str


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """Where the badge's bit stands: a BitstringStatusList credential and the index in it."""

    list_url: str
    index: int


@dataclass(frozen=True, slots=True)
class BadgeFacts:
    """All that one badge says.

    ``id`` is the badge's public address. ``subject_id`` says nothing of the learner (``urn:uuid:...``); VC-JWT asks
    for one. ``email`` is never written down, only its hash with ``salt``; without either there is no identity.
    ``awarded_at`` is when it was earned, ``valid_from`` when this document was made: of two documents with one id,
    wallets keep the later.
    """

    id: str
    issuer: IssuerFacts
    achievement: AchievementFacts
    subject_id: str
    email: str
    salt: str
    awarded_at: datetime
    valid_from: datetime
    valid_until: datetime | None = None
    evidence: tuple[Evidence, ...] = ()
    grade: GradeResult | None = None
    status: StatusEntry | None = None
    name: str = ""


class UnsignableBadge(Exception):
    """The facts make no badge that wallets accept; the message says why, in words for staff."""


class UnbakeablePicture(ValueError):
    """The picture is no PNG or SVG, or is damaged, or is too large to be looked at."""
