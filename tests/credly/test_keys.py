"""API keys at rest."""

from __future__ import annotations

from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from badges_plugin.distribution import checks, keys
from badges_plugin.distribution.accredible.models import AccredibleApiConfig
from badges_plugin.distribution.credly.models import CredlyOrganization
from badges_plugin.distribution.exceptions import RejectedKey
from badges_plugin.doctor import Level
from sandbox.credly import DEMO_KEY, DEMO_ORGANIZATION_ID
from tests.distribution.worlds import deliver

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
    assert keys.encrypt(DEMO_KEY) != keys.encrypt(DEMO_KEY)


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


def rotate(settings: Any, *, keep: bool) -> None:
    """Change SECRET_KEY, and keep the old one or not."""
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if keep else []
    settings.SECRET_KEY = "a new one"


def reencrypt(*arguments: str) -> str:
    out = StringIO()
    call_command("badges_reencrypt_keys", *arguments, stdout=out, stderr=out)
    return out.getvalue()


@pytest.mark.parametrize("how", ["command", "worker"])
def test_f7_keys_are_encrypted_anew_while_the_old_secret_is_known(
    stored: CredlyOrganization, settings: Any, how: str
) -> None:
    config = AccredibleApiConfig(name="Demo")
    config.set_api_key("another key")
    config.save()
    rotate(settings, keep=True)
    assert [finding.level for finding in checks.stored_keys()] == [Level.WARNING]
    assert reencrypt("--dry-run") == "2 stored API keys would be encrypted anew, 0 are up to date.\n"
    if how == "command":
        assert reencrypt() == "2 stored API keys encrypted anew, 0 are up to date.\n"
    else:
        deliver(chores=True)

    settings.SECRET_KEY_FALLBACKS = []
    assert CredlyOrganization.objects.get().api_key == DEMO_KEY
    assert AccredibleApiConfig.objects.get().api_key == "another key"
    assert [finding.level for finding in checks.stored_keys()] == [Level.OK]
    assert reencrypt() == "0 stored API keys encrypted anew, 2 are up to date.\n"


@pytest.mark.parametrize("stored_key", [None, "damaged", "gAAAAA=="])
def test_f7_a_key_whose_secret_is_gone_is_named_with_the_remedy(
    stored: CredlyOrganization, settings: Any, caplog: pytest.LogCaptureFixture, stored_key: str | None
) -> None:
    CredlyOrganization.objects.update(encrypted_key=stored_key or stored.encrypted_key, name="Institute")
    rotate(settings, keep=False)
    keys._logged.clear()

    [finding] = checks.stored_keys()
    assert (finding.level, "Institute" in finding.what) == (Level.ERROR, True)
    assert "SECRET_KEY_FALLBACKS" in finding.advice
    with pytest.raises(CommandError, match="1 stored API keys cannot be read"):
        reencrypt()
    deliver(chores=True)
    deliver(chores=True)
    assert caplog.text.count("Institute cannot be read") == 1
    # Nothing that could still be opened one day is lost.
    assert CredlyOrganization.objects.get().encrypted_key == (stored_key or stored.encrypted_key)


def test_f7_a_stored_key_that_the_settings_replace_is_not_missed(stored: CredlyOrganization, settings: Any) -> None:
    rotate(settings, keep=False)
    settings.BADGES_CONFIG = {"credly": {"ORGANIZATIONS": {DEMO_ORGANIZATION_ID: "key"}}}

    assert [finding.level for finding in checks.stored_keys()] == [Level.OK]


def test_f7_a_key_that_staff_enter_meanwhile_stays(stored: CredlyOrganization, settings: Any) -> None:
    rotate(settings, keep=True)
    old = CredlyOrganization.objects.get()
    stored.set_api_key("entered meanwhile")
    stored.save()

    assert not keys._replace(old, "encrypted_key", old.encrypted_key, "overwritten")
    assert CredlyOrganization.objects.get().api_key == "entered meanwhile"
