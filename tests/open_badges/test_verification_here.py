"""Verification with the database: an address of ours, and texts that only look like ours."""

from __future__ import annotations

from typing import Any

import pytest

from badges_plugin.distribution.open_badges import api
from badges_plugin.distribution.open_badges.api import Outcome
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.distribution.worlds import deliver
from tests.factories import send_passing
from tests.open_badges.signed import signed


@pytest.fixture
def document(template: BadgeTemplate, ada: Any) -> api.SignedDocument:
    send_passing(ada)
    deliver()
    return signed()[0]


def test_an_address_of_ours_is_judged_only_if_its_badge_is_public(document: api.SignedDocument) -> None:
    award = BadgeAward.objects.get().pk
    for url in (document.url, document.url.rstrip("/"), f"{document.url}badge.json", f" {document.url}?x=1#y\n"):
        verdict = api.verify(url, is_public={award}.__contains__)
        assert (verdict.outcome, verdict.signed_badge_uuid) == (Outcome.VALID, document.uuid), url
        assert api.verify(url).outcome == Outcome.NOT_OURS


@pytest.mark.parametrize(
    "change",
    [
        ("https://badges.example.org/", "https://evil.example.org/"),
        ("https://badges.example.org/badges", "https://badges.example.org.evil.org/badges"),
        ("/badges/b/", "/badges/c/"),
    ],
)
def test_an_address_of_others_is_not_ours_even_with_our_identifier(
    document: api.SignedDocument, change: tuple[str, str]
) -> None:
    url = document.url.replace(*change)
    assert url != document.url
    assert api.verify(url, is_public=lambda award: True).outcome == Outcome.NOT_OURS


def test_questions_are_few(document: api.SignedDocument, django_assert_max_num_queries: Any) -> None:
    for text in (document.json_text, document.jwt):
        with django_assert_max_num_queries(4):
            api.verify(text)
    with django_assert_max_num_queries(1):
        api.documents_of([document.award_id, 0])
    with django_assert_max_num_queries(1):
        assert api.find_document(document.uuid) == document
