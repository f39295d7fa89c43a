"""Mirroring templates: what is at Credly is here, what was configured here stays."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
import responses
from django.core.management import CommandError, call_command
from django.db import connection

from badges_plugin import api
from badges_plugin.distribution.accounts.sync import SyncResult
from badges_plugin.distribution.credly.client import client_for
from badges_plugin.distribution.credly.management.commands import (
    sync_credly_badge_templates,
    sync_organization_badge_templates,
)
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.distribution.credly.sync import apply_template, sync_organization
from badges_plugin.distribution.exceptions import RejectedKey, TransientFailure
from badges_plugin.models import BadgeTemplate, RulesetVersion
from sandbox.credly import DEMO_ORGANIZATION_ID, OTHER_KEY, OTHER_ORGANIZATION_ID, CredlySimulator
from tests.credly.conftest import template_id
from tests.distribution.worlds import refuse_emojis
from tests.factories import make_template, requires_course


def run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("sync_credly_badge_templates", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_new_templates_are_complete_and_inactive(credly: CredlySimulator, organization: CredlyOrganization) -> None:
    # The simulator's pages hold three: all pages are read, and the filter survives the turning.
    assert sync_organization(organization) == SyncResult(created=5)

    rows = CredlyBadgeTemplate.objects.order_by("uuid")
    assert [(row.state, row.is_active) for row in rows] == [
        ("active", False),
        ("active", False),
        ("active", False),
        ("draft", False),
        ("archived", False),
    ]
    explorer = rows[0]
    assert explorer.uuid == template_id(1)
    assert (explorer.name, explorer.origin) == ("Data Science Explorer", "credly")
    assert explorer.description == "Passed both courses of the data science series."
    assert explorer.icon == "https://images.credly.example/size/680x680/badge-1.png"
    assert BadgeTemplate.objects.get(uuid=explorer.uuid).origin == "credly"
    organization.refresh_from_db()
    assert organization.name == "Open Learning Institute"


def test_a_second_synchronization_changes_nothing(credly: CredlySimulator, organization: CredlyOrganization) -> None:
    sync_organization(organization)
    before = (RulesetVersion.current(), dict(CredlyBadgeTemplate.objects.values_list("uuid", "modified")))

    assert sync_organization(organization) == SyncResult(unchanged=5)
    # Not even the rules are compiled again.
    assert (RulesetVersion.current(), dict(CredlyBadgeTemplate.objects.values_list("uuid", "modified"))) == before


def test_a_template_that_the_database_never_takes_does_not_keep_the_others_away(
    credly: CredlySimulator, organization: CredlyOrganization
) -> None:
    credly.world.add_template(DEMO_ORGANIZATION_ID, {"name": "Grinning \U0001f600"})
    new = credly.world.add_template(DEMO_ORGANIZATION_ID, {"name": "Brand New"})

    with connection.execute_wrapper(refuse_emojis):
        out, _ = run()
    assert "1 template cannot be stored" in out
    assert CredlyBadgeTemplate.objects.filter(uuid=new.id).exists()


def test_changes_are_taken_over_and_the_configuration_stays(
    credly: CredlySimulator, organization: CredlyOrganization, template: CredlyBadgeTemplate
) -> None:
    credly.world.change_template(str(template.uuid), {"name": "Renamed", "image_url": "https://images.example/x.png"})

    assert sync_organization(organization) == SyncResult(updated=1, unchanged=4)
    template.refresh_from_db()
    assert (template.name, template.icon, template.is_active) == ("Renamed", "https://images.example/x.png", True)
    assert (template.requirements.count(), template.penalties.count()) == (1, 1)


@pytest.mark.parametrize("how", ["deleted", "archived"])
def test_what_credly_no_longer_issues_is_deactivated_and_never_deleted(
    credly: CredlySimulator, organization: CredlyOrganization, template: CredlyBadgeTemplate, how: str
) -> None:
    if how == "deleted":
        credly.world.delete_template(str(template.uuid))
    else:
        credly.world.change_template(str(template.uuid), {"state": "archived"})
    result = sync_organization(organization)

    template.refresh_from_db()
    assert (template.is_active, template.state) == (False, how)
    assert (template.requirements.count(), template.penalties.count()) == (1, 1)
    assert (result.deactivated, result.updated) == ((1, 0) if how == "deleted" else (0, 1))


def test_an_inactive_template_that_vanishes_is_known_as_deleted(
    credly: CredlySimulator, organization: CredlyOrganization, template: CredlyBadgeTemplate
) -> None:
    draft = CredlyBadgeTemplate.objects.get(state="draft")
    credly.world.delete_template(str(draft.uuid))

    assert sync_organization(organization) == SyncResult(unchanged=4)
    draft.refresh_from_db()
    assert draft.state == "deleted"


def test_a_synchronization_that_breaks_off_changes_nothing(
    credly: CredlySimulator, organization: CredlyOrganization, template: CredlyBadgeTemplate
) -> None:
    credly.world.change_template(str(template.uuid), {"name": "Renamed"})
    credly.fail(status=500, operation="get_organization", times=0)
    credly.fail(applied=False, manner="drop", operation="list_templates")
    with pytest.raises(TransientFailure):
        sync_organization(organization)

    template.refresh_from_db()
    assert (template.name, template.is_active) == ("Data Science Explorer", True)


def page(*templates: int, following: object = None) -> dict[str, Any]:
    """A page of templates, as Credly sends it."""
    records = [{"id": str(template_id(number)), "name": "A name", "state": "active"} for number in templates]
    return {"data": records, "metadata": {"next_page_url": following}}


@pytest.mark.parametrize(
    ("pages", "active"),
    [
        # Number 1 was before number 2 and is deleted between the pages, so that number 2 moves up past the reader.
        ([page(1, following="2"), page(3), page(2, 3)], [2]),
        ([page(3), page(3)], []),
        # A reply that does not say whether there is more: the next page is asked for.
        ([{"data": page(1)["data"]}, {"data": page(2)["data"]}, {"data": []}], [2]),
        # An empty page is the end where none is named.
        ([page(), page()], []),
    ],
)
@responses.activate
def test_only_what_is_gone_for_certain_is_deactivated(
    organization: CredlyOrganization, settings: Any, pages: list[dict[str, Any]], active: list[int]
) -> None:
    settings.BADGES_CONFIG["credly"]["CREDLY_API_BASE_URL"] = "https://credly.test/v1/"
    base = f"https://credly.test/v1/organizations/{organization.uuid}"
    responses.get(base, json={"data": {"id": str(organization.uuid), "name": "Institute"}})
    for content in pages:
        responses.get(f"{base}/badge_templates", json=content)
    CredlyBadgeTemplate.objects.create(
        uuid=template_id(2), organization=organization, name="Two", site=make_template().site, is_active=True
    )

    sync_organization(organization)

    rows = CredlyBadgeTemplate.objects.filter(is_active=True)
    assert [row.uuid for row in rows] == [template_id(number) for number in active]


NUMBERED = {"id": str(template_id(7)), "name": "Seven", "state": "active"}


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"name": "Without\nan id"}, "“Without an id” (id is missing)"),
        ({"id": None, "name": "None"}, "“None” (id is missing)"),
        ({"id": 7, "name": "Number"}, "“Number” (id is missing)"),
        ({"id": ["x"], "name": "List"}, "“List” (id is missing)"),
        ({"id": "seven", "name": "Word"}, "“Word” (id is not a UUID)"),
        ({"id": ""}, "“?” (id is not a UUID)"),
        (None, "“?” (id is missing)"),
        ("text", "“?” (id is missing)"),
        ([], "“?” (id is missing)"),
    ],
    ids=repr,
)
@responses.activate
def test_f5_a_template_that_cannot_be_read_is_named_and_stops_nothing(
    organization: CredlyOrganization, template: CredlyBadgeTemplate, settings: Any, record: object, words: str
) -> None:
    serve(organization, settings, [record, NUMBERED])
    out, _ = run()

    assert ", 1 new, " in out
    assert f"1 template cannot be read and was skipped: {words}." in out
    assert CredlyBadgeTemplate.objects.filter(name="Seven").exists()
    # It may be the one that cannot be read.
    template.refresh_from_db()
    assert (template.is_active, template.state) == (True, "active")


@pytest.mark.parametrize(
    ("changes", "name", "state"),
    [
        ({"name": None}, f"Badge template {template_id(7)}", "active"),
        ({"name": ""}, f"Badge template {template_id(7)}", "active"),
        ({"name": " \t\u200b\u2800"}, f"Badge template {template_id(7)}", "active"),
        ({"name": ["Seven"]}, f"Badge template {template_id(7)}", "active"),
        ({"name": 7}, "7", "active"),
        ({"name": "<b>Sev\u202een</b>\x00\n\ud83d"}, "<b>Seven</b>", "active"),
        ({"name": "x" * 100_000}, "x" * 255, "active"),
        ({"state": "melted"}, "Seven", "unknown"),
        ({"state": None}, "Seven", "unknown"),
        ({"state": ["active"]}, "Seven", "unknown"),
        ({"image": 7, "image_url": {}, "description": None}, "Seven", "active"),
    ],
    ids=repr,
)
@responses.activate
def test_f5_a_template_with_strange_values_is_usable(
    organization: CredlyOrganization, settings: Any, changes: dict[str, Any], name: str, state: str
) -> None:
    serve(organization, settings, [{**NUMBERED, **changes}, {**NUMBERED, **changes}])
    result = sync_organization(organization)

    [row] = CredlyBadgeTemplate.objects.all()
    assert (row.name, row.state, result.created) == (name, state, 1)
    assert (str(template_id(7)) in str(result)) is name.startswith("Badge template")


@responses.activate
def test_f5_a_name_that_is_taken_away_stays_here(
    organization: CredlyOrganization, template: CredlyBadgeTemplate, settings: Any
) -> None:
    serve(organization, settings, [{"id": str(template.uuid), "name": " ", "state": "active"}])
    sync_organization(organization)

    template.refresh_from_db()
    assert template.name == "Data Science Explorer"


def serve(organization: CredlyOrganization, settings: Any, records: list[Any]) -> None:
    """Have Credly list these templates, whatever they are."""
    settings.BADGES_CONFIG["credly"]["CREDLY_API_BASE_URL"] = "https://credly.test/v1/"
    base = f"https://credly.test/v1/organizations/{organization.uuid}"
    responses.get(base, json={"data": {"id": str(organization.uuid), "name": "Institute"}})
    responses.get(f"{base}/badge_templates", json={"data": records, "metadata": {"next_page_url": None}})


@responses.activate
def test_an_empty_page_that_names_another_changes_nothing(
    organization: CredlyOrganization, template: CredlyBadgeTemplate, settings: Any
) -> None:
    settings.BADGES_CONFIG["credly"]["CREDLY_API_BASE_URL"] = "https://credly.test/v1/"
    base = f"https://credly.test/v1/organizations/{organization.uuid}"
    responses.get(base, json={"data": {"id": str(organization.uuid), "name": "Institute"}})
    responses.get(f"{base}/badge_templates", json=page(following="2"))

    with pytest.raises(TransientFailure, match="incomplete"):
        sync_organization(organization)
    template.refresh_from_db()
    assert template.is_active


def test_a_wrong_key_says_so(credly: CredlySimulator, organization: CredlyOrganization) -> None:
    organization.set_api_key("wrong")

    with pytest.raises(RejectedKey, match="401"):
        sync_organization(organization)


def test_the_template_of_another_organization_is_left_alone(
    credly: CredlySimulator, organization: CredlyOrganization, template: CredlyBadgeTemplate
) -> None:
    other = CredlyOrganization.objects.create(uuid=OTHER_ORGANIZATION_ID)
    credly.world.change_template(str(template.uuid), {"name": "Renamed"})
    [record] = [record for record in client_for(organization).badge_templates() if record.id == template.uuid]

    assert apply_template(other, record, occurred_at=None) == "unchanged"
    template.refresh_from_db()
    assert (template.organization, template.name) == (organization, "Data Science Explorer")


def test_a_template_can_be_activated_after_its_set_up(
    credly: CredlySimulator, organization: CredlyOrganization
) -> None:
    sync_organization(organization)
    template = CredlyBadgeTemplate.objects.get(uuid=template_id(2))
    requires_course(template)
    api.activate_template(template)

    assert CredlyBadgeTemplate.objects.get(uuid=template_id(2)).is_active


def test_the_command_goes_through_all_organizations_also_those_of_the_settings(
    credly: CredlySimulator, organization: CredlyOrganization, settings: Any
) -> None:
    settings.BADGES_CONFIG["credly"] |= {"ORGANIZATIONS": {OTHER_ORGANIZATION_ID: OTHER_KEY}}
    out, _ = run()

    assert "5 found, 5 new, 0 changed, 0 deactivated" in out
    assert "1 found, 1 new, 0 changed, 0 deactivated" in out
    assert CredlyOrganization.objects.get(uuid=OTHER_ORGANIZATION_ID).name == "Académie des Métiers"


def test_the_command_for_one_organization(credly: CredlySimulator, organization: CredlyOrganization) -> None:
    CredlyOrganization.objects.create(uuid=OTHER_ORGANIZATION_ID)

    out, _ = run("--organization", DEMO_ORGANIZATION_ID)

    assert out.startswith("[1/1] ")


def test_the_command_goes_on_after_a_failure_and_fails_in_the_end(
    credly: CredlySimulator, organization: CredlyOrganization
) -> None:
    CredlyOrganization.objects.create(uuid=OTHER_ORGANIZATION_ID, name="AAA first")
    with pytest.raises(CommandError, match="1 of 2"):
        run()

    assert CredlyBadgeTemplate.objects.count() == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--organization", "x"], "not an organization ID"),
        (["--organization", OTHER_ORGANIZATION_ID], "There is no Credly organization"),
    ],
)
def test_the_command_says_what_is_wrong(db: None, credly: CredlySimulator, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)


def test_the_command_has_nothing_to_do_without_organizations(db: None, credly: CredlySimulator) -> None:
    """It runs every day, also where only another provider is used."""
    assert "No accounts configured." in run()[0]


def test_the_specifications_name_is_the_same_command() -> None:
    """The host's built-in app has a command of that name and wins; the code behind ours is one."""
    assert sync_organization_badge_templates.Command is sync_credly_badge_templates.Command
