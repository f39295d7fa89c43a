"""Progress and badges of the built-in app become ours: nothing twice, nothing sent, what is odd is told."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType

from badges_plugin.adoption import learners
from badges_plugin.adoption.report import Kind
from badges_plugin.data import is_adopted
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleBadge
from badges_plugin.distribution.credly.models import CredlyBadge, CredlyBadgeTemplate
from badges_plugin.distribution.models import Delivery
from badges_plugin.host import UserCredential
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, Fulfillment, Learner
from tests.adoption.world import Builtin, found, moment, run
from tests.core.conftest import Commit, Heard, commit
from tests.factories import COURSE, make_user, send_passing

__all__ = ["commit"]

OTHER = "course-v1:Demo+Other+1"


@pytest.fixture
def theirs(builtin: Builtin) -> Any:
    """A template of Credly: pass both courses."""
    template = builtin.credly()
    template.both = [builtin.requirement(template), builtin.requirement(template, OTHER, group="B")]
    builtin.penalty(template, template.both)
    return template


def deliveries() -> list[tuple[str, str, bool, str]]:
    return list(Delivery.objects.order_by("pk").values_list("action", "state", "in_doubt", "external_id"))


def test_a_badge_is_the_same_row_and_nobody_hears_of_it(
    builtin: Builtin, theirs: Any, heard: Heard, commit: Commit
) -> None:
    ada, external = make_user(), uuid.uuid4()
    builtin.progress(theirs, ada.username, *theirs.both)
    badge = builtin.badge(theirs, ada.username, "awarded", "accepted", external)
    with commit():
        report = run()
    ours, award = CredlyBadgeTemplate.objects.get(), BadgeAward.objects.get()
    credential = UserCredential.objects.get()
    assert (credential.pk, credential.uuid, credential.username) == (badge.pk, badge.uuid, ada.username)
    assert credential.credential == BadgeTemplate.objects.get(pk=ours.pk)
    assert credential.modified == moment(6)
    assert (award.credential_id, award.user, award.number) == (badge.pk, ada, 1)
    assert (award.awarded_at, award.recorded_at, award.revoked_at) == (moment(5), moment(5), None)
    assert (award.events, award.publish_due_at) == ([], None)
    own = CredlyBadge.objects.get(pk=badge.pk)
    assert (own.external_id, own.state, own.issued_at) == (external, "accepted", moment(5))
    assert deliveries() == [("issue", "done", False, str(external))]
    assert not builtin.models.CredlyBadge.objects.exists()
    rows = list(Fulfillment.objects.order_by("requirement"))
    assert [(row.is_fulfilled, row.event_time, is_adopted(row.event_id)) for row in rows] == [
        (True, moment(6), True)
    ] * 2
    assert (found(report), heard.public, heard.awarded) == ({}, [], [])
    # What comes again changes nothing; what is lost and earned again does.
    with commit():
        send_passing(ada, minute=10)
    assert (heard.public, deliveries()) == ([], [("issue", "done", False, str(external))])
    with commit():
        send_passing(ada, is_passing=False, minute=11)
    assert heard.announcements == ["revoked"]
    assert deliveries()[1] == ("revoke", "pending", False, "")


def all_credentials() -> list[Any]:
    names = [field.attname for field in UserCredential._meta.concrete_fields]
    return list(UserCredential.objects.order_by("pk").values_list(*names))


STATES = [
    # status, state, has an id; our state, ended; deliveries; what is told
    ("awarded", "created", False, "created", False, [("issue", "failed", True)], "LOST"),
    ("awarded", "error", False, "created", False, [("issue", "failed", True)], "LOST"),
    ("awarded", "error", True, "created", False, [("issue", "failed", True)], "LOST"),
    ("awarded", "rejected", True, "rejected", False, [("issue", "done", False)], None),
    ("revoked", "revoked", True, "revoked", True, [("issue", "done", False), ("revoke", "done", False)], None),
    (
        "revoked", "error", True, "unknown", True,
        [("issue", "done", False), ("revoke", "failed", True)], "REVOCATION_LOST",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("status", "state", "known", "own_state", "ended", "queued", "topic"), STATES)
def test_each_state_of_a_badge(
    builtin: Builtin,
    theirs: Any,
    heard: Heard,
    status: str,
    state: str,
    known: bool,
    own_state: str,
    ended: bool,
    queued: list[Any],
    topic: str | None,
) -> None:
    ada, external = make_user(), uuid.uuid4() if known else None
    if not ended:
        builtin.progress(theirs, ada.username, *theirs.both)
    badge = builtin.badge(theirs, ada.username, status, state, external)
    report = run()
    award, own = BadgeAward.objects.get(), CredlyBadge.objects.get()
    assert own.state == own_state
    assert own.external_id == (None if topic == "LOST" else external)
    assert [row[:3] for row in deliveries()] == queued
    assert (award.revoked_at, award.ended_by) == ((moment(6), "penalty") if ended else (None, ""))
    assert UserCredential.objects.get(pk=badge.pk).status == status
    assert set(found(report)) == ({topic} if topic else set())
    assert Delivery.objects.exclude(state__in=("done", "failed")).count() == 0
    assert run().total(Kind.BADGES) == 0
    assert BadgeAward.objects.count() == 1


@pytest.mark.parametrize(
    ("status", "state", "external", "own_state", "queued"),
    [
        ("awarded", "accepted", 77, "published", ["done"]),
        ("awarded", "error", None, "created", ["failed"]),
        ("revoked", "expired", 77, "expired", ["done", "done"]),
        ("revoked", "accepted", 77, "published", ["done", "failed"]),
    ],
)
def test_each_state_of_a_badge_at_accredible(
    builtin: Builtin, status: str, state: str, external: int | None, own_state: str, queued: list[str]
) -> None:
    theirs, ada = builtin.accredible(), make_user()
    builtin.requirement(theirs)
    builtin.badge(theirs, ada.username, status, state, external)
    run()
    own = AccredibleBadge.objects.get()
    assert (own.state, own.external_id) == (own_state, "" if external is None else str(external))
    assert [row[1] for row in deliveries()] == queued
    (account,) = AccredibleApiConfig.objects.all()
    assert {row.channel.account for row in Delivery.objects.all()} == {str(account.pk)}


def test_events_from_before_a_revocation_that_are_heard_late_award_nothing(builtin: Builtin, theirs: Any) -> None:
    ada = make_user()
    builtin.badge(theirs, ada.username, "revoked", "revoked", uuid.uuid4())
    run()
    send_passing(ada, minute=1)
    send_passing(ada, OTHER, minute=5.5)
    assert BadgeAward.objects.count() == 1
    send_passing(ada, minute=7)
    send_passing(ada, OTHER, minute=8)
    assert [award.revoked_at for award in BadgeAward.objects.order_by("number")] == [moment(6), None]
    run()
    assert BadgeAward.objects.count() == 2


def test_a_badge_that_nobody_had_is_left(builtin: Builtin, theirs: Any) -> None:
    ada = make_user()
    badge = builtin.badge(theirs, ada.username, "revoked", "created")
    assert found(run())["NEVER_AWARDED"]
    assert not BadgeAward.objects.exists()
    assert builtin.models.CredlyBadge.objects.get().pk == badge.pk
    # It is in nobody's way.
    send_passing(ada)
    send_passing(ada, OTHER, minute=1)
    assert BadgeAward.objects.count() == 1


def test_where_badge_and_progress_disagree(builtin: Builtin, theirs: Any) -> None:
    early, regained, without, done = (make_user(username=name) for name in ("early", "regained", "without", "done"))
    builtin.progress(theirs, early.username, theirs.both[0])
    builtin.badge(theirs, early.username, "awarded", "pending", uuid.uuid4())
    builtin.progress(theirs, regained.username, *theirs.both)
    builtin.badge(theirs, regained.username, "revoked", "revoked", uuid.uuid4())
    builtin.progress(theirs, without.username, *theirs.both)
    builtin.progress(theirs, done.username, *theirs.both)
    builtin.badge(theirs, done.username, "awarded", "pending", uuid.uuid4())
    report = run()
    told = {topic: [line.split(", ")[1] for line in lines] for topic, lines in found(report).items()}
    assert told == {"INCOMPLETE": ["early"], "STAYED_REVOKED": ["regained"], "NO_BADGE": ["without"]}
    # The next event puts the two right that earned it.
    for user in (regained, without):
        send_passing(user, minute=30)
    held = BadgeAward.objects.filter(revoked_at=None).order_by("progress__user")
    assert [award.user.username for award in held] == ["early", "regained", "without", "done"]


def test_progress_is_merged_and_joined_by_user_name(builtin: Builtin, theirs: Any, lower: Any) -> None:
    first, second = theirs.both
    ada = make_user(username="ada")
    retired = make_user(username="retired__user_1")
    older = make_user(username="older", lms_user_id=5)
    newer = make_user(username="newer", lms_user_id=5)
    builtin.progress(theirs, "ada", first, first, None)
    builtin.progress(theirs, "ada", second, first)
    builtin.progress(theirs, "ada")
    builtin.progress(theirs, "Ada-as-nobody-is-called", first)
    builtin.progress(theirs, retired.username, first)
    builtin.progress(theirs, newer.username, first)
    builtin.progress(theirs, older.username, second)
    builtin.progress(None, "ada", None)
    for name in (retired.username, "gone"):
        builtin.badge(theirs, name, "awarded", "pending", uuid.uuid4())
    lower(learners, BATCH=2)
    report = run()
    assert sorted(BadgeProgress.objects.values_list("user__username", flat=True)) == ["ada", "older"]
    assert Fulfillment.objects.filter(progress__user=ada).count() == 2
    assert not BadgeAward.objects.exists()
    assert report.counts[Kind.PROGRESS] == {
        "adopted": 2,
        "second record of a learner": 1,
        "with nothing fulfilled": 1,
        "of an unknown learner": 1,
        "of a retired learner": 1,
        "of another user of a learner": 1,
        "of a deleted badge": 1,
    }
    assert report.counts[Kind.FULFILLMENTS] == {
        "adopted": 3,
        "second one of a learner": 2,
        "of a deleted requirement": 1,
        "of an unknown learner": 1,
        "of a retired learner": 1,
        "of another user of a learner": 1,
        "of a deleted badge": 1,
    }
    assert Learner.objects.count() == 2


@pytest.mark.parametrize("known", [False, True])
def test_of_several_users_of_a_learner_badges_go_to_one(
    builtin: Builtin, theirs: Any, heard: Heard, known: bool
) -> None:
    """The built-in app made a user for each name: the oldest has nothing, and the next event must award nothing."""
    oldest, holder = make_user(username="oldest", lms_user_id=5), make_user(username="holder", lms_user_id=5)
    if known:
        Learner.objects.create(user=oldest, profile_time=moment(0))
    builtin.progress(theirs, holder.username, *theirs.both)
    builtin.badge(theirs, holder.username, "awarded", "pending", uuid.uuid4())
    tried, done = run(dry_run=True), run()
    assert found(tried) == found(done)
    assert [award.user for award in BadgeAward.objects.all()] == ([] if known else [holder])
    assert set(found(done)) == ({"OTHER_USER"} if known else set())
    if not known:
        send_passing(oldest, minute=30)
        assert BadgeAward.objects.count() == 1


def test_what_happens_here_meanwhile_wins(builtin: Builtin, theirs: Any) -> None:
    ada = make_user()
    builtin.progress(theirs, ada.username, *theirs.both)
    run()
    send_passing(ada, is_passing=False)
    kept = Fulfillment.objects.filter(is_fulfilled=True).count()
    run()
    assert Fulfillment.objects.filter(is_fulfilled=True).count() == kept


def test_a_learner_who_has_the_badge_here_keeps_that_one(builtin: Builtin, theirs: Any) -> None:
    run()
    ada = make_user()
    send_passing(ada)
    send_passing(ada, OTHER, minute=1)
    own = BadgeAward.objects.get()
    badge = builtin.badge(theirs, ada.username, "awarded", "pending", uuid.uuid4())
    builtin.progress(theirs, ada.username, *theirs.both)
    report = run()
    assert BadgeAward.objects.get() == own
    assert found(report).keys() == {"SECOND"}
    assert UserCredential.objects.get(pk=badge.pk).credential_content_type.app_label == "badges"


def test_a_credential_without_an_award_makes_room(builtin: Builtin, theirs: Any) -> None:
    run()
    ada, ours = make_user(), CredlyBadgeTemplate.objects.get()
    leftover = UserCredential.objects.create(
        username=ada.username,
        credential_content_type=ContentType.objects.get_for_model(BadgeTemplate),
        credential_id=ours.pk,
    )
    badge = builtin.badge(theirs, ada.username, "awarded", "pending", uuid.uuid4())
    run()
    assert BadgeAward.objects.get().credential_id == badge.pk
    leftover.refresh_from_db()
    assert leftover.status == "revoked"


def test_badges_of_deleted_templates_are_told(builtin: Builtin, theirs: Any) -> None:
    badge = builtin.badge(theirs, "ada", "awarded", "pending", uuid.uuid4())
    UserCredential.objects.filter(pk=badge.pk).update(credential_id=123_456)
    assert found(run())["NO_TEMPLATE"] == [f"ada, {badge.external_uuid}"]


def test_a_dry_run_of_learners_tells_the_same_and_changes_nothing(builtin: Builtin, theirs: Any) -> None:
    for number, (status, state, known, *_) in enumerate(STATES):
        user = make_user()
        builtin.progress(theirs, user.username, *theirs.both[: number % 3])
        builtin.badge(theirs, user.username, status, state, uuid.uuid4() if known else None)
    before = all_credentials()
    tried = run(dry_run=True)
    assert all_credentials() == before
    assert not any(model.objects.exists() for model in (BadgeProgress, Delivery, Learner))
    done = run()
    assert (tried.counts, found(tried)) == (done.counts, found(done))


def test_progress_of_rules_that_staff_have_set_up_here_is_adopted_where_they_are_the_same(
    builtin: Builtin, theirs: Any
) -> None:
    ada = make_user()
    bad = builtin.requirement(theirs, rules=[("course.nope", "ne", "x")])
    builtin.progress(theirs, ada.username, theirs.both[0], bad)
    assert run().counts[Kind.FULFILLMENTS] == {"of a requirement that is not copied": 2}
    ours = CredlyBadgeTemplate.objects.get()
    requirement = ours.requirements.create(event_type=theirs.both[0].event_type)
    for path, value in (("course.course_key", COURSE), ("is_passing", "yes")):
        requirement.rules.create(key_path=path, operator="eq", value=value)
    assert run().counts[Kind.FULFILLMENTS] == {"adopted": 1, "of a requirement that is not copied": 1}
    assert Fulfillment.objects.get().requirement == requirement
    assert not ours.is_active


def test_the_number_of_statements_does_not_grow_with_the_learners(
    builtin: Builtin, theirs: Any, django_assert_max_num_queries: Any, lower: Any
) -> None:
    def fill(number: int) -> None:
        for _ in range(number):
            user = make_user()
            builtin.progress(theirs, user.username, *theirs.both)
            builtin.badge(theirs, user.username, "awarded", "pending", uuid.uuid4())

    fill(1)
    run()
    fill(40)
    lower(learners, BATCH=100)
    with django_assert_max_num_queries(95):
        run()
    assert BadgeAward.objects.count() == 41
    assert BadgeAward.objects.filter(awarded_at__lt=moment(5) + timedelta(seconds=1)).count() == 41
