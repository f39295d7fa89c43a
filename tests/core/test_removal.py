"""Removing the plugin, and installing it again: no credential of a learner is ever taken for another badge."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.db.migrations import Migration
from django.db.models.signals import post_migrate
from django.db.utils import IntegrityError

from badges_plugin import removal
from badges_plugin.distribution import worker
from badges_plugin.distribution.credly.models import CredlyBadge, CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.host import AWARDED, REVOKED, UserCredential
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, BadgeTotal, BadgeWeek
from badges_plugin.models.records import all_records
from tests.core.migrating import awarded, every_command_says_to_migrate, host_credential
from tests.factories import (
    TemplateFactory,
    make_template,
    make_user,
    penalizes_failing,
    requires_course,
    send_passing,
)
from tests.limits import Lower

VERIFIABLE = "credentials.apps.verifiable_credentials"
LABELS = ["badges_plugin", "badges_distribution", "credly_badges", "accredible_badges", "open_badges"]


def migrate(*arguments: str) -> None:
    call_command("migrate", *arguments, verbosity=0)


def remove(**options: Any) -> str:
    output = StringIO()
    call_command("badges_remove", no_input=True, stdout=output, **options)
    return output.getvalue()


def ours() -> models.QuerySet[UserCredential]:
    return UserCredential.objects.filter(credential_content_type__app_label="badges_plugin")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("label", LABELS)
def test_f6_tables_do_not_go_while_learners_have_badges(migrated: None, label: str) -> None:
    credly = CredlyBadgeTemplate.objects.create(
        name="At Credly",
        site=TemplateFactory.create().site,
        organization=CredlyOrganization.objects.create(uuid="8d0f9a1c-0000-11f0-8000-000000000001"),
    )
    requires_course(credly)
    CredlyBadgeTemplate.objects.filter(pk=credly.pk).update(is_active=True)
    send_passing(make_user())
    tables = connection.introspection.table_names()
    if label == "accredible_badges":  # it has nothing, and may go
        migrate(label, "zero")
        return

    with pytest.raises(CommandError, match="badges_remove"):
        migrate(label, "zero")

    assert connection.introspection.table_names() == tables
    assert (BadgeAward.objects.count(), ours().count()) == (1, 1)


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_f6_after_removal_the_tables_go_with_content_types_and_permissions_and_come_again(
    migrated: None, lower: Lower
) -> None:
    template = awarded(3)
    names = {award.credential.username for award in BadgeAward.objects.all()}
    other = host_credential()
    assert "3 awards" in remove(dry_run=True)
    assert ours().count() == 3
    said = remove()
    assert "Removed: 1 badge templates, 3 user credentials." in said

    lower(worker, _MAX_ERRORS_ONCE=1)
    migrate("badges_distribution", "zero")
    every_command_says_to_migrate("badges_distribution")
    migrate("badges_plugin", "zero")
    assert not ContentType.objects.filter(app_label__in=LABELS).exists()
    assert not Permission.objects.filter(content_type__app_label__in=LABELS).exists()
    assert [table for table in connection.introspection.table_names() if table.startswith("badges_plugin_")] == []
    other.refresh_from_db()
    every_command_says_to_migrate("badges_plugin")

    migrate()
    assert ContentType.objects.filter(app_label__in=LABELS, model="badgetemplate").count() == 1
    again = make_template(pk=template.pk)
    requires_course(again)
    assert not UserCredential.objects.filter(username__in=names).exists()
    send_passing(make_user())
    assert ours().count() == 1


@pytest.mark.django_db
def test_f6_a_credential_without_an_award_is_not_taken_for_a_new_one() -> None:
    template = make_template()
    requires_course(template)
    user = make_user()
    foreign = UserCredential.objects.create(
        username=user.username,
        credential_content_type=ContentType.objects.get_for_model(BadgeTemplate),
        credential_id=template.pk,
        status=AWARDED,
    )
    send_passing(user)

    foreign.refresh_from_db()
    assert (foreign.credential_id, foreign.status) == (foreign.pk, REVOKED)
    award = BadgeAward.objects.get()
    assert (award.credential.uuid, award.credential.status) != (foreign.uuid, AWARDED)
    assert award.credential.status == AWARDED


@pytest.mark.django_db
def test_f6_only_one_origin_and_nothing_of_the_others() -> None:
    awarded(2)
    other = awarded(1, origin="elsewhere", name="Other")
    credentials = set(ours().exclude(credential_id=other.pk).values_list("pk", flat=True))
    remove(origin="elsewhere")

    assert [template.origin for template in BadgeTemplate.objects.all()] == ["openedx"]
    assert set(ours().values_list("pk", flat=True)) == credentials
    assert BadgeAward.objects.count() == len(credentials)


@pytest.mark.django_db
def test_f6_a_credential_that_the_host_refers_to_stays_revoked_and_is_no_badge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    template = awarded(2)
    kept = BadgeAward.objects.order_by("pk")[0].credential
    delete = UserCredential.delete

    def refuse(self: UserCredential, *args: Any, **kwargs: Any) -> Any:
        # As a verifiable credential that was made of it does, in the service that has such.
        if self.pk == kept.pk:
            raise IntegrityError("protected")
        return delete(self, *args, **kwargs)

    monkeypatch.setattr(UserCredential, "delete", refuse)
    assert "1 user credentials are kept as revoked" in remove()

    kept.refresh_from_db()
    assert (kept.credential, kept.status) == (kept, REVOKED)
    assert not BadgeTemplate.objects.filter(pk=template.pk).exists()
    assert not ours().exists()


@pytest.mark.django_db
def test_f6_stopped_half_way_it_goes_on_where_it_was() -> None:
    awarded(4)

    def stop(removed: removal.Removed) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        removal.remove(on_progress=stop, batch=2)
    assert ours().count() == 2
    assert not BadgeTemplate.objects.filter(is_active=True).exists()

    remove()
    assert (ours().count(), BadgeTemplate.objects.count(), BadgeProgress.objects.count()) == (0, 0, 0)
    assert "Removed: 0 badge templates" in remove()


@pytest.mark.django_db
def test_f6_what_a_backend_keeps_of_a_credential_goes_with_it() -> None:
    template = awarded()
    credential = BadgeAward.objects.get().credential
    CredlyBadge(usercredential_ptr=credential, external_id=None).save_base(raw=True)
    remove()
    assert not CredlyBadge.objects.exists()
    assert not BadgeTemplate.objects.filter(pk=template.pk).exists()


def answering(answer: str) -> Callable[[str], str]:
    def answer_or_end(question: str) -> str:
        if not answer:
            raise EOFError
        return answer

    return answer_or_end


@pytest.mark.django_db
@pytest.mark.parametrize(("answer", "left"), [("yes", 0), ("y", 1), ("no", 1), ("", 1)])
def test_f6_it_asks_first(monkeypatch: pytest.MonkeyPatch, answer: str, left: int) -> None:
    awarded()
    monkeypatch.setattr(builtins, "input", answering(answer))
    if left:
        with pytest.raises(CommandError, match="Nothing was removed"):
            call_command("badges_remove", stdout=StringIO())
    else:
        call_command("badges_remove", stdout=StringIO())
    assert BadgeAward.objects.count() == left


@pytest.mark.django_db
def test_f6_other_apps_may_be_taken_back() -> None:
    awarded()
    removal.refuse_to_orphan([(migration("sites"), True), (migration("credentials"), True)])
    removal.refuse_to_orphan([(migration("badges_plugin"), False)])
    removal.refuse_to_orphan([(migration("badges_plugin", ("badges_plugin", "0001_initial")), True)])  # one step
    removal.refuse_to_orphan()
    with pytest.raises(CommandError):
        removal.refuse_to_orphan([(migration("badges_plugin"), True)])


@pytest.mark.django_db
def test_f6_a_flush_takes_no_content_types() -> None:
    before = ContentType.objects.count()
    config = BadgeTemplate._meta.app_config
    post_migrate.send(config, app_config=config, verbosity=0, interactive=False, using="default")  # with no plan
    assert ContentType.objects.count() == before


def migration(label: str, *dependencies: tuple[str, str]) -> Migration:
    made = type("Migration", (Migration,), {"dependencies": list(dependencies)})
    migration: Migration = made("0001_initial", label)
    return migration


@pytest.mark.django_db
@pytest.mark.skipif(not apps.is_installed(VERIFIABLE), reason="the host has no verifiable credentials")
def test_f6_a_verifiable_credential_of_the_host_stays_with_its_credential_revoked() -> None:
    awarded(2)
    kept = BadgeAward.objects.order_by("pk")[0].credential
    lines: Any = apps.get_app_config("verifiable_credentials").get_model("IssuanceLine")
    line = lines.objects.create(
        user_credential=UserCredential.objects.get(pk=kept.pk), issuer_id="did:1", storage_id="s", status=AWARDED
    )
    assert "1 user credentials are kept as revoked" in remove()

    line.refresh_from_db()
    kept.refresh_from_db()
    # The host hands the status on to the line by a signal, where verifiable credentials are switched on.
    assert (line.user_credential_id, kept.credential, kept.status) == (kept.pk, kept, REVOKED)
    assert not ours().exists()


@pytest.mark.django_db
def test_f6_what_was_counted_of_a_badge_goes_with_it() -> None:
    other = awarded(1, origin="elsewhere", name="Other")
    for template in (awarded(), other):
        BadgeWeek.objects.create(template_id=template.pk, week=date(2026, 11, 2), awarded=1)
        BadgeTotal.objects.create(template_id=template.pk, learners=1, ever=1, held=1)
    remove(origin="openedx")
    assert BadgeWeek.objects.get().template_id == other.pk
    assert BadgeTotal.objects.get().template_id == other.pk


@pytest.mark.django_db
def test_f6_the_history_of_a_badge_goes_with_it_and_all_history_with_the_last() -> None:
    gone, other = awarded(), awarded(1, origin="elsewhere", name="Other")
    penalizes_failing(gone, requires_course(gone, group="Courses"))
    by_hand = make_template(name="Deleted by hand").pk
    BadgeTemplate.objects.get(pk=by_hand).delete()
    remove(origin="openedx")
    left = {records.cls.__name__: set(records.records.values_list("id", flat=True)) for records in all_records()}
    assert {other.pk, by_hand} == left["BadgeTemplate"]
    asked = {each.pk for each in other.requirements.all()}
    assert (left["BadgeRequirement"], left["BadgePenalty"], left["RequirementGroup"]) == (asked, set(), set())
    assert left["DataRule"] == {rule.pk for each in other.requirements.all() for rule in each.rules.all()}
    remove()
    assert not any(records.records.exists() for records in all_records())
