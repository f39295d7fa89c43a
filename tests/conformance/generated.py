"""Badges of every kind, by chance but alike in every run: each optional property on and off, texts of all sorts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from badges_plugin.distribution.open_badges import status_bits
from badges_plugin.distribution.open_badges.data import (
    ACHIEVEMENT_TYPES,
    ALIGNMENT_TYPES,
    AchievementFacts,
    Alignment,
    BadgeFacts,
    Evidence,
    GradeResult,
    IssuerFacts,
    StatusEntry,
)

HOST = "https://badges.example.org"
ISSUER_ID = "did:web:badges.example.org:badges:open:issuers:1"
LIST_URL = f"{HOST}/badges/open/status/1/"
START = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
#: A badge made at START that expires is valid at any time when these tests may run.
FAR = datetime(2999, 1, 1, tzinfo=UTC)

TEXTS = (
    "Teamwork",
    "Équipe d’élite — “naïve” façade",
    "العمل الجماعي، المستوى ٣",
    "עבודת צוות",
    "团队合作",
    "チームワーク 上級",
    "팀워크",
    "ทำงานเป็นทีม",
    "टीमवर्क",
    "Ομαδική εργασία",
    "Командная работа",
    "Đội nhóm và Ưu tiên",
    "🏅👩🏽‍🚀👨‍👩‍👧‍👦🇺🇳 medal",
    "\U0001d504\U0001d530\U0001d531\U0001d52f\U0001d51e\U0001d529 \U00010348 \U0010fffd",
    "e\u0301 is not \u00e9, nor \ufb01 fi",
    "right\u200fto\u202bleft\u202c and zero\u200bwidth\u200djoiner\ufeff",
    "a\u2028b\u2029c\u0085d\u00a0e",
    "null",
    "0",
    "true",
    " spaces around ",
    "tab\there, line\nthere, return\r\nat the end\r",
    "controls\x00\x01\x08\x0b\x0c\x1b\x1f\x7f\x9f end",
    "halves \ud83d and \udc00, noncharacters \ufffe\uffff",
    "]]> and <![CDATA[ and &amp; &lt;b&gt;",
    '<script>alert("x")</script> <https://undefined.invalid/#x>',
    '"double" \'single\' `back` \\ \\n \\u0000 \\"',
    "# Heading\n\n* *one*\n* **two** [link](https://example.org/?a=1&b=2)\n\n```\ncode\n```",
    "@context @id @type @value _:b0 https://example.org/x y",
    '{"@context": null}',
    "%s %(name)s {0} ${x} $1",
    "long " * 400,
)
URLS = (
    "https://example.org/",
    "https://example.org/a?b=c&d=%20e#f",
    "http://example.org:8080/x;y=1,2/~z/(a)/'b'/*!$",
    "https://例え.example/路径/é",
    "https://xn--r8jz45g.example/%E8%B7%AF",
    "https://[2001:db8::1]/x",
    "https://user@example.org/@x/:y",
)
IMAGES = (
    *URLS,
    "data:image/png;base64,iVBORw0KGgo=",
    "data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'/%3E",
)
LANGUAGES = ("en", "pt-br", "zh_Hans", "es-419", "sr-latn-rs", "tlh", "x-unknown", "de-DE-1996", "")
GRADES = ("87%", "100 %", "99.5%", "A", "B+", "0.87", "passed", "أ", "]]>", "101.5 of 120")

ItemT = TypeVar("ItemT")


@dataclass(frozen=True)
class Dice:
    """Choices. ``optional`` is None where each is made by chance, or what all of them are."""

    random: random.Random
    optional: bool | None = None

    def has(self) -> bool:
        return self.random.random() < 0.5 if self.optional is None else self.optional

    def text(self) -> str:
        return self.random.choice(TEXTS)

    def maybe(self) -> str:
        return self.text() if self.has() else ""

    def url(self) -> str:
        return self.random.choice(URLS) if self.has() else ""

    def image(self) -> str:
        return self.random.choice(IMAGES) if self.has() else ""

    def some(self, count: int, items: tuple[ItemT, ...]) -> tuple[ItemT, ...]:
        return tuple(self.random.choices(items, k=self.random.randint(1, count))) if self.has() else ()


def badges(count: int, seed: int) -> Iterator[BadgeFacts]:
    """Yield ``count`` badges: one without anything optional, one with everything, and others by chance."""
    for number in range(count):
        optional = {0: False, 1: True}.get(number)
        yield badge(number, Dice(random.Random(f"{seed}-{number}"), optional))  # noqa: S311 - repeatable, not secret


def badge(number: int, dice: Dice) -> BadgeFacts:
    """Return a badge at its own address, with its own place in the status list."""
    awarded = START + timedelta(hours=dice.random.randrange(10_000))
    return BadgeFacts(
        id=f"{HOST}/badges/b/{number}/",
        issuer=_issuer(dice),
        achievement=_achievement(dice),
        subject_id=f"urn:uuid:00000000-0000-4000-8000-{number:012x}",
        email=f"ada+{number}@example.org" if dice.has() else "",
        salt=f"salt{number}",
        awarded_at=awarded,
        valid_from=awarded,
        valid_until=FAR if dice.has() else None,
        evidence=_evidence(dice),
        grade=GradeResult(dice.random.choice(GRADES), dice.maybe()) if dice.has() else None,
        status=StatusEntry(LIST_URL, number * 131 % status_bits.LENGTH) if dice.has() else None,
        name=dice.maybe(),
    )


def _issuer(dice: Dice) -> IssuerFacts:
    return IssuerFacts(
        id=ISSUER_ID,
        name=dice.text(),
        url=dice.random.choice(URLS),
        email="badges@example.org" if dice.has() else "",
        description=dice.maybe(),
        image_url=dice.image(),
    )


def _achievement(dice: Dice) -> AchievementFacts:
    criteria_url = dice.url()
    return AchievementFacts(
        id=f"{HOST}/badges/open/achievements/{dice.random.randrange(50)}/",
        name=dice.text(),
        description=dice.maybe(),
        criteria=dice.maybe() if criteria_url else dice.text(),
        criteria_url=criteria_url,
        type=dice.random.choice((*ACHIEVEMENT_TYPES, "ext:OpenEdxBadge")) if dice.has() else "Badge",
        image_url=dice.image(),
        tags=dice.some(6, TEXTS),
        alignments=_alignments(dice),
        language=dice.random.choice(LANGUAGES),
    )


def _alignments(dice: Dice) -> tuple[Alignment, ...]:
    kinds = (*ALIGNMENT_TYPES, "ext:ESCOSkill", "")
    return tuple(
        Alignment(dice.text(), url, dice.maybe(), dice.maybe(), dice.random.choice(kinds), dice.maybe())
        for url in dice.some(4, URLS)
    )


def _evidence(dice: Dice) -> tuple[Evidence, ...]:
    # Some of them alike but for their narrative, some wholly.
    return tuple(Evidence(dice.url(), name, dice.maybe(), dice.maybe()) for name in dice.some(7, TEXTS))
