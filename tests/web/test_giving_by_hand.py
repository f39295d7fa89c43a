"""The pages on which staff give a badge by hand: the list, the look at it, the report, and the undoing."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from badges_plugin import api
from badges_plugin.api import Ending
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, ManualAwardList
from badges_plugin.times import day_text
from badges_plugin.web.desk.giving import forms, views, working
from tests.core.admin_pages import staff
from tests.factories import at, make_template, make_user, send_passing, staff_who_may
from tests.limits import Lower
from tests.web.pages_world import as_user, award_of, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(site: Any) -> Client:
    return staff("award_by_hand", "view_badgeaward")


def address(name: str = "desk_give", *arguments: Any) -> str:
    return reverse(f"badges_web:{name}", args=arguments)


def look_at(client: Client, template: BadgeTemplate, text: str = "", **changes: Any) -> Any:
    """Fill in the form and press "Look at the list"; return the page that follows."""
    asked = {"badge": template.pk, "learners": text, "reason": "Spring school", "day": "", "look": "1", **changes}
    return client.post(address(), asked, follow=True)


def press(client: Client, **button: str) -> Any:
    """Press a button of the newest list's page."""
    return client.post(address("desk_gift_list", newest().pk), button or {"give": "1"}, follow=True)


def newest() -> ManualAwardList:
    return ManualAwardList.objects.order_by("pk").reverse()[0]


def test_a_list_is_looked_at_given_and_undone(manager: Client, statistics: BadgeTemplate) -> None:
    ada, ben = make_user(full_name="Ada Byron"), make_user(full_name="Ben Cole", email="ben@example.org")
    send_passing(ada)
    page = look_at(manager, statistics, f"{ada.email}\n\n{ben.username}\nBEN@example.org\nnobody@example.org\nno.one")
    text = words(page)
    assert "1 learner will get Statistics. 4 lines will be skipped." in text
    for told in (
        "1 Ada Byron, learner",
        f"Has it already, since {day_text(at(0))}. Nothing happens.",
        "3 Ben Cole, ben@example.org Gets it",
        "Twice in the list; counted once",
        "5 nobody@example.org Nobody here has this address",
        "6 no.one Nobody here has this user name",
        "Give the badge to 1 learner",
    ):
        assert told in text
    assert BadgeAward.objects.count() == 1

    text = words(press(manager))
    assert "1 learner has the badge." in text
    assert "Reason: Spring school Given by Lea Learner on" in text
    award = award_of(ben, statistics)
    assert (award.given and award.given.reason, award.revoked_at) == ("Spring school", None)

    assert "taken back from 1 learner." in words(manager.get(address("desk_gift_list_undo", newest().pk)))
    done = manager.post(address("desk_gift_list_undo", newest().pk), {"reason": "Wrong list"}, follow=True)
    assert "Undone: 1 badge was taken back." in words(done)
    assert (award_of(ben, statistics).ended_by, award_of(ada, statistics).ended_by) == (Ending.UNDONE, "")
    again = manager.post(address("desk_gift_list_undo", newest().pk), {}, follow=True)
    assert "Already undone by Lea Learner." in words(again)
    said = LogEntry.objects.order_by("pk").values_list("change_message", flat=True)
    assert list(said) == [
        "The list of awards by hand was given.",
        "Given by hand: Spring school",
        "The list of awards by hand was undone.",
        "Award by hand undone: Wrong list",
    ]
    assert "Spring school" in words(manager.get(address("desk_gift_lists")))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"username;grade\nben;12\n", "2 Ben Cole"),
        (b"\xef\xbb\xbfgrade,E-Mail\r\n12,ben@example.org\r\n", "2 Ben Cole"),
        ("email\tname\nben@example.org\tBen".encode("utf-16"), "2 Ben Cole"),
        (b'name,email\n"Cole,\nBen",ben@example.org\n', "3 Ben Cole"),
        (b"ben\n", "1 Ben Cole"),
    ],
)
def test_csv_files_as_programs_write_them(
    manager: Client, statistics: BadgeTemplate, content: bytes, line: str
) -> None:
    make_user(username="ben", email="ben@example.org", full_name="Ben Cole")
    page = look_at(manager, statistics, file=SimpleUploadedFile("x.csv", content))
    assert f"{line}, ben@example.org Gets it" in words(page)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"badge": ""}, "Choose a badge."),
        ({"badge": "0"}, "Choose an active badge."),
        ({"learners": " \n"}, "Name at least one learner."),
        ({"learners": "a\n" * 4}, "The list has 4 lines. Give a badge to at most 3 learners at once."),
        ({"reason": " "}, "Say why"),
        ({"day": "2999-01-01"}, "in the future"),
        ({"day": "0027-01-01"}, "too long ago"),
        ({"day": "1 May"}, "Write the day as"),
        ({"file": SimpleUploadedFile("x.csv", b"name,mail address\nBen,ben@example.org\n")}, "is missing"),
        ({"file": SimpleUploadedFile("x.xlsx", b"PK\x03\x04")}, "Save it as CSV"),
        ({"file": SimpleUploadedFile("x.csv", b"a\0b")}, "not a text file"),
    ],
)
def test_what_is_wrong_is_said_where_it_is_and_what_was_typed_stays(
    manager: Client, statistics: BadgeTemplate, lower: Lower, changes: dict[str, Any], why: str
) -> None:
    lower("badges_plugin.web.desk.giving.parsing", MOST_LINES=3)
    page = look_at(manager, statistics, **{"learners": "ben\nada", **changes})
    assert page.status_code == 422
    assert why in words(page)
    assert not ManualAwardList.objects.exists()
    if "learners" not in changes:
        assert "ben\nada</textarea>" in page.content.decode()


