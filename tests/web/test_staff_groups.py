"""Ready-made groups of permissions, and what their members may open."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse

from badges_plugin.web.desk.staff_groups import DESIGNERS, MANAGERS, SUPPORT, ready_made
from tests.core.admin_pages import url
from tests.factories import make_template, make_user

pytestmark = pytest.mark.django_db


def run(*options: str) -> str:
    out = StringIO()
    call_command("badges_groups", *options, stdout=out)
    return out.getvalue()


def ours() -> QuerySet[Group]:
    """The host has groups of its own."""
    return Group.objects.filter(name__startswith="Badge ").order_by("name")


def member_of(name: str) -> Client:
    user = make_user(is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    client = Client()
    client.force_login(user)
    return client


def test_the_groups_are_made_once_and_keep_what_they_were_given() -> None:
    assert "Badge designers: would be made" in run("--dry-run")
    assert not ours().exists()
    assert "Badge managers: made, with" in run()
    assert [group.name for group in ours()] == [DESIGNERS, MANAGERS, SUPPORT]
    counts = [group.permissions.count() for group in ours()]
    assert all(counts)
    support = Group.objects.get(name=SUPPORT)
    given = Permission.objects.get(codename="add_group")
    support.permissions.add(given)
    taken = support.permissions.get(codename="view_badgeaward")
    support.permissions.remove(taken)
    assert "Badge support: would get 1 permission" in run("--dry-run")
    told = run()
    assert "+ badges_plugin.view_badgeaward" in told
    assert "auth.add_group (given besides, kept)" in told
    assert {given, taken} <= set(support.permissions.order_by("pk"))
    assert "complete" in run()


def test_every_permission_that_is_wanted_is_there() -> None:
    stored = {
        (each.content_type.app_label, each.codename) for each in Permission.objects.select_related("content_type")
    }
    for name, wanted in ready_made().items():
        assert not wanted - stored, name


def test_who_sees_learners_and_who_decides() -> None:
    groups = {name: {codename for _label, codename in wanted} for name, wanted in ready_made().items()}
    assert "change_badgetemplate" in groups[DESIGNERS]
    assert not {codename for codename in groups[DESIGNERS] if "award" in codename or "progress" in codename}
    assert "award_by_hand" in groups[MANAGERS]
    assert groups[DESIGNERS] < groups[MANAGERS]
    changes = {codename for codename in groups[SUPPORT] if not codename.startswith("view_")}
    assert changes == {"change_delivery"}


@pytest.mark.parametrize(
    ("name", "open_to", "closed"),
    [
        (DESIGNERS, ["badgetemplate", "badgerequirement"], ["badgeaward", "badgeprogress", "failedevent"]),
        (MANAGERS, ["badgetemplate", "badgeaward", "badgeprogress", "failedevent"], []),
        (SUPPORT, ["badgetemplate", "badgeaward", "badgeprogress", "failedevent"], []),
    ],
)
def test_members_open_what_they_need(name: str, open_to: list[str], closed: list[str]) -> None:
    run()
    make_template()
    client = member_of(name)
    assert client.get(reverse("admin:index")).status_code == 200
    assert {client.get(url(model)).status_code for model in open_to} == {200}
    assert {client.get(url(model)).status_code for model in closed} <= {403}
    assert client.get(url("badgetemplate", "add")).status_code == (403 if name == SUPPORT else 200)
