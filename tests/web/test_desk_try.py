"""*Try it*: what an event would do, told in words, and nothing written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badges_plugin import api
from badges_plugin.models import BadgeAward, BadgeTemplate, FailedEvent
from tests.factories import (
    COURSE,
    GRADE,
    PASSING,
    make_template,
    make_user,
    penalizes_failing,
    requires,
    requires_course,
    send_passing,
    staff_who_may,
)  # fmt: skip
from tests.web.pages_world import OTHER_COURSE, as_user, award_of, words

pytestmark = pytest.mark.django_db
MAY_TRY = ("view_badgetemplate", "view_badgeprogress", "view_badgeaward")


@pytest.fixture
def client(site: Any) -> Client:
    return as_user(make_user(username="registrar", is_staff=True, is_superuser=True))


def attempt(client: Client, **given: Any) -> str:
    """Return what the page says, and see to it that nothing is written."""
    with CaptureQueriesContext(connection) as queries:
        response = client.post(reverse("badges_web:desk_try"), {"kind": "pass", "course": COURSE, **given})
    assert response.status_code == 200
    wrote = [each["sql"] for each in queries if each["sql"].startswith(("INSERT", "UPDATE", "DELETE", "REPLACE"))]
    assert not wrote
    return words(response)


def event_text(username: str, **changes: Any) -> str:
    """Return an event as it crosses the bus, to be pasted."""
    pii = {"username": username, "email": "", "name": ""}
    content = {
        "is_passing": True,
        "course": {"course_key": COURSE, "display_name": "", "start": None, "end": None},
        "user": {"id": 4711, "is_active": True, "pii": pii},
    }
    return json.dumps({"type": PASSING, "data": {"course_passing_status": content}, **changes})


def test_an_event_is_tried_for_a_learner(
    client: Client, ada: Any, statistics: BadgeTemplate, reasoning: BadgeTemplate
) -> None:
    page = attempt(client, learner="ada@example.org")
    assert f"Passed {COURSE} · Ada Lovelace" in page
    assert "Statistics The badge would be awarded" in page
    assert "Reasoning It would count, and more is missing Done then: 1 of 2. Now: 0 of 2." in page

    send_passing(ada)
    page = attempt(client, learner="ada-of-the-lms", kind="fail")
    assert "Statistics The badge would be revoked" in page
    assert f"Matches: takes away Lost when the grade in {COURSE} drops below passing" in page
    assert "Reasoning Nothing: the badge does not ask for this" in page
    why = "It asks for a pass, and this is not a pass. is_passing is true. The event says: false"
    assert f"Does not match Pass {COURSE} {why}" in page

    api.revoke_award(award_of(ada, statistics), reason="Copied")
    assert "Statistics Everything would be done, but no badge" in attempt(client, learner="ada-of-the-lms")


def test_of_nobody_it_is_as_of_somebody_new(client: Client, ada: Any, statistics: BadgeTemplate) -> None:
    send_passing(ada)
    page = attempt(client)
    assert "a learner who has done nothing else" in page
    assert "Statistics The badge would be awarded" in page
    assert "Nothing: no active badge asks for this" in attempt(client, course=OTHER_COURSE)
    page = attempt(client, course=OTHER_COURSE, badge=statistics.pk, kind="fail")
    assert "This is another course." in page
    page = attempt(client, badge=statistics.pk)
    assert "It asks for failing, and this is a pass." in page


def test_a_draft_is_tried_before_it_is_active(client: Client, site: Any) -> None:
    draft = make_template(site=site, name="Draft", icon="", is_active=False)
    requires(draft, ("percent_grade", "gte", "0.6"), ("course.course_key", "eq", COURSE), event_type=GRADE)
    penalizes_failing(draft, requires_course(draft, OTHER_COURSE), OTHER_COURSE)
    address = reverse("badges_web:desk_try")
    page = words(client.get(address, {"badge": draft.pk}))
    assert f"The badge names: {COURSE}, {OTHER_COURSE}" in page
    page = attempt(client, badge=draft.pk, kind="grade", grade="54")
    assert "Draft Nothing: the badge does not ask for this" in page
    assert "It needs a grade of 60%, and this is 54%. percent_grade is at least 0.6. The event says: 0.54" in page
    assert "It goes by other events: Course passing status updated." in page
    page = attempt(client, badge=draft.pk, kind="grade", grade="60")
    assert "The badge is not active. This is what would happen if it were." in page
    assert "It would count, and more is missing" in page


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"course": ""}, "Choose a course."),
        ({"course": "Algebra"}, "“Algebra” is not a course key; it looks like course-v1:Org+Course+Run."),
        ({"course": "https://lms.example.org/about"}, "This is the address of a page without a course in it."),
        ({"course": f"https://lms.example.org/courses/{COURSE.replace('+', '%2B')}/about"}, f"Passed {COURSE}"),
        ({"kind": "grade"}, "Give the grade."),
        ({"kind": "grade", "grade": "101"}, "Ensure this value is less than or equal to 100."),
        ({"kind": "grade", "grade": "60.5"}, f"Was graded in {COURSE} (60.5%)"),
        ({"kind": "certificate"}, f"Earned the certificate of {COURSE}"),
        ({"kind": "nonsense"}, "Select a valid choice."),
        ({"badge": "99999"}, "Select a valid choice."),
        ({"badge": "x"}, "Select a valid choice."),
        ({"learner": "nobody"}, "Nobody here has this name or address."),
        ({"learner": "nobody\0"}, "Null characters are not allowed."),
        ({"learner": "twins@example.org"}, "Several learners have this address. Give the user name."),
        ({"at": "yesterday"}, "Enter a valid date/time."),
        ({"at": "2999-01-01T00:00"}, "Its time is in the future. It would be kept, and applied then."),
        ({"kind": "paste", "content": "{"}, "This is not JSON."),
        ({"kind": "paste", "content": "[" * 50_000}, "This is not JSON."),
        ({"kind": "paste", "content": "[1]"}, "An event is a JSON object with “type” and “data”."),
        ({"kind": "paste", "content": '{"type": 1, "data": {}}'}, "An event is a JSON object with “type” and “data”."),
        ({"kind": "paste", "content": '{"type": "x", "data": {"a": 1}}'}, "There is no public event type “x”"),
        ({"kind": "paste", "content": f'{{"type": "{PASSING}", "data": {{"a": 1}}}}'}, "cannot read the content"),
        ({"kind": "paste", "content": event_text("new", id="1")}, "The id of this event is not a UUID."),
        ({"kind": "paste", "content": event_text("new", time="noon")}, "The time of this event cannot be read"),
        ({"kind": "paste", "content": event_text("new")}, "a learner who is new here"),
        (
            {"kind": "paste", "content": event_text("")},
            "The learner is not known here, and the event has no user name.",
        ),
        ({"kind": "paste", "content": event_text("ada-of-the-lms")}, "belongs to another LMS user here"),
        ({"kind": "paste", "content": event_text("x"), "learner": "ada-of-the-lms"}, f"Passed {COURSE} · Ada"),
    ],
)
def test_what_was_given_is_understood_or_refused(
    client: Client, ada: Any, statistics: BadgeTemplate, given: Mapping[str, str], told: str
) -> None:
    for _twin in range(2):
        make_user(email="twins@example.org")
    assert told in attempt(client, **given)


def test_a_retired_learner_gets_nothing(client: Client, ada: Any, statistics: BadgeTemplate) -> None:
    ada.username = "retired__user_0123456789"
    ada.save()
    page = attempt(client, learner=ada.username)
    assert "The learner was erased: nothing is applied for them any more." in page
    assert "Lovelace" not in page


def test_a_failed_event_is_tried_by_those_who_may_read_it(site: Any, ada: Any, statistics: BadgeTemplate) -> None:
    failed = FailedEvent.objects.create(
        fingerprint="1", event_type=PASSING, event_time=timezone.now() - timedelta(days=1),
        payload=json.loads(event_text("ada-of-the-lms"))["data"],
    )  # fmt: skip
    query = {"failed": failed.pk}
    address = reverse("badges_web:desk_try")
    assert "ada-of-the-lms" not in client_page(as_user(staff_who_may(*MAY_TRY)), address, query)
    page = client_page(as_user(staff_who_may(*MAY_TRY, "change_failedevent")), address, query)
    assert "ada-of-the-lms" in page


def client_page(client: Client, address: str, query: Mapping[str, Any]) -> str:
    return str(client.get(address, query).content.decode())


def test_a_learner_and_a_badge_can_come_with_the_address(client: Client, ada: Any, statistics: BadgeTemplate) -> None:
    page = client_page(client, reverse("badges_web:desk_try"), {"learner": "ada-of-the-lms", "badge": statistics.pk})
    assert 'value="ada-of-the-lms"' in page
    assert f'<option value="{statistics.pk}" selected' in page
    assert f'value="{COURSE}"' in page
    assert "Nothing is written" in page
    assert not BadgeAward.objects.exists()


def test_who_may_not_see_learners_tries_it_with_nobody(site: Any, ada: Any, statistics: BadgeTemplate) -> None:
    send_passing(ada)
    designer = as_user(staff_who_may("view_badgetemplate"))
    assert 'name="learner"' not in client_page(designer, reverse("badges_web:desk_try"), {"learner": ada.username})
    text = event_text("ada-of-the-lms").replace("4711", str(ada.lms_user_id))
    for given in ({"learner": ada.username}, {"kind": "paste", "content": text}):
        page = attempt(designer, **given)
        assert "a learner who has done nothing else" in page
        assert "Statistics The badge would be awarded" in page
        assert "Lovelace" not in page
    page = attempt(as_user(staff_who_may(*MAY_TRY)), kind="paste", content=text)
    assert "Statistics Nothing new" in page or "Statistics The learner has the badge and keeps it" in page