def test_who_cannot_be_delivered_and_who_had_it_before(manager: Client, statistics: BadgeTemplate) -> None:
    make_user(username="kim", email="", full_name="Kim Tran")
    dan = make_user(username="dan", full_name="Dan Poe")
    send_passing(dan, minute=1)
    send_passing(dan, minute=2, is_passing=False)
    BadgeTemplate.objects.filter(pk=statistics.pk).update(origin="credly")
    text = words(look_at(manager, statistics, "kim\ndan"))
    assert "Gets it here; cannot be delivered to Credly without an e-mail address" in text
    assert f"Lost it on {day_text(at(2))}. Gets it, also at Credly" in text
    assert "For 1 of them, something is missing for the delivery." in text


def test_who_may_be_meant_is_offered_and_taken(manager: Client, statistics: BadgeTemplate) -> None:
    dora = make_user(username="dora_white", email="dora@northside.example")
    page = look_at(manager, statistics, "dora@northsid.example\ndora_whit\nx")
    assert words(page).count("Did you mean") == 2
    buttons = re.findall('name="correct" value="([^"]+)"', page.content.decode())
    assert "Gets it" in words(press(manager, correct=buttons[0]))
    assert "Twice in the list" in words(press(manager, correct=buttons[1]))
    press(manager)
    assert award_of(dora, statistics).given is not None


def test_a_link_names_the_badge_and_the_learner(statistics: BadgeTemplate, ada: Any) -> None:
    manager = staff("award_by_hand", "view_badgeprogress", "view_badgeaward")
    page = manager.get(address(), {"badge": statistics.pk, "learner": ada.pk})
    assert "Badge Statistics Choose another" in words(page)
    assert f"{ada.username}</textarea>" in page.content.decode()
    assert "Badge Statistics" in words(manager.get(address(), {"template": statistics.pk}))
    for nonsense in ("x", "0", "-1", "9" * 30):
        asked = {"badge": nonsense, "learner": nonsense, "from": nonsense}
        assert "Choose a badge" in words(manager.get(address(), asked))
    another = manager.post(address(), {"badge": statistics.pk, "learners": "ben", "another": "1"})
    assert "Choose a badge" in words(another)
    assert "ben</textarea>" in another.content.decode()


def test_of_very_many_badges_one_is_found_by_its_name(manager: Client, statistics: BadgeTemplate, lower: Lower) -> None:
    make_template(name="Logic")
    lower(forms, MOST_OFFERED=1)
    lower(views, MOST_OFFERED=1)
    page = manager.post(address(), {"sought": "stat", "learners": "ben", "find": "1"})
    text = words(page)
    assert "Statistics" in text
    assert "Logic" not in text
    assert "ben</textarea>" in page.content.decode()


def test_the_list_can_be_written_anew(manager: Client, statistics: BadgeTemplate) -> None:
    look_at(manager, statistics, "ben\nada")
    page = manager.get(address(), {"from": newest().pk})
    assert "ben\nada</textarea>" in page.content.decode()
    assert 'value="Spring school"' in page.content.decode()


def test_a_long_list_is_shown_in_pages_and_the_worker_does_what_the_page_has_no_time_for(
    manager: Client, statistics: BadgeTemplate, lower: Lower
) -> None:
    lower(views, ON_A_PAGE=2)
    lower(working, SECONDS=-1)
    lower("badges_plugin.processing.manual_lists", AT_ONCE=2)
    users = [make_user() for _ in range(3)]
    text = words(look_at(manager, statistics, "\n".join([*(user.username for user in users), "x"])))
    assert "Page 1 of 2" in text
    assert "3 learners will get Statistics. 1 line will be skipped." in text
    assert "2 of 3 have the badge." in words(press(manager))
    assert "3 learners have the badge." in words(press(manager, go_on="1"))
    others = manager.get(address("desk_gift_list", newest().pk), {"show": "others"})
    assert "4 x Nobody here" in words(others)


