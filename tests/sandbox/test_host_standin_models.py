"""The stand-in's models behave towards a plugin as those of the real service do."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from credentials.apps.credentials.models import ProgramCertificate, UserCredential
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.contrib.sites.models import Site
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client

from tests.sandbox.host_plugins import run_beside, write_plugin

pytestmark = pytest.mark.standin


def credential_of_a_plugin() -> UserCredential:
    """Any model that the service does not name will do for the kind."""
    kind = ContentType.objects.get_for_model(Site)
    return UserCredential.objects.create(username="ada", credential_content_type=kind, credential_id=1)


@pytest.mark.django_db
def test_a_plugins_credential_can_be_saved_but_not_validated() -> None:
    credential = credential_of_a_plugin()

    with pytest.raises(ValidationError) as refusal:
        credential.full_clean()
    assert list(refusal.value.message_dict) == ["credential_content_type"]


@pytest.mark.django_db
def test_a_learner_has_a_credential_once() -> None:
    credential_of_a_plugin()

    with pytest.raises(IntegrityError), transaction.atomic():
        credential_of_a_plugin()


@pytest.mark.django_db
def test_revoke_is_saved() -> None:
    credential = credential_of_a_plugin()

    credential.revoke()

    credential.refresh_from_db()
    assert credential.status == UserCredential.REVOKED
    assert credential.modified > credential.created


@pytest.mark.django_db
def test_staff_cannot_save_a_plugins_credential_in_the_services_admin(admin_client: Client) -> None:
    credential = credential_of_a_plugin()
    page = f"/admin/credentials/usercredential/{credential.pk}/change/"

    assert admin_client.get(page).status_code == 200
    answer = admin_client.post(
        page,
        {
            "username": "ada",
            "credential_content_type": credential.credential_content_type_id,
            "credential_id": 1,
            "status": "revoked",
        },
    )

    assert "Select a valid choice" in answer.content.decode()
    credential.refresh_from_db()
    assert credential.status == UserCredential.AWARDED


@pytest.mark.django_db
def test_only_program_certificates_have_a_page(client: Client) -> None:
    certificate = ProgramCertificate.objects.create(site_id=1, is_active=True, program_uuid=uuid.uuid4())
    of_the_service = UserCredential.objects.create(
        username="ada",
        credential_content_type=ContentType.objects.get_for_model(ProgramCertificate),
        credential_id=certificate.pk,
    )
    of_the_service.full_clean()

    assert client.get(of_the_service.get_absolute_url()).status_code == 200
    assert client.get(credential_of_a_plugin().get_absolute_url()).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(("page", "status"), [("/health/", 200), ("/admin/", 302), ("/admin/login/", 200), ("/", 302)])
def test_pages(client: Client, page: str, status: int) -> None:
    assert client.get(page).status_code == status


@pytest.mark.django_db
def test_staff_edit_learners(admin_client: Client) -> None:
    learner = get_user_model().objects.create(username="ada", full_name="Ada Lovelace", lms_user_id=7)

    assert learner.get_full_name() == "Ada Lovelace"
    assert admin_client.get(f"/admin/core/user/{learner.pk}/change/").status_code == 200


CLASHING_MODELS = """
from credentials.apps.credentials.models import AbstractCredential, UserCredential

class BadgeTemplate(AbstractCredential):
    pass

class CredlyBadge(UserCredential):
    pass
"""


@pytest.mark.parametrize(
    ("label", "models", "complaints"),
    [
        ("badges", "", ["Application labels aren't unique, duplicates: badges"]),
        ("others", CLASHING_MODELS, ["Site.badgetemplate_set", "UserCredential.credlybadge", "fields.E304"]),
    ],
)
def test_a_careless_plugin_clashes_with_the_built_in_badges(
    tmp_path: Path, label: str, models: str, complaints: list[str]
) -> None:
    write_plugin(tmp_path, "careless", label=label, modules={"models": models})

    done = run_beside(tmp_path, "-m", "django", "check", settings="sandbox.settings")

    assert done.returncode != 0
    assert [complaint for complaint in complaints if complaint not in done.stderr] == []
