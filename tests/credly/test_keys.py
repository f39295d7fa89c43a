"""API keys at rest."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from badges_plugin.distribution import vault
from badges_plugin.distribution.credly.models import CredlyOrganization
from badges_plugin.distribution.failures import RejectedKey
from sandbox.credly import DEMO_KEY, DEMO_ORGANIZATION_ID

ORGANIZATION = UUID(DEMO_ORGANIZATION_ID)


@pytest.fixture
def stored(db: None) -> CredlyOrganization:
    organization = CredlyOrganization(uuid=ORGANIZATION)
    organization.set_api_key(DEMO_KEY)
    organization.save()
    return organization


def test_the_database_never_sees_a_key(stored: CredlyOrganization) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM credly_badges_credlyorganization")
        assert DEMO_KEY not in str(cursor.fetchall())
    assert CredlyOrganization.objects.get().api_key == DEMO_KEY


def test_the_same_key_is_never_stored_twice_the_same(stored: CredlyOrganization) -> None:
    assert vault.seal(DEMO_KEY) != vault.seal(DEMO_KEY)


def test_a_rotated_secret_still_opens_what_the_old_one_closed(stored: CredlyOrganization, settings: Any) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one"

    assert CredlyOrganization.objects.get().api_key == DEMO_KEY


def test_a_lost_secret_is_told_with_the_remedy(stored: CredlyOrganization, settings: Any) -> None:
    settings.SECRET_KEY = "a new one"

    with pytest.raises(RejectedKey, match="SECRET_KEY_FALLBACKS"):
        _ = stored.api_key
    assert stored.key_fingerprint() == ""


def test_the_fingerprint_follows_the_key_and_hides_it(stored: CredlyOrganization) -> None:
    before = stored.key_fingerprint()
    stored.set_api_key(DEMO_KEY)
    stored.save()
    assert stored.key_fingerprint() == before
    stored.set_api_key("other")
    stored.save()

    assert stored.key_fingerprint() != before
    assert DEMO_KEY not in before
