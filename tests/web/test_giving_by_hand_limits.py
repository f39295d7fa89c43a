"""What the pages of awards by hand do not do or tell: whose a draft is, whom staff may not look up, who was erased."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signing import Signer
from django.test import Client

from badges_plugin import api
from badges_plugin.host import User
from badges_plugin.models import BadgeTemplate, ManualAwardLine, ManualAwardList
from badges_plugin.web.desk.giving import lines, views
from tests.core.admin_pages import staff
from tests.factories import make_user
from tests.limits import Lower
from tests.web.pages_world import award_of, words
from tests.web.test_giving_by_hand import address, look_at, newest, press

pytestmark = pytest.mark.django_db

GIVES = ("award_by_hand", "view_badgeprogress", "view_badgeaward")


@pytest.fixture
def manager(site: Any) -> Client:
    return staff(*GIVES)


def retire(user: Any) -> None:
    """Do what the platform does first: it replaces the e-mail address."""
    User.objects.filter(pk=user.pk).update(email="retired__user_0123@retired.invalid")


def shown(client: Client, **asked: str) -> Any:
    return client.get(address("desk_gift_list", newest().pk), asked)


def buttons(page: Any) -> list[str]:
    return re.findall('name="correct" value="([^"]+)"', page.content.decode())


def test_a_draft_is_for_who_made_it_only(manager: Client, statistics: BadgeTemplate, ada: Any) -> None:
    look_at(manager, statistics, f"{ada.username}\nada@example.orgg")
    draft, button = newest(), buttons(shown(manager))[0]
    colleague = staff(*GIVES)
    assert shown(colleague).status_code == shown(colleague, csv="").status_code == 404
    for asked in ({"give": "1"}, {"go_on": "1"}, {"correct": button}):
        assert press(colleague, **asked).status_code == 404
    assert colleague.get(address("desk_gift_list_undo", draft.pk)).status_code == 404
    assert "Spring school" not in colleague.get(address(), {"from": draft.pk}).content.decode()
    draft.refresh_from_db()
    assert draft.state == ManualAwardList.State.DRAFT
    assert draft.lines.filter(user=None).exists()
    press(manager)
    assert "1 learner has the badge." in words(shown(colleague))


def test_nobody_can_be_put_on_a_line_who_was_not_suggested_for_it(manager: Client, statistics: BadgeTemplate) -> None:
    dora = make_user(username="dora", email="dora@northside.example")
    other = make_user(username="zoe", email="zoe@elsewhere.example", full_name="Zoe Stone")
    page = look_at(manager, statistics, "dora@northsid.example\nnobody")
    (button,) = buttons(page)
    line, last = newest().lines.order_by("number")
    signature = button.rpartition(":")[2]
    for forged in (
        f"{line.pk}:{other.pk}",
        f"{line.pk}:{other.pk}:{signature}",
        f"{last.pk}:{dora.pk}:{signature}",
        Signer().sign(f"{line.pk}:{other.pk}"),
        "",
        ":",
    ):
        assert press(manager, correct=forged).status_code == 404
    assert "Zoe" not in words(shown(manager))
    retire(dora)
    press(manager, correct=button)
    assert not newest().lines.exclude(user=None).exists()


@pytest.mark.parametrize(
    ("permissions", "is_retired", "is_told"),
    [(GIVES, False, True), (GIVES, True, False), (("award_by_hand",), False, False), (GIVES[::2], False, False)],
)
def test_a_link_tells_the_user_name_to_those_who_may_see_learners(
    statistics: BadgeTemplate, ada: Any, permissions: tuple[str, ...], is_retired: bool, is_told: bool
) -> None:
    if is_retired:
        retire(ada)
    page = staff(*permissions).get(address(), {"badge": statistics.pk, "learner": ada.pk})
    assert (ada.username in page.content.decode()) == is_told


@pytest.mark.parametrize("is_given", [False, True])
def test_of_who_was_erased_lists_say_what_other_pages_say(
    manager: Client, statistics: BadgeTemplate, ada: Any, is_given: bool
) -> None:
    look_at(manager, statistics, ada.email)
    if is_given:
        press(manager)
    retire(ada)
    told = "Given" if is_given else "The account was deleted or retired"
    text = words(shown(manager))
    assert f"1 Erased learner {told}" in text
    file = shown(manager, csv="").content.decode("utf-8-sig")
    assert file.splitlines()[1] == f"1,,{ada.username},,,{told}"
    for secret in ("Ada Lovelace", "ada@example.org", "retired.invalid", "no e-mail address"):
        assert secret not in text + file


def test_who_downloads_a_list_is_in_the_log(manager: Client, statistics: BadgeTemplate, ada: Any) -> None:
    look_at(manager, statistics, ada.username)
    answer = shown(manager, csv="")
    entry = LogEntry.objects.get()
    assert (entry.change_message, entry.object_id) == ("Downloaded as CSV.", str(newest().pk))
    assert entry.user == newest().given_by
    assert "no-store" in answer.headers["Cache-Control"]


def test_badges_that_were_lost_since_are_not_counted(manager: Client, statistics: BadgeTemplate) -> None:
    users = [make_user(), make_user()]
    look_at(manager, statistics, "\n".join(user.username for user in users))
    press(manager)
    undo = address("desk_gift_list_undo", newest().pk)
    api.revoke_award(award_of(users[0], statistics), reason="")
    page = shown(manager)
    assert "1 learner has the badge. 1 learner lost it since." in words(page)
    assert "desk-good" in page.content.decode()
    assert "taken back from 1 learner." in words(manager.get(undo))
    api.revoke_award(award_of(users[1], statistics), reason="")
    page = shown(manager)
    assert "Nobody has the badge from this list. 2 learners lost it since." in words(page)
    assert "desk-good" not in page.content.decode()
    # An award that was deleted is not held either.
    ManualAwardLine.objects.update(award=None)
    assert "Nobody has the badge" in words(shown(manager))


@pytest.mark.parametrize("name", ["user", "login", "E-mail"])
def test_a_first_line_that_may_be_a_name_is_not_dropped_silently(
    manager: Client, statistics: BadgeTemplate, ada: Any, name: str
) -> None:
    make_user(username=name)
    told = f"The first line, “{name}”, was taken for a heading. If it is a user name, write it on another line."
    assert told in words(look_at(manager, statistics, f"{name}\n{ada.username}"))
    file = SimpleUploadedFile("x.csv", f"{name}\n{ada.username}\n".encode())
    assert told in words(look_at(manager, statistics, file=file))
    assert "was taken for a heading" not in words(look_at(manager, statistics, f"{name},x\n{ada.username},1"))
    assert list(newest().lines.values_list("written", flat=True)) == [ada.username]
    # Alone it is no table.
    text = words(look_at(manager, statistics, f"{name}\n"))
    assert "1 learner will get Statistics." in text
    assert "was taken for a heading" not in text


def test_what_costs_much_is_not_asked_where_nobody_sees_it(
    manager: Client, statistics: BadgeTemplate, lower: Lower, monkeypatch: pytest.MonkeyPatch
) -> None:
    lower(views, ON_A_PAGE=1)
    BadgeTemplate.objects.filter(pk=statistics.pk).update(origin="credly")
    look_at(manager, statistics, "\n".join([make_user(email="").username, make_user(email="").username, "nobody"]))
    assert "For 2 of them, something is missing for the delivery." in words(shown(manager))
    asked: list[str] = []

    def watch(module: Any, name: str) -> None:
        work = getattr(module, name)

        def watched(*arguments: Any) -> Any:
            asked.append(name)
            return work(*arguments)

        monkeypatch.setattr(module, name, watched)

    watch(lines, "nearest")
    watch(views, "number_undeliverable")
    shown(manager, csv="")
    shown(manager, page="2")
    shown(manager, show="getting")
    assert asked == []
    shown(manager)
    assert asked == ["nearest", "number_undeliverable"]


def test_a_list_on_which_nobody_gets_the_badge_says_so(manager: Client, statistics: BadgeTemplate) -> None:
    text = words(look_at(manager, statistics, "no.one\nno.two"))
    assert "Nobody on this list will get Statistics. 2 lines will be skipped." in text
