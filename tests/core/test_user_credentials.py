"""The host's own rows and page of user credentials: what staff can do there, and what the doctor finds afterwards."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse

from badges_plugin import api
from badges_plugin.distribution.accredible.models import AccredibleGroup
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.doctor import Finding, Level, people_probes
from badges_plugin.host import AWARDED, REVOKED, User, UserCredential
from badges_plugin.models import BadgeAward, BadgeTemplate, Ending, Learner
from tests.core.admin_pages import staff, text
from tests.factories import at, make_template, make_user, requires_course, send_passing

pytestmark = pytest.mark.django_db


@pytest.fixture
def award() -> BadgeAward:
    return award_of(make_template())


def award_of(template: BadgeTemplate) -> BadgeAward:
    requires_course(template)
    BadgeTemplate.objects.filter(pk=template.pk).update(is_active=True)
    send_passing(make_user())
    return BadgeAward.objects.get(progress__template=template.pk)


def page(credential: UserCredential, name: str = "change") -> str:
    return reverse(f"admin:credentials_usercredential_{name}", args=[credential.pk])


def content_type(model: Any) -> ContentType:
    return ContentType.objects.get_for_model(model)


def credly_template() -> CredlyBadgeTemplate:
    organization = CredlyOrganization.objects.create(uuid=uuid.uuid4(), name="Organization")
    return CredlyBadgeTemplate.objects.create(
        site=make_template(is_active=False).site, name="At Credly", organization=organization, state="active"
    )


@pytest.mark.parametrize("make", [make_template, credly_template])
@pytest.mark.parametrize("model", [CredlyBadgeTemplate, AccredibleGroup, BadgeTemplate])
def test_b3_the_hosts_page_shows_a_badge_and_does_not_save_it(make: Any, model: Any) -> None:
    award = award_of(make())
    credential, client = award.credential, staff(superuser=True)
    shown = client.get(page(credential))
    assert shown.status_code == 200
    assert "This credential is a badge. Revoke it in Badge awards" in text(shown)
    assert 'name="_save"' not in shown.content.decode()
    answer = client.post(
        page(credential),
        {
            "username": credential.username,
            "credential_content_type": content_type(model).pk,
            "credential_id": credential.credential_id,
            "status": REVOKED,
        },
    )
    assert answer.status_code == 403
    credential.refresh_from_db()
    assert (credential.credential, credential.status) == (BadgeTemplate.objects.get(pk=award.template.pk), AWARDED)
    assert client.post(page(credential, "delete"), {"post": "yes"}).status_code == 403
    assert UserCredential.objects.filter(pk=credential.pk).exists()


def test_b3_credentials_of_the_host_are_saved_as_before() -> None:
    """A type that the host's page offers: any row of it will do, since the page does not look at it."""
    kind = ContentType.objects.get(app_label="credentials", model="programcertificate")
    credential = UserCredential.objects.create(username="ada", credential_content_type=kind, credential_id=1)
    client = staff(superuser=True)
    form = client.get(page(credential)).context["adminform"].form
    offered = {kind.app_label for kind in form.fields["credential_content_type"].queryset}
    assert "credentials" in offered
    assert not offered & {"badges_plugin", "credly_badges", "accredible_badges"}
    assert client.get(page(credential, "delete")).status_code == 200


def damaged(award: BadgeAward, **changes: object) -> None:
    UserCredential.objects.filter(pk=award.credential_id).update(**changes)


DAMAGES: list[tuple[Any, str]] = [
    (lambda award: damaged(award, credential_content_type=content_type(User)), "another type or template"),
    (lambda award: damaged(award, credential_id=award.template.pk + 1), "another type or template"),
    (lambda award: damaged(award, username="somebody-else"), "another user name"),
    (lambda award: damaged(award, status=REVOKED), "not valid, though the badge is"),
]


@pytest.mark.parametrize(("damage", "words"), DAMAGES)
def test_b3_the_doctor_finds_what_disagrees_and_the_desk_corrects_it(
    award: BadgeAward, damage: Any, words: str
) -> None:
    assert levels(people_probes.credentials()) == [Level.OK]
    damage(award)
    (finding,) = people_probes.credentials()
    assert finding.level is Level.ERROR
    assert words in finding.what
    assert finding.what.endswith(f"awards {award.pk}.")
    correct([award])
    assert levels(people_probes.credentials()) == [Level.OK]


def test_b3_a_credential_that_outlived_the_revocation_of_its_badge_is_found(award: BadgeAward) -> None:
    BadgeAward.objects.update(revoked_at=at(1))
    (finding,) = people_probes.credentials()
    assert "valid, though the badge is revoked" in finding.what
    correct([award])
    award.credential.refresh_from_db()
    assert award.credential.status == REVOKED


