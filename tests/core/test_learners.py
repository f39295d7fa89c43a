"""Who is the learner that an event names?"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction

from badges_plugin import api
from badges_plugin.api import Outcome
from badges_plugin.exceptions import IgnoredEvent, LearnerAppeared
from badges_plugin.host import AWARDED, UserCredential
from badges_plugin.models import BadgeAward, Learner
from badges_plugin.processing import learners, locking
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


COURSE_2 = "course-v1:Demo+Second+1"


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        # Nobody is known yet: the oldest, and not the one of the event's name.
        ((), "first-name"),
        (("newcomer",), "newcomer"),
        (("third-name",), "third-name"),
        # Made two of one learner by something else, before: always the same one, the older.
        (("newcomer", "third-name"), "newcomer"),
    ],
)
@pytest.mark.parametrize("said", [{}, {"id": None}, {"username": "third-name"}, {"username": "unheard-of"}])
def test_b1_of_several_users_of_one_id_it_is_whom_badges_know_then_the_oldest(
    known: tuple[str, ...], expected: str, said: dict[str, Any]
) -> None:
    for name in ("first-name", "newcomer", "third-name"):
        user = make_user(username=name, lms_user_id=77)
        if name in known:
            Learner.objects.create(user=user, profile_time=at(-1))
    send_passing(user_data(**said))
    assert awarded_to().username == expected


def test_b1_one_learner_under_two_names_is_one_user(django_capture_on_commit_callbacks: Any, heard: Heard) -> None:
    template = make_template()
    requires_course(template)
    requires_course(template, COURSE_2)
    # As the built-in app does for each event: a user for the name that the event tells.
    make_user(username="old-name", lms_user_id=77)
    with django_capture_on_commit_callbacks(execute=True):
        send_passing(user_data(username="old-name"))
        make_user(username="new-name", lms_user_id=77)
        send_passing(user_data(username="new-name"), COURSE_2, minute=1)
    assert BadgeAward.objects.get(progress__template=template).user.username == "old-name"
    assert Learner.objects.count() == 1


@pytest.mark.parametrize("again", ["event", "history"])
def test_b1_the_same_event_after_a_renaming_by_the_host_awards_nothing_again(
    django_capture_on_commit_callbacks: Any, heard: Heard, again: str
) -> None:
    event_id = uuid.uuid1()
    with django_capture_on_commit_callbacks(execute=True):
        send_passing(user_data(), event_id=event_id)
        # What the host's replacement of user names does, and then the built-in app at the same event again.
        User.objects.filter(username="newcomer").update(username="renamed-by-the-host", full_name="", email="")
        UserCredential.objects.filter(username="newcomer").update(username="renamed-by-the-host")
        make_user(username="newcomer", lms_user_id=77)
        if again == "event":
            assert send_passing(user_data(), event_id=event_id) is Outcome.REPEATED
        else:
            event = api.read_event(
                PASSING, metadata(event_id=event_id), {"course_passing_status": passing_data(user_data())}
            )
            assert api.process_history([event]).is_repeated
    assert awarded_to().username == "renamed-by-the-host"
    assert heard.announcements == ["awarded"]


def test_b1_users_whose_lms_user_id_is_0_are_not_one_learner() -> None:
    """The built-in app writes down what an event says, and 0 is how some say that they do not know."""
    for name in ("ada", "newcomer"):
        make_user(username=name, lms_user_id=0)
    send_passing(user_data(id=None))
    assert awarded_to().username == "newcomer"
    send_passing(user_data(id=None, username="ada"), minute=1)
    assert sorted(award.user.username for award in BadgeAward.objects.all()) == ["ada", "newcomer"]


def test_b1_a_user_whose_lms_user_id_is_0_gets_it_from_an_event() -> None:
    user = make_user(username="newcomer", lms_user_id=0)
    send_passing(user_data())
    user.refresh_from_db()
    assert (awarded_to(), user.lms_user_id) == (user, 77)


def test_b1_a_credential_stays_with_its_learner_when_the_name_goes_to_somebody_else() -> None:
    """Staff rename a user on the user's page, which leaves the host's credentials under the old name."""
    first = make_user(username="newcomer", lms_user_id=5)
    send_passing(user_data(first))
    User.objects.filter(pk=first.pk).update(username="married-name")
    send_passing(user_data())
    mine, theirs = BadgeAward.objects.order_by("pk")
    assert (mine.credential.username, theirs.credential.username) == ("married-name", "newcomer")
    api.revoke_award(theirs, reason="A mistake.")
    mine.credential.refresh_from_db()
    assert mine.credential.status == AWARDED


def test_b4_a_name_without_an_id_and_a_new_user_do_not_both_get_the_id() -> None:
    """Two consumers: while one waits for the other, a user of the learner is made under another name."""
    by_name = make_user(username="newcomer", lms_user_id=None)
    learner = api.read_event(PASSING, metadata(), {"course_passing_status": passing_data(user_data())})
    found = learners.find(learner.learner)
    assert found is not None
    assert found.pk == by_name.pk
    meanwhile = make_user(username="other-name", lms_user_id=77)
    (held,) = locking.hold([locking.Wanted(learner, found)])
    assert isinstance(held, locking.LockedLearner)
    assert held.user == meanwhile
    assert list(User.objects.filter(lms_user_id=77)) == [meanwhile]


def test_a_name_that_somebody_takes_meanwhile_is_looked_up_again() -> None:
    """The names of several new learners are not looked up twice: to make a user of a name that was taken fails."""
    people = [user_data(), user_data(id=78, username="another")]
    wanted = [
        locking.Wanted(api.read_event(PASSING, metadata(), {"course_passing_status": passing_data(who)}), None)
        for who in people
    ]
    meanwhile = make_user(username="newcomer", lms_user_id=None)
    with pytest.raises(LearnerAppeared), transaction.atomic():
        locking.hold(wanted)
    (held,) = locking.hold(wanted[:1])
    assert isinstance(held, locking.LockedLearner)
    assert held.user == meanwhile
    assert list(User.objects.filter(lms_user_id=77)) == [meanwhile]
    assert not User.objects.filter(username="another").exists()


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


def test_what_is_published_names_the_learner_as_the_newest_event_does(
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
