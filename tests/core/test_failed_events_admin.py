"""Failed events in the admin: who sees what of them, and what staff do about them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from badges_plugin.models import BadgeAward, FailedEvent
from tests.core.admin_pages import staff, text, url
from tests.core.test_failed_events import DISMISSED, FAILED, PROCESSED, stored
from tests.factories import make_template, make_user, requires_course, user_data

pytestmark = pytest.mark.django_db

LIST = "failedevent"


def act(action: str, *rows: FailedEvent, permission: str = "change_failedevent") -> Any:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return staff(permission).post(url(LIST), data, follow=True)


def states() -> list[str]:
    return list(FailedEvent.objects.order_by("pk").values_list("state", flat=True))


def test_the_list_says_what_failed_and_why() -> None:
    known = stored(reason="ReceiversFailed < KeyError", attempts=3)
    nameless = stored(event_id="", event_type="", event_time=None, position="2:81", payload=None)
    page = text(staff("view_failedevent").get(url(LIST)))
    for shown in (known.event_id, known.event_type, "ReceiversFailed < KeyError", "failed", nameless.position):
        assert shown in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state__exact": "failed"}, 1),
        ({"state__exact": "dismissed"}, 1),
        ({"q": "KeyError"}, 1),
        ({"bus": "redis"}, 0),
    ],
)
def test_rows_are_found(query: dict[str, str], found: int) -> None:
    stored(reason="KeyError")
    stored(state=DISMISSED)
    page = staff("view_failedevent").get(url(LIST), query)
    assert page.context["cl"].result_count == found


@pytest.mark.parametrize(("permission", "sees_content"), [("view_failedevent", False), ("change_failedevent", True)])
def test_what_an_event_says_is_for_who_may_do_something_about_it(permission: str, sees_content: bool) -> None:
    failed = stored()
    response = staff(permission).get(url(LIST, "change", failed.pk))
    page = text(response)
    assert failed.event_id in page
    assert failed.reason.split(" <")[0] in page
    for personal in ("new@example.org", "ValueError: Nia New"):
        assert (personal in page) is sees_content
    assert 'name="_save"' not in response.content.decode()


def test_a_value_that_could_not_be_read_is_shown_as_it_is() -> None:
    failed = stored(payload=None, raw=b"<script>\xff" + b"x" * 3000)
    page = staff("change_failedevent").get(url(LIST, "change", failed.pk)).content.decode()
    assert "The content could not be read." in page
    assert "&lt;script&gt;\\xff" in page
    assert "x" * 2100 not in page


def test_processing_again_awards_and_says_what_became_of_each() -> None:
    requires_course(make_template())
    good = stored(user_data(make_user(username="ann")))
    unread = stored(payload=None, metadata={"ce_id": "no type"})
    page = text(act("process_again", good, unread))
    assert "1 event was processed." in page
    assert "0 headers ce_type" in page
    assert BadgeAward.objects.get().user.username == "ann"
    assert states() == [PROCESSED, FAILED]
    assert LogEntry.objects.get().object_id == str(good.pk)


def test_dismissing_is_for_what_nobody_decided_about() -> None:
    rows = [stored(), stored(state=PROCESSED), stored(state=DISMISSED)]
    assert "1 event was dismissed." in text(act("dismiss", *rows))
    assert states() == [DISMISSED, PROCESSED, DISMISSED]


@pytest.mark.parametrize("action", ["process_again", "dismiss", "delete_selected"])
def test_who_may_only_look_changes_nothing(action: str) -> None:
    failed = stored()
    act(action, failed, permission="view_failedevent")
    assert states() == [FAILED]


@pytest.mark.parametrize("page", ["add", "delete"])
def test_rows_are_neither_made_nor_deleted_by_hand(page: str) -> None:
    arguments = [stored().pk] if page == "delete" else []
    assert staff(superuser=True).get(url(LIST, page, *arguments)).status_code == 403


def test_without_permission_there_is_nothing() -> None:
    assert staff().get(url(LIST)).status_code == 403
