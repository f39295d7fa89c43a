"""Who is the learner that an event names?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from badges_plugin import api
from badges_plugin.api import Outcome
from badges_plugin.exceptions import IgnoredEvent
from badges_plugin.host import UserCredential
from badges_plugin.models import BadgeAward
from badges_plugin.retirement import is_retired, retired_users
from tests.core.conftest import Heard
from tests.factories import (
    COURSE,
    EPOCH,
    PASSING,
    at,
    make_template,
    make_user,
    metadata,
    passing_data,
    penalizes_failing,
    requires_course,
    send_passing,
    user_data,
)

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture(autouse=True)
def _template() -> None:
    template = make_template()
    penalizes_failing(template, requires_course(template))


def awarded_to() -> Any:
    return BadgeAward.objects.get().user


def test_an_unknown_learner_is_created() -> None:
    send_passing(user_data(name="Nía Ñew 新"))
    user = User.objects.get(username="newcomer")
    assert (user.lms_user_id, user.email, user.full_name, user.is_active) == (77, "new@example.org", "Nía Ñew 新", True)
    assert not user.has_usable_password()
    assert awarded_to() == user


def test_an_unknown_learner_is_created_by_a_penalty_as_well() -> None:
    send_passing(user_data(), is_passing=False)
    assert User.objects.filter(lms_user_id=77).exists()
    assert not UserCredential.objects.exists()


def test_the_lms_user_id_comes_before_the_user_name() -> None:
    renamed = make_user(username="old-name", lms_user_id=77)
    make_user(username="newcomer", lms_user_id=None)
    send_passing(user_data())
    assert awarded_to() == renamed
    # Renaming is the host's own affair: it renames what it keeps by user name at the same time.
    renamed.refresh_from_db()
    assert renamed.username == "old-name"


def test_a_user_without_an_lms_user_id_is_found_by_name_and_gets_it() -> None:
    user = make_user(username="newcomer", lms_user_id=None)
    send_passing(user_data())
    user.refresh_from_db()
    assert awarded_to() == user
    assert user.lms_user_id == 77


def test_a_user_name_that_belongs_to_another_lms_user_is_not_awarded() -> None:
    make_user(username="newcomer", lms_user_id=5)
    with pytest.raises(IgnoredEvent, match="LMS user 77 belongs to another"):
        send_passing(user_data())
    assert not UserCredential.objects.exists()


def test_an_unknown_learner_without_a_user_name_is_not_created() -> None:
    with pytest.raises(IgnoredEvent, match="LMS user 77 is not known here"):
        send_passing(user_data(username=""))


def test_an_event_without_a_user_name_finds_a_known_learner() -> None:
    user = make_user(lms_user_id=77)
    send_passing(user_data(username=""))
    assert awarded_to() == user


def test_an_event_without_an_lms_user_id_finds_a_learner_by_name() -> None:
    user = make_user(username="newcomer")
    send_passing(user_data(id=None))
    assert awarded_to() == user


def test_of_several_users_with_one_lms_user_id_the_one_of_that_name_is_meant() -> None:
    make_user(lms_user_id=77)
    user = make_user(username="newcomer", lms_user_id=77)
    send_passing(user_data())
    assert awarded_to() == user


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([(1, "New Name")], "New Name"),
        ([(1, "First"), (2, "Second")], "Second"),
        # What arrives late is older news.
        ([(2, "Second"), (1, "First")], "Second"),
        ([(1, "First"), (3, "First"), (2, "Second")], "First"),
        # Says nothing.
        ([(1, "First"), (2, "")], "First"),
        # Older than the last log-in, at which the host took the name over.
        ([(-60 * 24 * 60, "Long Ago")], "Lea Learner"),
    ],
)
def test_the_profile_is_as_of_the_newest_event(events: list[tuple[float, str]], expected: str) -> None:
    user = make_user(lms_user_id=77, username="newcomer")
    for minute, name in events:
        send_passing(user_data(name=name), minute=minute)
    user.refresh_from_db()
    assert user.full_name == expected


def test_an_older_event_fills_in_what_is_empty() -> None:
    user = make_user(
        lms_user_id=77, username="newcomer", email="", full_name=None, last_login=EPOCH + timedelta(days=1)
    )
    send_passing(user_data())
    user.refresh_from_db()
    assert (user.email, user.full_name) == ("new@example.org", "Nia New")


RETIRED_IN_THE_LMS = {"username": "retired__user_1", "email": "retired__user_1@retired.invalid", "name": ""}
LAST_SAID = {
    # what the event says of the learner: as before, as the LMS says once it retired them, or days before that
    "before": {},
    "after": RETIRED_IN_THE_LMS,
    "about to be": {"email": "retired__user_1@retired.invalid"},
}


@pytest.mark.parametrize("said", LAST_SAID.values(), ids=LAST_SAID.keys())
@pytest.mark.parametrize("here", [{"username": "retired__user_1"}, {"username": "retired__user_1", "full_name": ""}])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("at_once", [True, False])
def test_c2_nothing_is_given_back_to_a_learner_who_was_retired(
    known: bool, at_once: bool, here: dict[str, str], said: dict[str, str]
) -> None:
    """The host replaces the user name and, of late, empties the name; the bus still holds the events."""
    user = make_user(lms_user_id=77, username="newcomer", last_login=None)
    if known:
        send_passing(user_data(), is_passing=False)
    User.objects.filter(pk=user.pk).update(**here, email="")
    before = User.objects.filter(pk=user.pk).values().get()
    if at_once:
        event = api.read_event(
            PASSING,
            metadata(PASSING, time=at(10)),
            {"course_passing_status": passing_data(user_data(**said), COURSE)},
        )
        assert api.process_history([event]).ignored == ("its learner was retired",)
    else:
        with pytest.raises(IgnoredEvent, match="retired"):
            send_passing(user_data(**said), minute=10)
    assert not BadgeAward.objects.exists()
    assert User.objects.filter(pk=user.pk).values().get() == before


@pytest.mark.parametrize("said", [RETIRED_IN_THE_LMS, {"email": "X@Retired.INVALID"}])
def test_c2_a_learner_who_was_retired_is_not_created(said: dict[str, str]) -> None:
    with pytest.raises(IgnoredEvent, match="retired"):
        send_passing(user_data(**said))
    assert not User.objects.filter(lms_user_id=77).exists()


def test_c2_a_history_that_ends_with_retirement_awards_nothing() -> None:
    """Of somebody who was never here: what they did before must not bring them here now."""
    events = [
        api.read_event(PASSING, metadata(PASSING, time=at(minute)), {"course_passing_status": said})
        for minute, said in enumerate(
            [passing_data(user_data()), passing_data(user_data(**RETIRED_IN_THE_LMS), "course-v1:Of+No+Interest")]
        )
    ]
    assert api.process_history(events).ignored == ("its learner was retired",)
    assert not User.objects.filter(lms_user_id=77).exists()


@pytest.mark.parametrize(
    ("minute", "email", "name"),
    [
        # News of the same person: the LMS has renamed them, the service has not heard of it.
        (10, "new@example.org", "Nia New"),
        # Of the time before the name that they have here.
        (-10, "old@example.org", ""),
    ],
)
def test_c7_who_was_renamed_in_the_lms_alone_gets_the_new_address(minute: float, email: str, name: str) -> None:
    user = make_user(lms_user_id=77, username="here", email="old@example.org", full_name="Old", last_login=None)
    send_passing(user_data(user), is_passing=False)
    User.objects.filter(pk=user.pk).update(full_name="")
    send_passing(user_data(username="there"), minute=minute)
    user.refresh_from_db()
    assert (user.username, user.email, user.full_name) == ("here", email, name)
    assert awarded_to() == user if minute > 0 else not BadgeAward.objects.exists()


@pytest.mark.parametrize(
    ("username", "email", "expected"),
    [
        ("retired__user_0a1b", "ada@example.org", True),
        ("Retired__User_0A1B", "", True),
        ("ada", "retired__user_0a1b@retired.invalid", True),
        ("ada", "x@somewhere.INVALID. ", True),
        ("ada", "x@invalid", True),
        ("ada", "ada@example.org", False),
        ("ada_retired__user_1", "", False),
        ("retired", "retired@example.org", False),
        ("ada", "ada@notinvalid", False),
        ("ada", "invalid", False),
        ("", "", False),
    ],
)
def test_c1_who_was_retired(username: str, email: str, expected: bool) -> None:
    assert is_retired(username, email) is expected
    user = make_user(username=username, email=email.strip().rstrip("."))
    assert User.objects.filter(retired_users(), pk=user.pk).exists() is expected


def test_c1_who_was_retired_is_as_the_lms_is_configured(settings: Any) -> None:
    settings.BADGES_CONFIG = {"retirement": {"username_prefix": "gone-", "email_domain": "gone.example.org"}}
    assert is_retired("gone-1", "")
    assert is_retired("ada", "x@gone.example.org")
    assert is_retired("ada", "x@retired.invalid")
    assert not is_retired("retired__user_1", "ada@example.org")


def test_an_empty_email_address_is_no_obstacle_to_an_award() -> None:
    assert send_passing(user_data(email="", name="")) is Outcome.APPLIED
    assert awarded_to().email == ""


def test_what_is_announced_names_the_learner_as_the_newest_event_does(
    heard: Heard, django_capture_on_commit_callbacks: Any
) -> None:
    make_user(lms_user_id=77, username="newcomer", full_name="Old Name")
    with django_capture_on_commit_callbacks(execute=True):
        send_passing(user_data(name="New Name"))
    ((_, badge),) = heard.public
    assert badge.user.pii.name == "New Name"


def test_a_user_name_is_kept_as_the_lms_spells_it() -> None:
    ligature = "\ufb01ona"
    send_passing(user_data(id=None, username=ligature))
    send_passing(user_data(id=None, username=ligature), minute=1)
    assert awarded_to().username == ligature
    assert UserCredential.objects.get().username == ligature


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("said", "email", "name"),
    [
        ({"email": "x" * 250 + "@example.org"}, "", "Nia New"),
        ({"name": "N" * 300}, "new@example.org", "N" * 255),
        ({"name": "Ni\0a"}, "new@example.org", "Nia"),
    ],
)
def test_a_profile_that_does_not_fit_is_no_obstacle_to_an_award(
    known: bool, said: dict[str, str], email: str, name: str
) -> None:
    if known:
        make_user(lms_user_id=77, username="newcomer", email="", full_name="")
    send_passing(user_data(**said))
    assert (awarded_to().email, awarded_to().full_name) == (email, name)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"username": "u" * 151}, "is not known here"),
        ({"id": 2**31, "username": ""}, "neither an LMS user id nor a user name"),
    ],
)
def test_somebody_who_cannot_be_kept_is_ignored(said: dict[str, Any], reason: str) -> None:
    with pytest.raises(IgnoredEvent, match=reason):
        send_passing(user_data(**said))


@pytest.mark.mysql
def test_accents_tell_learners_apart_where_the_database_does_not() -> None:
    jose = make_user(username="jose", lms_user_id=None)
    with pytest.raises(IgnoredEvent, match="belongs to another"):
        send_passing(user_data(username="jos\u00e9"))
    jose.refresh_from_db()
    assert jose.lms_user_id is None