def test_the_report_is_a_file_that_no_program_takes_for_formulas(manager: Client, statistics: BadgeTemplate) -> None:
    make_user(username="ben", email="ben@example.org", full_name="=1+1")
    look_at(manager, statistics, "ben\n-x")
    answer = manager.get(address("desk_gift_list", newest().pk), {"csv": ""})
    assert answer.content.decode("utf-8-sig").splitlines() == [
        "Line,Written,User name,Name,E-mail address,What happens",
        "1,ben,ben,'=1+1,ben@example.org,Gets it",
        "2,'-x,,,,Nobody here has this user name",
    ]


@pytest.mark.parametrize(
    ("permissions", "give", "draft", "report", "undo"),
    [
        ((), 403, 403, 403, 403),
        (("view_badgeaward",), 403, 404, 200, 403),
        (("award_by_hand",), 200, 404, 200, 200),
    ],
)
def test_who_may_do_what(
    manager: Client,
    statistics: BadgeTemplate,
    ada: Any,
    permissions: tuple[str, ...],
    give: int,
    draft: int,
    report: int,
    undo: int,
) -> None:
    look_at(manager, statistics, ada.username)
    client, shown = staff(*permissions), address("desk_gift_list", newest().pk)
    assert (client.get(address()).status_code, client.get(shown).status_code) == (give, draft)
    assert client.post(shown, {"nothing": "1"}, follow=True).status_code == draft
    press(manager)
    page = client.get(shown)
    assert page.status_code == report
    assert (ada.email in words(page)) == (give == 200)
    assert ("Undo the whole list" in words(page)) == (undo == 200)
    assert client.get(shown, {"csv": ""}).headers["Content-Type"].startswith("text/csv") == (give == 200)
    assert client.get(address("desk_gift_list_undo", newest().pk)).status_code == undo
    assert Client().get(shown).status_code == 302


def test_a_badge_that_became_inactive_meanwhile_is_not_given(
    manager: Client, statistics: BadgeTemplate, ada: Any
) -> None:
    look_at(manager, statistics, ada.username)
    BadgeTemplate.objects.filter(pk=statistics.pk).update(is_active=False)
    assert "is not active" in words(press(manager))
    assert not BadgeAward.objects.exists()


@pytest.mark.parametrize("kind", ["user", "progress"])
def test_a_selection_in_the_admin_begins_a_list(
    manager: Client, statistics: BadgeTemplate, ada: Any, kind: str
) -> None:
    send_passing(ada)
    model, pk = (User, ada.pk) if kind == "user" else (BadgeProgress, BadgeProgress.objects.get().pk)
    action = f"give_to_{'users' if kind == 'user' else 'these_learners'}"
    changelist = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    may = ["award_by_hand", "view_badgeprogress", f"view_{model._meta.model_name}"]
    client = as_user(staff_who_may(*may))
    page = client.post(changelist, {"action": action, "_selected_action": [pk]})
    assert f"{ada.username}</textarea>" in page.content.decode()
    assert ("Badge Statistics Choose another" in words(page)) == (kind == "progress")
    # Who may only look does not see it.
    assert action not in as_user(staff_who_may(*may[1:])).get(changelist).content.decode()


def test_pages_and_steps_ask_the_same_number_of_questions_for_any_number_of_learners(
    manager: Client, statistics: BadgeTemplate
) -> None:
    counted: dict[str, list[int]] = {"look": [], "page": [], "give": [], "undo": []}

    def count(name: str, work: Callable[[], Any]) -> None:
        with CaptureQueriesContext(connection) as queries:
            work()
        counted[name].append(len(queries))

    for number in (1, 3, 20):  # the first fills caches
        written = [make_user().username for _ in range(number)] + [f"no.{number}{each}" for each in range(number)]
        count("look", partial(look_at, manager, statistics, "\n".join(written)))
        count("page", partial(manager.get, address("desk_gift_list", newest().pk)))
        api.start_giving(newest())
        count("give", partial(api.go_on_with_list, newest().pk))
        api.start_undoing(newest(), by=None, reason="")
        count("undo", partial(api.go_on_with_list, newest().pk))
    assert {name: few for name, (_, few, _) in counted.items()} == {name: many for name, (*_, many) in counted.items()}
