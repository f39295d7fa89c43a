"""Setting Accredible up by clicking."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from badges_plugin.distribution.accredible.checks import configurations
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleGroup
from badges_plugin.distribution.accredible.sync import sync_groups
from sandbox.accredible import DEMO_KEY, OTHER_KEY, AccredibleSimulator
from tests.accredible.conftest import GROUP
from tests.distribution.worlds import deliver
from tests.factories import send_passing, staff_who_may

ADD = "admin:accredible_badges_accredibleapiconfig_add"
LIST = "admin:accredible_badges_accredibleapiconfig_changelist"
CHANGE = "admin:accredible_badges_accredibleapiconfig_change"


def test_a_configuration_whose_key_is_good_is_saved(admin_client: Client, accredible: AccredibleSimulator) -> None:
    response = admin_client.post(reverse(ADD), {"name": "Demo", "api_key": DEMO_KEY})

    assert response.status_code == 302, response.context["adminform"].errors
    api_config = AccredibleApiConfig.objects.get()
    assert (api_config.name, api_config.api_key) == ("Demo", DEMO_KEY)
    assert DEMO_KEY not in api_config.encrypted_key
    page = admin_client.get(reverse(CHANGE, args=[api_config.pk])).content.decode()
    assert "stored, encrypted" in page
    assert DEMO_KEY not in page


def test_the_key_is_not_shown_to_who_may_only_look(client: Client, api_config: AccredibleApiConfig) -> None:
    client.force_login(staff_who_may("view_accredibleapiconfig"))

    page = client.get(reverse(CHANGE, args=[api_config.pk])).content.decode()

    assert "stored, encrypted" in page
    assert DEMO_KEY not in page


@pytest.mark.parametrize(
    ("key", "words"),
    [("wrong", "does not accept this key"), ("wröng ключ", "does not accept this key"), ("", "Enter the API key.")],
)
def test_a_key_that_accredible_refuses_is_not_saved(
    admin_client: Client, accredible: AccredibleSimulator, key: str, words: str
) -> None:
    response = admin_client.post(reverse(ADD), {"name": "Demo", "api_key": key})

    assert words in str(response.context["adminform"].form.errors["api_key"])
    assert not AccredibleApiConfig.objects.exists()


def test_while_accredible_is_down_nothing_is_saved(admin_client: Client, accredible: AccredibleSimulator) -> None:
    accredible.fail(status=503)
    response = admin_client.post(reverse(ADD), {"name": "Demo", "api_key": DEMO_KEY})

    assert "nothing was saved" in str(response.context["adminform"].form.errors["__all__"])
    assert not AccredibleApiConfig.objects.exists()


def test_a_configuration_of_the_settings_appears_and_keeps_its_name(
    admin_client: Client, accredible: AccredibleSimulator, settings: Any
) -> None:
    settings.BADGES_CONFIG["accredible"] |= {"API_KEYS": {"Other": OTHER_KEY}}
    page = admin_client.get(reverse(LIST)).content.decode()
    assert "in the settings" in page
    assert OTHER_KEY not in page

    api_config = AccredibleApiConfig.objects.get()
    admin_client.post(reverse(CHANGE, args=[api_config.pk]), {"name": "Renamed", "api_key": "forged"})
    api_config.refresh_from_db()
    assert (api_config.name, api_config.encrypted_key) == ("Other", "")


def test_the_sync_action_reports_on_each_configuration(
    admin_client: Client, api_config: AccredibleApiConfig, accredible: AccredibleSimulator
) -> None:
    other = AccredibleApiConfig.objects.create(name="Without key")
    data = {"action": "sync_accredible_groups", "_selected_action": [api_config.pk, other.pk]}
    response = admin_client.post(reverse(LIST), data)

    assert sorted(str(message) for message in get_messages(response.wsgi_request)) == [
        "Demo: 5 found, 5 new, 0 changed, 0 deactivated.",
        "Without key: No API key is stored for this account. Enter it in the admin.",
    ]


def test_a_rejected_key_is_seen_in_the_admin_and_gone_after_the_change(
    admin_client: Client, group: AccredibleGroup, accredible: AccredibleSimulator, ada: Any
) -> None:
    del accredible.world.keys[DEMO_KEY]
    send_passing(ada)
    deliver()
    page = admin_client.get(reverse(LIST)).content.decode()
    assert "Paused until the API key is corrected; badges wait." in page
    assert "answer: HTTP 401" in page
    assert "until the API key is corrected" in page
    channels = admin_client.get(reverse("admin:badges_distribution_channel_changelist")).content.decode()
    assert "Accredible: Demo" in channels

    accredible.world.keys["new key"] = "demo"
    url = reverse(CHANGE, args=[group.api_config.pk])
    assert admin_client.post(url, {"name": "Demo", "api_key": "new key"}).status_code == 302
    assert deliver() == {"done": 1}


def test_a_group_is_set_up_and_what_accredible_decides_is_not(
    admin_client: Client, group: AccredibleGroup, accredible: AccredibleSimulator
) -> None:
    url = reverse("admin:accredible_badges_accrediblegroup_change", args=[group.pk])
    wanted = {"can_be_reawarded": "on", "icon": "https://images.example/x.png", "site": group.site_id, "name": "Forged"}
    response = admin_client.post(url, wanted)

    assert response.status_code == 302, response.context["adminform"].errors
    group.refresh_from_db()
    assert (group.name, group.icon, group.is_active) == ("Data Science Explorer", wanted["icon"], False)
    assert admin_client.get(reverse("admin:accredible_badges_accrediblegroup_add")).status_code == 403


def test_a_group_that_vanished_cannot_be_activated_until_it_is_back(
    admin_client: Client, group: AccredibleGroup, accredible: AccredibleSimulator
) -> None:
    record = accredible.world.groups.pop(GROUP)
    sync_groups(group.api_config)
    url = reverse("admin:accredible_badges_accrediblegroup_change", args=[group.pk])
    wanted = {"is_active": "on", "site": group.site_id}
    response = admin_client.post(url, wanted)
    assert "Accredible no longer has this group" in str(response.context["adminform"].form.errors["is_active"])

    accredible.world.groups[GROUP] = record
    sync_groups(group.api_config)
    assert admin_client.post(url, wanted).status_code == 302
    group.refresh_from_db()
    assert group.is_active


def test_the_badges_can_be_looked_at(
    admin_client: Client, group: AccredibleGroup, accredible: AccredibleSimulator, ada: Any
) -> None:
    send_passing(ada)
    deliver()

    page = admin_client.get(reverse("admin:accredible_badges_accrediblebadge_changelist")).content.decode()
    assert "Data Science Explorer" in page
    assert str(accredible.credentials()[0].id) in page


def test_the_doctor_names_the_key_that_is_not_taken(
    api_config: AccredibleApiConfig, accredible: AccredibleSimulator, settings: Any
) -> None:
    settings.BADGES_CONFIG["accredible"] |= {"API_KEYS": {"Other": OTHER_KEY}}
    AccredibleApiConfig.objects.create(name="Without key")

    assert [finding.level.name for finding in configurations()] == ["WARNING", "OK", "ERROR"]
