"""What stands in a badge, and what makes none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from badges_plugin.distribution.open_badges import building, canonical, status_bits
from badges_plugin.distribution.open_badges.data import (
    AchievementFacts,
    Alignment,
    Document,
    Evidence,
    GradeResult,
    IssuerFacts,
    StatusEntry,
    UnsignableBadge,
)
from tests.open_badges.samples import ACHIEVEMENT, EARNED, ISSUER, ISSUER_ID, SIGNED, facts

LIST_URL = "https://badges.example.org/badges/open/status/1/"


def achievement(**changes: Any) -> AchievementFacts:
    names = ("id", "name", "description", "criteria")
    return AchievementFacts(**{name: getattr(ACHIEVEMENT, name) for name in names} | changes)


def issuer(**changes: Any) -> IssuerFacts:
    return IssuerFacts(**{"id": ISSUER.id, "name": ISSUER.name, "url": ISSUER.url} | changes)


def achieved(**changes: Any) -> Document:
    """Return the achievement in the badge with ``changes`` to its facts."""
    document = building.unsigned_document(facts(achievement=achievement(**changes)))
    found: Document = document["credentialSubject"]["achievement"]
    return found


def test_the_least_that_a_badge_says() -> None:
    assert building.unsigned_document(facts()) == {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
        ],
        "id": "https://badges.example.org/badges/b/1/",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Data hero",
        "issuer": {"id": ISSUER_ID, "type": ["Profile"], "name": "Example University", "url": "https://example.org/"},
        "validFrom": "2026-03-01T09:31:00Z",
        "awardedDate": "2026-03-01T09:30:00Z",
        "credentialSubject": {
            "id": "urn:uuid:6a3f2f0e-59d5-4f43-8b1c-0a3f1b7f8f10",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://badges.example.org/badges/open/achievements/1/",
                "type": ["Achievement"],
                "achievementType": "Badge",
                "name": "Data hero",
                "description": "Works with data.",
                "criteria": {"narrative": "Pass *Data 101*."},
            },
        },
        "credentialSchema": [
            {
                "id": "https://purl.imsglobal.org/spec/ob/v3p0/schema/json-ld/ob_v3p0_achievementcredential_schema.json",
                "type": "1EdTechJsonSchemaValidator2019",
            }
        ],
    }


def test_all_that_a_badge_can_say() -> None:
    image = "https://badges.example.org/i.png"
    document = building.unsigned_document(
        facts(
            name="Data hero of 2026",
            issuer=issuer(email="badges@example.org", description="Since 1888.", image_url=image),
            achievement=achievement(
                criteria_url="https://example.org/criteria",
                type="Course",
                image_url=image,
                tags=("data", "statistics"),
                alignments=(Alignment("Python", "https://example.org/s/1", "ESCO", "S1", "ext:ESCOSkill", "Codes."),),
                language="pt-br",
            ),
            email="ada@example.org",
            salt="pepper",
            valid_until=datetime(2027, 3, 1, tzinfo=UTC),
            evidence=(Evidence("urn:uuid:1", "Passed", "On 1 March.", "Data 101"),),
            grade=GradeResult("87 %", "Final grade"),
            status=StatusEntry(LIST_URL, 94_567),
        )
    )
    subject = document["credentialSubject"]
    assert document["name"] == "Data hero of 2026"
    assert document["validUntil"] == "2027-03-01T00:00:00Z"
    assert document["issuer"] == {
        "id": ISSUER_ID,
        "type": ["Profile"],
        "name": "Example University",
        "url": "https://example.org/",
        "email": "badges@example.org",
        "description": "Since 1888.",
        "image": {"id": image, "type": "Image"},
    }
    assert document["evidence"] == [
        {
            "type": ["Evidence"],
            "id": "urn:uuid:1",
            "name": "Passed",
            "narrative": "On 1 March.",
            "description": "Data 101",
        }
    ]
    assert document["credentialStatus"] == {
        "id": f"{LIST_URL}#94567",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "94567",
        "statusListCredential": LIST_URL,
    }
    assert subject["identifier"] == [building.hashed_email("ada@example.org", "pepper")]
    assert "ada@example.org" not in str(document)
    result_id = "https://badges.example.org/badges/open/achievements/1/#result"
    assert subject["result"] == [{"type": ["Result"], "resultDescription": result_id, "value": "87"}]
    assert subject["achievement"] == {
        "id": "https://badges.example.org/badges/open/achievements/1/",
        "type": ["Achievement"],
        "achievementType": "Course",
        "name": "Data hero",
        "description": "Works with data.",
        "criteria": {"id": "https://example.org/criteria", "narrative": "Pass *Data 101*."},
        "image": {"id": image, "type": "Image"},
        "tag": ["data", "statistics"],
        "alignment": [
            {
                "type": ["Alignment"],
                "targetName": "Python",
                "targetUrl": "https://example.org/s/1",
                "targetFramework": "ESCO",
                "targetCode": "S1",
                "targetType": "ext:ESCOSkill",
                "targetDescription": "Codes.",
            }
        ],
        "inLanguage": "pt-BR",
        "resultDescription": [
            {
                "id": result_id,
                "type": ["ResultDescription"],
                "name": "Final grade",
                "resultType": "Percent",
                "valueMin": "0",
                "valueMax": "100",
            }
        ],
    }


def test_characters_that_cannot_be_signed_are_left_out() -> None:
    found = achieved(
        name=" Da\x00ta\x0b he\x7fro\ud83d\ufffe ", description="a\tb\r\nc\x1b", tags=("\x01", "x\x02", "x", " ")
    )
    assert (found["name"], found["description"], found["tag"]) == ("Data hero", "a\tb\r\nc", ["x"])


def test_what_looks_like_markup_stays() -> None:
    text = '“]]>” <b>&amp;</b> \\ " 🏅 \u2028\ufeff العربية'
    assert achieved(criteria=text)["criteria"]["narrative"] == text


def test_a_badge_without_a_description_is_described_by_its_name() -> None:
    assert achieved(description=" \x00 ")["description"] == "Data hero"


def test_what_is_said_twice_is_said_once() -> None:
    alike = Alignment("Python", "https://example.org/s/1")
    evidence = (Evidence("", "Passed"), Evidence("", "Passed"), Evidence("", "", ""))
    document = building.unsigned_document(facts(achievement=achievement(alignments=(alike, alike)), evidence=evidence))
    assert document["evidence"] == [{"type": ["Evidence"], "name": "Passed"}]
    assert len(document["credentialSubject"]["achievement"]["alignment"]) == 1


def test_nothing_is_empty() -> None:
    document = building.unsigned_document(facts(evidence=(Evidence("", ""),), name=" ", email="ada@example.org"))
    assert "evidence" not in document
    assert "identifier" not in document["credentialSubject"]
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        assert value not in (None, "", [], {})
        waiting.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())


def test_times_are_written_in_utc() -> None:
    zone = timezone(timedelta(hours=5, minutes=45))
    document = building.unsigned_document(facts(awarded_at=datetime(2026, 3, 1, 1, 0, 0, 999_999, tzinfo=zone)))
    assert document["awardedDate"] == "2026-02-28T19:15:00Z"


@pytest.mark.parametrize(
    ("language", "written"),
    [("en", "en"), ("zh_Hans", "zh-Hans"), ("es-419", "es-419"), ("sr-latn-rs", "sr-Latn-RS"), ("x-klingon", None)],
)
def test_language_is_written_as_the_schema_asks(language: str, written: str | None) -> None:
    assert achieved(language=language).get("inLanguage") == written


@pytest.mark.parametrize(
    ("value", "kind", "written"),
    [
        ("87%", "Percent", "87"),
        ("100.0 %", "Percent", "100.0"),
        ("B+", "LetterGrade", "B+"),
        ("0.87", "Result", "0.87"),
        ("passed", "Result", "passed"),
    ],
)
def test_grade_says_what_kind_it_is(value: str, kind: str, written: str) -> None:
    subject = building.unsigned_document(facts(grade=GradeResult(value, "")))["credentialSubject"]
    (described,) = subject["achievement"]["resultDescription"]
    assert (described["resultType"], subject["result"][0]["value"]) == (kind, written)
    assert described["name"] == "Grade"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": "/badges/b/1/"}, "The address of the badge is not a complete address: /badges/b/1/"),
        ({"id": "https:///badges/b/1/"}, "is not a complete address"),
        ({"id": "https://[::1/"}, "is not a complete address"),
        ({"id": "javascript:alert(1)"}, "is not a complete address"),
        ({"id": "https://example.org/a b"}, "is not a complete address"),
        ({"subject_id": ""}, "The id of the learner in the badge is not a complete address"),
        ({"subject_id": "ada"}, "is not a complete address"),
        ({"valid_until": SIGNED}, "would expire before it is valid"),
        ({"awarded_at": EARNED.replace(tzinfo=None)}, "has no time zone"),
        ({"status": StatusEntry(LIST_URL, status_bits.LENGTH)}, "has no place 131072"),
        ({"status": StatusEntry("status/1", 1)}, "The address of the status list is not"),
        ({"grade": GradeResult(" ", "Grade")}, "The grade is empty"),
        ({"evidence": (Evidence("event 1", "Passed"),)}, "The id of a piece of evidence is not"),
        ({"issuer": issuer(name="\x00")}, "The name of the issuer is empty"),
        ({"issuer": issuer(id="example.org")}, "The id of the issuer is not"),
        ({"issuer": issuer(url="example.org")}, "The address of the issuer is not"),
        ({"issuer": issuer(image_url="i.png")}, "The image of the issuer is not"),
        ({"achievement": achievement(name=" ")}, "The name of the badge is empty"),
        ({"achievement": achievement(criteria="")}, "does not say what it is awarded for"),
        ({"achievement": achievement(type="Medal")}, "The type of the achievement is unknown to Open Badges: Medal"),
        ({"achievement": achievement(image_url="/i.png")}, "The image of the badge is not"),
        ({"achievement": achievement(alignments=(Alignment("", "https://x.org/"),))}, "The name of an alignment"),
        ({"achievement": achievement(alignments=(Alignment("x", "x.org"),))}, "The address of an alignment is not"),
        ({"achievement": achievement(alignments=(Alignment("x", "https://x.org/", type="ESCO"),))}, "of an alignment"),
        ({"achievement": achievement(criteria="م" * 34_000)}, "too long"),
    ],
)
def test_what_makes_no_badge_is_refused_in_words(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnsignableBadge, match=reason):
        building.unsigned_document(facts(**changes))


def test_profile_and_achievement_stand_by_themselves() -> None:
    contexts = [canonical.CREDENTIALS, canonical.OPEN_BADGES]
    profile = building.profile(ISSUER)
    found = building.achievement(ACHIEVEMENT, ISSUER)
    assert (profile["@context"], profile["id"], profile["type"]) == (contexts, ISSUER_ID, ["Profile"])
    assert (found["@context"], found["id"], found["creator"]["id"]) == (contexts, ACHIEVEMENT.id, ISSUER_ID)
    # No term in them is undefined.
    assert canonical.to_nquads(profile)
    assert canonical.to_nquads(found)


def test_status_list_says_what_its_entries_say() -> None:
    bits = status_bits.with_bit(status_bits.empty(), 3)
    assert building.status_list(LIST_URL, ISSUER_ID, bits, EARNED) == {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": LIST_URL,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": ISSUER_ID,
        "validFrom": "2026-03-01T09:30:00Z",
        "credentialSubject": {
            "id": f"{LIST_URL}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": status_bits.encode(bits),
        },
    }
