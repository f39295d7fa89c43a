"""Setting Credly up by clicking."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import OperationalError, connection
from django.db.models.signals import post_init
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from django.views.debug import ExceptionReporter

from badges_plugin import api
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.distribution.models import Channel
from badges_plugin.models import BadgeTemplate
from badges_plugin.web.desk.badge.permitted import MAY_ADD
from sandbox.credly import DEMO_KEY, DEMO_ORGANIZATION_ID, OTHER_KEY, OTHER_ORGANIZATION_ID, CredlySimulator
from tests.distribution.worlds import deliver
from tests.factories import requires_course, send_passing, staff_who_may

ADD = "admin:credly_badges_credlyorganization_add"
LIST = "admin:credly_badges_credlyorganization_changelist"
CHANGE = "admin:credly_badges_credlyorganization_change"


def texts(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_credly_in_the_admin_is_below_the_heading_of_badges(admin_client: Client) -> None:
    sections = admin_client.get(reverse("admin:index")).context["app_list"]

    [section] = [each for each in sections if each["name"] == "Badges"]
    assert {model["object_name"] for model in section["models"]} >= {
        "CredlyOrganization",
        "CredlyBadgeTemplate",
        "CredlyBadge",
    }


def test_an_organization_is_checked_and_its_name_filled_in(admin_client: Client, credly: CredlySimulator) -> None:
    response = admin_client.post(reverse(ADD), {"uuid": DEMO_ORGANIZATION_ID, "api_key": DEMO_KEY})

    assert response.status_code == 302, response.context["adminform"].errors
    organization = CredlyOrganization.objects.get()
    assert (organization.name, organization.api_key) == ("Open Learning Institute", DEMO_KEY)


@pytest.mark.parametrize(
    ("uuid", "key", "field", "words"),
    [
        (DEMO_ORGANIZATION_ID, "wrong", "api_key", "does not accept this key"),
        (DEMO_ORGANIZATION_ID, "wröng ключ", "api_key", "does not accept this key"),
        (DEMO_ORGANIZATION_ID, "", "api_key", "Enter the API key."),
        (DEMO_ORGANIZATION_ID, OTHER_KEY, "uuid", "not for this organization"),
        ("00000000-0000-4000-8000-000000000000", DEMO_KEY, "uuid", "no such organization"),
        ("../../x", DEMO_KEY, "uuid", "valid UUID"),
    ],
)
def test_what_credly_does_not_confirm_is_not_saved(
    admin_client: Client, credly: CredlySimulator, uuid: str, key: str, field: str, words: str
) -> None:
    response = admin_client.post(reverse(ADD), {"uuid": uuid, "api_key": key})

    assert words in str(response.context["adminform"].form.errors[field])
    assert key not in response.content.decode() or not key
    assert not CredlyOrganization.objects.exists()


def test_while_credly_is_down_nothing_is_saved(admin_client: Client, credly: CredlySimulator) -> None:
    with credly.down():
        response = admin_client.post(reverse(ADD), {"uuid": DEMO_ORGANIZATION_ID, "api_key": DEMO_KEY})

    assert "nothing was saved" in str(response.context["adminform"].form.errors["__all__"])
    assert not CredlyOrganization.objects.exists()


def test_the_key_is_never_shown_again(
    admin_client: Client, organization: CredlyOrganization, credly: CredlySimulator
) -> None:
    page = admin_client.get(reverse(CHANGE, args=[organization.pk])).content.decode()

    assert "stored, encrypted" in page
    assert DEMO_KEY not in page
    assert organization.encrypted_key not in page


@pytest.mark.parametrize("place", ["database", "settings"])
def test_the_key_is_not_shown_to_who_may_only_look(
    client: Client, organization: CredlyOrganization, credly: CredlySimulator, settings: Any, place: str
) -> None:
    if place == "settings":
        settings.BADGES_CONFIG["credly"] |= {"ORGANIZATIONS": {DEMO_ORGANIZATION_ID: DEMO_KEY}}
    client.force_login(staff_who_may("view_credlyorganization"))

    page = client.get(reverse(CHANGE, args=[organization.pk])).content.decode()

    assert DEMO_ORGANIZATION_ID in page
    assert DEMO_KEY not in page


def test_the_key_is_not_in_the_report_of_a_page_that_fails(
    admin_client: Client, credly: CredlySimulator, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith("INSERT"):
            raise OperationalError("away")
        return execute(sql, *args)

    admin_client.raise_request_exception = False
    with connection.execute_wrapper(refuse):
        response = admin_client.post(reverse(ADD), {"uuid": DEMO_ORGANIZATION_ID, "api_key": DEMO_KEY})

    [failure] = [record for record in caplog.records if record.name == "django.request"]
    report = ExceptionReporter(response.wsgi_request, *failure.exc_info)  # type: ignore[misc]
    assert "api_key = " in report.get_traceback_text()
    assert DEMO_KEY not in report.get_traceback_text() + report.get_traceback_html()


def test_an_empty_key_field_keeps_the_stored_key_and_checks_it(
    admin_client: Client, organization: CredlyOrganization, template: CredlyBadgeTemplate, credly: CredlySimulator
) -> None:
    url = reverse(CHANGE, args=[organization.pk])
    assert admin_client.post(url, {"api_key": ""}).status_code == 302
    organization.refresh_from_db()
    assert organization.api_key == DEMO_KEY

    # With templates the id is fixed, and the key is checked all the same.
    response = admin_client.post(url, {"api_key": "wrong"})
    assert "does not accept this key" in str(response.context["adminform"].form.errors)


def test_an_organization_of_the_settings_appears_and_its_key_cannot_be_changed(
    admin_client: Client, credly: CredlySimulator, settings: Any
) -> None:
    settings.BADGES_CONFIG["credly"] |= {"ORGANIZATIONS": {OTHER_ORGANIZATION_ID: OTHER_KEY}}

    page = admin_client.get(reverse(LIST)).content.decode()

    assert "in the settings" in page
    assert OTHER_KEY not in page
    form = admin_client.get(reverse(CHANGE, args=[CredlyOrganization.objects.get().pk])).context["adminform"].form
    assert form.fields["api_key"].disabled


def test_the_sync_action_reports_on_each_organization(
    admin_client: Client, organization: CredlyOrganization, credly: CredlySimulator
) -> None:
    other = CredlyOrganization.objects.create(uuid=OTHER_ORGANIZATION_ID, name="Without key")
    data = {"action": "sync_organization_badge_templates", "_selected_action": [organization.pk, other.pk]}

    response = admin_client.post(reverse(LIST), data)

    assert sorted(texts(response)) == [
        f"{DEMO_ORGANIZATION_ID}: 5 found, 5 new, 0 changed, 0 deactivated.",
        "Without key: No API key is stored for this account. Enter it in the admin.",
    ]
    assert CredlyBadgeTemplate.objects.count() == 5


def test_a_rejected_key_is_seen_in_the_admin_and_gone_after_the_change(
    admin_client: Client, template: CredlyBadgeTemplate, credly: CredlySimulator, ada: Any
) -> None:
    credly.world.update_organization(DEMO_ORGANIZATION_ID, {"keys_rejected": True})
    send_passing(ada)
    deliver()
    page = admin_client.get(reverse(LIST)).content.decode()
    assert "Paused until the API key is corrected; badges wait." in page
    assert "answer: HTTP 401" in page
    assert "until the API key is corrected" in page
    channels = admin_client.get(reverse("admin:badges_distribution_channel_changelist")).content.decode()
    assert f"Credly: {template.organization}" in channels

    credly.world.update_organization(DEMO_ORGANIZATION_ID, {"keys_rejected": False})
    credly.world.rotate_key(DEMO_ORGANIZATION_ID, "new key")
    url = reverse(CHANGE, args=[template.organization.pk])
    assert admin_client.post(url, {"api_key": "new key"}).status_code == 302
    assert deliver() == {"done": 1}
    assert Channel.objects.get().paused_reason == ""


def test_the_same_key_accepted_again_resumes_deliveries(
    admin_client: Client, template: CredlyBadgeTemplate, credly: CredlySimulator, ada: Any
) -> None:
    credly.world.update_organization(DEMO_ORGANIZATION_ID, {"keys_rejected": True})
    send_passing(ada)
    deliver()
    url = reverse(CHANGE, args=[template.organization.pk])
    admin_client.post(url, {"api_key": DEMO_KEY})
    assert deliver() == {}

    credly.world.update_organization(DEMO_ORGANIZATION_ID, {"keys_rejected": False})
    assert admin_client.post(url, {"api_key": ""}).status_code == 302
    assert deliver() == {"done": 1}


def test_a_resting_channel_is_not_called_working(
    admin_client: Client, template: CredlyBadgeTemplate, credly: CredlySimulator, ada: Any
) -> None:
    credly.fail(status=429, retry_after="86400", operation="issue")
    send_passing(ada)
    deliver()

    assert "Resting until" in admin_client.get(reverse(LIST)).content.decode()


def test_the_badges_can_be_looked_at(
    admin_client: Client, template: CredlyBadgeTemplate, credly: CredlySimulator, ada: Any
) -> None:
    send_passing(ada)
    deliver()
    url = reverse("admin:credly_badges_credlybadge_changelist")

    page = admin_client.get(url).content.decode()
    assert "Data Science Explorer" in page
    assert credly.badges()[0].id in page
    pk = template.progresses.get().awards.get().credential_id
    response = admin_client.get(reverse("admin:credly_badges_credlybadge_change", args=[pk]))
    assert response.status_code == 200
    # The host has no page for our badges.
    assert "viewsitelink" not in response.content.decode()


def test_a_template_is_set_up_and_activated(
    admin_client: Client, template: CredlyBadgeTemplate, credly: CredlySimulator
) -> None:
    api.deactivate_template(template)
    url = reverse("admin:credly_badges_credlybadgetemplate_change", args=[template.pk])
    page = admin_client.get(url).content.decode()
    assert "Data Science Explorer" in page
    assert 'name="name"' not in page

    site = template.site_id
    response = admin_client.post(url, {"is_active": "on", "can_be_reawarded": "on", "site": site, "name": "Forged"})

    assert response.status_code == 302, response.context["adminform"].errors
    template.refresh_from_db()
    assert (template.is_active, template.name, template.origin) == (True, "Data Science Explorer", "credly")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("draft", "Credly issues no badges"),
        ("archived", "Credly issues no badges"),
        ("deleted", "Credly no longer has this template."),
    ],
)
def test_what_credly_does_not_issue_cannot_be_activated(
    admin_client: Client, template: CredlyBadgeTemplate, credly: CredlySimulator, state: str, words: str
) -> None:
    draft = CredlyBadgeTemplate.objects.get(state="draft")
    draft.state = state
    draft.save()
    url = reverse("admin:credly_badges_credlybadgetemplate_change", args=[draft.pk])
    response = admin_client.post(url, {"is_active": "on", "site": draft.site_id})
    errors = str(response.context["adminform"].form.errors["is_active"])
    assert words in errors
    assert "has no requirements" in errors

    requires_course(draft)
    response = admin_client.post(url, {"is_active": "on", "site": draft.site_id})
    assert words in str(response.context["adminform"].form.errors["is_active"])

    url = reverse("admin:credly_badges_credlybadgetemplate_changelist")
    response = admin_client.post(url, {"action": "activate", "_selected_action": [draft.pk]})
    assert words in texts(response)[0]
    draft.refresh_from_db()
    assert not draft.is_active


def test_what_credly_changes_while_staff_save_the_template_stays(
    admin_client: Client, template: CredlyBadgeTemplate
) -> None:
    def archive(instance: CredlyBadgeTemplate, **kwargs: object) -> None:
        post_init.disconnect(archive, sender=CredlyBadgeTemplate)
        CredlyBadgeTemplate.objects.filter(pk=template.pk).update(name="Renamed", state="archived", is_active=False)

    url = reverse("admin:credly_badges_credlybadgetemplate_change", args=[template.pk])
    post_init.connect(archive, sender=CredlyBadgeTemplate)
    response = admin_client.post(url, {"is_active": "on", "site": template.site_id})

    assert response.status_code == 302
    template.refresh_from_db()
    assert (template.name, template.state, template.is_active) == ("Renamed", "archived", False)
    assert not template.can_be_reawarded


def test_an_organization_with_templates_is_kept_and_the_page_says_what_to_do_instead(
    admin_client: Client, template: CredlyBadgeTemplate
) -> None:
    organization = template.organization
    number = organization.badge_templates.count()
    page = admin_client.get(reverse("admin:credly_badges_credlyorganization_delete", args=(organization.pk,)))
    assert f"has {number} badge templates, and learners may hold their badges" in page.content.decode()
    assert "permission" not in str(page.context["perms_lacking"])
    chosen = {"action": "delete_selected", "_selected_action": [organization.pk], "post": "yes"}
    admin_client.post(reverse("admin:credly_badges_credlyorganization_changelist"), chosen)
    assert CredlyOrganization.objects.count() == 1


def test_an_organization_without_templates_can_be_deleted(
    admin_client: Client, organization: CredlyOrganization
) -> None:
    address = reverse("admin:credly_badges_credlyorganization_delete", args=(organization.pk,))
    admin_client.post(address, {"post": "yes"})
    assert not CredlyOrganization.objects.exists()


@pytest.mark.parametrize("state", ["draft", "archived", "deleted"])
def test_what_credly_does_not_issue_cannot_be_activated_on_the_desk(
    admin_client: Client, template: CredlyBadgeTemplate, state: str
) -> None:
    api.deactivate_template(template)
    CredlyBadgeTemplate.objects.filter(pk=template.pk).update(state=state)
    refusal = CredlyBadgeTemplate.objects.get(pk=template.pk).refusal
    assert api.activation_problems(BadgeTemplate.objects.get(pk=template.pk)) == [refusal]

    form = admin_client.get(reverse("badges_web:desk_change_badge", args=[template.pk])).content.decode()
    page = admin_client.post(reverse("badges_web:desk_activate_badge", args=[template.pk])).content.decode()
    for each in (form, page):
        assert escape(refusal) in each
        assert "Nothing is missing" not in each
    template.refresh_from_db()
    assert not template.is_active


@pytest.mark.parametrize("page", ["activate", "deactivate", "change", "copy"])
def test_the_desk_asks_for_the_permission_that_the_admin_asks_for(template: CredlyBadgeTemplate, page: str) -> None:
    if page == "activate":
        api.deactivate_template(template)
    address = reverse(f"badges_web:desk_{page}_badge", args=[template.pk])
    badge = reverse("badges_web:desk_badge", args=[template.pk])

    def answers(*permissions: str) -> tuple[int, bool]:
        client = Client()
        client.force_login(staff_who_may(*permissions))
        answer = client.post(address) if page == "copy" else client.get(address)
        return answer.status_code, address in client.get(badge).content.decode()

    core = [each.rpartition(".")[2] for each in ("view_badgetemplate", *MAY_ADD)]
    assert answers(*core) == (403, False)
    assert answers(*core, "change_credlybadgetemplate") == (302 if page == "copy" else 200, True)
