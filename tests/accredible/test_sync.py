"""Mirroring groups and states: what is at Accredible is here, what was configured here stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import responses
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from badges_plugin.distribution.accounts.sync import SyncResult
from badges_plugin.distribution.accredible.events import PollResult, poll
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleBadge, AccredibleGroup
from badges_plugin.distribution.accredible.sync import sync_groups
from badges_plugin.distribution.exceptions import RejectedKey, TransientFailure
from badges_plugin.host import UserCredential
from badges_plugin.models import BadgeTemplate, RulesetVersion
from sandbox.accredible import OTHER_KEY, AccredibleSimulator
from sandbox.accredible.records import Credential
from tests.accredible.conftest import GROUP
from tests.distribution.worlds import deliver
from tests.factories import UserFactory, send_passing
from tests.meanwhile import in_a_thread


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def other(db: None, accredible: AccredibleSimulator) -> AccredibleApiConfig:
    """The configuration of another account."""
    other = AccredibleApiConfig(name="Other")
    other.set_api_key(OTHER_KEY)
    other.save()
    return other


def test_all_pages_are_read_and_new_groups_are_inactive(api_config: AccredibleApiConfig) -> None:
    assert sync_groups(api_config) == SyncResult(created=5)

    assert not AccredibleGroup.objects.filter(is_active=True).exists()
    explorer = AccredibleGroup.objects.get(group_id=GROUP)
    assert (explorer.name, explorer.description) == ("Data Science Explorer", "What ds-explorer-2026 is for.")
    assert AccredibleGroup.objects.get(group_id=502).name == "Mentor"
    assert BadgeTemplate.objects.get(pk=explorer.pk).origin == "accredible"


def test_a_second_synchronization_changes_nothing(api_config: AccredibleApiConfig) -> None:
    sync_groups(api_config)
    before = RulesetVersion.current()

    assert sync_groups(api_config) == SyncResult(unchanged=5)
    assert RulesetVersion.current() == before


@pytest.mark.parametrize(
    ("pages", "is_active"),
    [
        # A group before ours is deleted between the pages, so that ours moves up past the reader.
        ([([1], {"next_page": 2}), ([2], {"next_page": None}), ([GROUP, 2], {"next_page": None})], True),
        ([([2], {"next_page": None}), ([2], {"next_page": None})], False),
        # A full page that does not say whether there is more: the next one is asked for.
        ([(list(range(1, 51)), None), ([GROUP], None)], True),
    ],
)
@responses.activate
def test_only_what_is_gone_for_certain_is_deactivated(
    group: AccredibleGroup, settings: Any, pages: list[tuple[list[int], Any]], is_active: bool
) -> None:
    settings.BADGES_CONFIG["accredible"]["ACCREDIBLE_API_BASE_URL"] = "https://accredible.test/v1/"
    for ids, meta in pages:
        content = {"groups": [{"id": number, "name": "A name"} for number in ids], "meta": meta}
        responses.post("https://accredible.test/v1/issuer/groups/search", json=content)

    sync_groups(group.api_config)

    group.refresh_from_db()
    assert group.is_active is is_active


def test_changes_are_taken_over_and_the_configuration_stays(
    accredible: AccredibleSimulator, group: AccredibleGroup
) -> None:
    AccredibleGroup.objects.filter(pk=group.pk).update(icon="https://images.example/own.png")
    accredible.world.groups[GROUP].course_name = "Renamed"

    assert sync_groups(group.api_config) == SyncResult(updated=1, unchanged=4)
    group.refresh_from_db()
    assert (group.name, group.icon, group.is_active) == ("Renamed", "https://images.example/own.png", True)
    assert (group.requirements.count(), group.penalties.count()) == (1, 1)


def test_a_group_that_vanished_is_deactivated_and_never_deleted(
    accredible: AccredibleSimulator, group: AccredibleGroup
) -> None:
    del accredible.world.groups[GROUP]

    assert sync_groups(group.api_config) == SyncResult(unchanged=4, deactivated=1)
    group.refresh_from_db()
    assert (group.is_active, group.requirements.count()) == (False, 1)


def test_the_groups_of_another_configuration_are_left_alone(
    accredible: AccredibleSimulator, group: AccredibleGroup, other: AccredibleApiConfig
) -> None:
    assert sync_groups(other) == SyncResult(created=1)

    group.refresh_from_db()
    assert group.is_active
    assert AccredibleGroup.objects.filter(api_config=group.api_config).count() == 5


def test_a_synchronization_that_breaks_off_changes_nothing(
    accredible: AccredibleSimulator, group: AccredibleGroup
) -> None:
    accredible.world.groups[GROUP].course_name = "Renamed"
    accredible.fail(applied=True, manner="drop", operation="groups")
    with pytest.raises(TransientFailure):
        sync_groups(group.api_config)

    group.refresh_from_db()
    assert (group.name, group.is_active) == ("Data Science Explorer", True)


def test_a_wrong_key_says_so(api_config: AccredibleApiConfig) -> None:
    api_config.set_api_key("wrong")

    with pytest.raises(RejectedKey, match="401"):
        sync_groups(api_config)


def unpublished_credential(accredible: AccredibleSimulator, learner: Any) -> Credential:
    """Award the badge and deliver it, to an account without credits."""
    accredible.world.credits = 0
    send_passing(learner)
    deliver()
    [credential] = accredible.credentials()
    return credential


def test_states_follow_what_was_changed_at_accredible(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any
) -> None:
    credential = unpublished_credential(accredible, ada)
    assert poll(group.api_config) == PollResult(seen=1)

    credential.approve = True
    assert poll(group.api_config) == PollResult(seen=1, changed=1)
    assert AccredibleBadge.objects.get().state == "published"
    credential.expired_on = (datetime.now(UTC) - timedelta(days=1)).date()
    poll(group.api_config)
    assert AccredibleBadge.objects.get().state == "expired"
    # What was not changed lately is not asked for.
    credential.updated_at -= timedelta(days=3)
    group.api_config.refresh_from_db()
    assert poll(group.api_config) == PollResult()


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_a_poll_does_not_wait_for_the_hosts_credential(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any
) -> None:
    unpublished_credential(accredible, ada).approve = True
    # Of few rows, MariaDB would choose another way.
    for learner in UserFactory.create_batch(150):
        send_passing(learner)
    with connection.cursor() as cursor:
        for model in (AccredibleBadge, UserCredential) if connection.vendor == "mysql" else ():
            cursor.execute(f"ANALYZE TABLE {model._meta.db_table}")
            cursor.fetchall()

    @in_a_thread
    def look() -> PollResult:
        return poll(group.api_config)

    # An event that awards the badge again holds it, and then writes the badge, which the poll would hold.
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        UserCredential.objects.select_for_update().get(username=ada.username)
        assert pool.submit(look).result(timeout=30) == PollResult(seen=1, changed=1)


def test_the_commands_go_through_all_configurations_also_those_of_the_settings(
    accredible: AccredibleSimulator, api_config: AccredibleApiConfig, settings: Any
) -> None:
    settings.BADGES_CONFIG["accredible"] |= {"API_KEYS": {"Other": OTHER_KEY}}

    assert run("sync_accredible_badge_templates").splitlines() == [
        "[1/2] Demo: 5 found, 5 new, 0 changed, 0 deactivated.",
        "[2/2] Other: 1 found, 1 new, 0 changed, 0 deactivated.",
    ]
    assert run("sync_accredible_badge_templates", "--configuration", "Other").startswith("[1/1] Other: 1 found, 0 new")
    AccredibleGroup.objects.exclude(group_id=901).delete()
    assert run("poll_accredible_credentials").splitlines()[1] == "[2/2] Other: 0 credentials seen, 0 badges changed"


def test_a1_a_configuration_in_another_spelling_is_the_one_of_the_settings_on_every_database(
    db: None, accredible: AccredibleSimulator, settings: Any
) -> None:
    row = AccredibleApiConfig.objects.create(name="Other")
    settings.BADGES_CONFIG["accredible"] |= {"API_KEYS": {"other": OTHER_KEY}}
    assert row.api_key == OTHER_KEY
    AccredibleApiConfig.add_configured()
    assert list(AccredibleApiConfig.objects.all()) == [row]


def test_to_poll_nobody_is_no_failure(db: None) -> None:
    assert run("poll_accredible_credentials").startswith(
        "No accounts configured. Add one in the admin or in BADGES_CONFIG."
    )


@pytest.mark.parametrize("command", ["sync_accredible_badge_templates", "poll_accredible_credentials"])
def test_the_commands_go_on_after_a_failure_and_fail_in_the_end(
    accredible: AccredibleSimulator, api_config: AccredibleApiConfig, command: str
) -> None:
    AccredibleApiConfig.objects.create(name="AAA first")
    with pytest.raises(CommandError, match=r"^1 "):
        run(command)

    assert accredible.asked or command.startswith("poll")


def test_the_command_has_nothing_to_do_without_configurations(db: None, accredible: AccredibleSimulator) -> None:
    """It runs every day, also where only another provider is used."""
    assert "No accounts configured." in run("sync_accredible_badge_templates")


def test_the_command_says_what_is_missing(db: None, accredible: AccredibleSimulator) -> None:
    with pytest.raises(CommandError, match="There is no Accredible API configuration 'x'"):
        run("sync_accredible_badge_templates", "--configuration", "x")


ADDRESS = "https://accredible.test/v1/issuer/groups/search"
SEVEN = {"id": 7, "name": "Seven", "course_name": "Number seven"}


def serve(settings: Any, *pages: Any) -> None:
    """Have Accredible list these groups, whatever they are."""
    settings.BADGES_CONFIG["accredible"]["ACCREDIBLE_API_BASE_URL"] = "https://accredible.test/v1/"
    for page in pages:
        responses.post(ADDRESS, json=page)


@pytest.mark.parametrize("identity", [None, "x", True, -1, 0, 2**63, 10**30, "9" * 19, [], {}, 1.5], ids=repr)
@responses.activate
def test_f5_a_group_that_cannot_be_read_is_named_and_stops_nothing(
    api_config: AccredibleApiConfig, group: AccredibleGroup, settings: Any, identity: object
) -> None:
    serve(settings, {"groups": [{"id": identity, "name": "Nobody's"}, SEVEN], "meta": {"next_page": None}})
    out = run("sync_accredible_badge_templates")

    assert ", 1 new, " in out
    assert "1 template cannot be read and was skipped: “Nobody's” (id is missing or not a number)." in out
    group.refresh_from_db()
    assert (group.is_active, group.is_gone) == (True, False)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"course_name": " "}, "Seven"),
        ({"course_name": None, "name": "\u3164"}, "Badge template 7"),
        ({"course_name": 5, "name": {}}, "Badge template 7"),
        ({"course_name": "y" * 10_000}, "y" * 255),
    ],
    ids=repr,
)
@responses.activate
def test_f5_a_group_with_a_strange_name_is_usable(
    api_config: AccredibleApiConfig, settings: Any, changes: dict[str, Any], name: str
) -> None:
    serve(settings, {"groups": [{**SEVEN, **changes}], "meta": {"next_page": None}})
    result = sync_groups(api_config)

    [row] = AccredibleGroup.objects.all()
    assert (row.name, row.course_name.strip()) == (name, row.course_name)
    assert result.needs_attention is name.startswith("Badge template")


@pytest.mark.parametrize(("following", "complete"), [("2", True), (2, True), ({}, False), (1, False), ("next", False)])
@responses.activate
def test_f5_a_next_page_of_the_wrong_type_is_not_the_end(
    api_config: AccredibleApiConfig, group: AccredibleGroup, settings: Any, following: object, complete: bool
) -> None:
    last = {"groups": [{"id": GROUP, "name": "Explorer"}], "meta": {"next_page": None}}
    serve(settings, {"groups": [SEVEN], "meta": {"next_page": following}}, last)
    if complete:
        sync_groups(api_config)
    else:
        with pytest.raises(TransientFailure, match="next page"):
            sync_groups(api_config)

    group.refresh_from_db()
    assert group.is_active