def test_b3_a_credential_without_an_award_is_found(award: BadgeAward) -> None:
    stray = UserCredential.objects.create(
        username="somebody", credential_content_type=content_type(BadgeTemplate), credential_id=award.template.pk
    )
    (finding,) = people_probes.credentials()
    assert (finding.level, f": {stray.pk}." in finding.what) == (Level.WARNING, True)


def test_b1_the_doctor_names_a_learner_who_is_two_users() -> None:
    assert levels(people_probes.learners()) == [Level.OK]
    for lms_user_id in (77, 77, 78, None, None, 0, 0):
        Learner.objects.create(user=make_user(lms_user_id=lms_user_id), profile_time=at(0))
    (finding,) = people_probes.learners()
    assert finding.what.startswith("1 LMS users have several users here")
    assert finding.what.endswith(": 77.")


def correct(awards: list[BadgeAward]) -> None:
    client = staff(superuser=True)
    answer = client.post(
        reverse("admin:badges_plugin_badgeaward_changelist"),
        {"action": "correct_credentials", "_selected_action": [award.pk for award in awards]},
        follow=True,
    )
    assert f"{len(awards)} credential was corrected." in text(answer)


def levels(findings: Any) -> list[Level]:
    found: list[Finding] = list(findings)
    return [finding.level for finding in found]


def rename(user: User, username: str) -> None:
    """As staff do on the user's page, which leaves the credentials of the host under the old name."""
    User.objects.filter(pk=user.pk).update(username=username)


def test_b1_whoever_gets_a_name_gets_the_badge_although_names_wandered_on() -> None:
    template = make_template()
    requires_course(template)
    first, second, third = (make_user(username=name) for name in ("x", "y", "z"))
    for user in (first, second, third):
        send_passing(user)
    stray = UserCredential.objects.create(
        username="end", credential_content_type=content_type(BadgeTemplate), credential_id=template.pk, status=AWARDED
    )
    for user, name in ((third, "end"), (second, "z"), (first, "y")):
        rename(user, name)
    send_passing(make_user(username="x"))

    owners = {award.user.pk: award.credential for award in BadgeAward.objects.select_related("credential")}
    assert {key: credential.username for key, credential in owners.items()} == dict(
        User.objects.filter(pk__in=owners).values_list("pk", "username")
    )
    assert {credential.status for credential in owners.values()} == {AWARDED}
    assert levels(people_probes.credentials()) == [Level.OK]
    stray.refresh_from_db()
    assert (stray.credential, stray.status) == (stray, REVOKED)


def test_b1_a_credential_that_was_pointed_at_another_badge_makes_room_for_it() -> None:
    first, second = make_template(), make_template()
    requires_course(first, "course-v1:Demo+One+1")
    requires_course(second, "course-v1:Demo+Two+1")
    user = make_user()
    send_passing(user, "course-v1:Demo+One+1")
    damaged(BadgeAward.objects.get(), credential_id=second.pk)
    send_passing(user, "course-v1:Demo+Two+1", minute=1)

    assert [award.credential.credential_id for award in BadgeAward.objects.order_by("pk")] == [first.pk, second.pk]
    assert levels(people_probes.credentials()) == [Level.OK]


@pytest.mark.parametrize("names", [("y", "z"), ("y", "x"), ("y", "end")], ids=["chain", "swapped", "taken by nobody's"])
def test_b1_the_desk_corrects_one_of_several_credentials_whose_learners_took_each_others_names(
    names: tuple[str, str],
) -> None:
    template = make_template()
    requires_course(template)
    users = [make_user(username=name) for name in ("x", "y")]
    for user in users:
        send_passing(user)
    UserCredential.objects.create(
        username="end", credential_content_type=content_type(BadgeTemplate), credential_id=template.pk, status=AWARDED
    )
    for user in users:
        rename(user, f"{user.username}-on-the-way")
    for user, name in zip(users, names, strict=True):
        rename(user, name)
    correct([BadgeAward.objects.get(progress__user=users[0])])

    credentials = [BadgeAward.objects.get(progress__user=user).credential for user in users]
    assert [(each.username, each.credential_id, each.status) for each in credentials] == [
        (name, template.pk, AWARDED) for name in names
    ]
    assert not any(finding.level is Level.ERROR for finding in people_probes.credentials())


def test_b1_a_badge_that_is_earned_again_has_its_credential_under_the_name_of_today(award: BadgeAward) -> None:
    user = award.user
    api.revoke_award(award, reason="A mistake.")
    BadgeAward.objects.update(ended_by=Ending.PENALTY)
    rename(user, "married-name")
    damaged(award, credential_content_type=content_type(UserCredential), credential_id=award.credential_id)
    send_passing(User.objects.get(pk=user.pk), minute=1)

    again = BadgeAward.objects.get(number=2)
    assert (again.credential.username, again.credential.status) == ("married-name", AWARDED)
    assert again.credential.credential_id == again.template.pk
