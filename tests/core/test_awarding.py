"""When a badge is awarded and when it is revoked: the semantics of groups, penalties and re-awards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType

from badges_plugin import api
from badges_plugin.api import Outcome
from badges_plugin.host import AWARDED, REVOKED, UserCredential
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeRequirement, BadgeTemplate, Fulfillment
from badges_plugin.signals import badge_awarded
from tests.core.conftest import Heard
from tests.factories import (
    CCX_PASSING,
    COURSE,
    ENROLLMENT,
    PASSING,
    at,
    ccx_data,
    enrollment_data,
    make_template,
    make_user,
    metadata,
    passing_data,
    penalizes,
    penalizes_failing,
    requires,
    requires_course,
    send_passing,
    user_data,
)

pytestmark = pytest.mark.django_db
OTHER = "course-v1:Demo+Other+1"


def badge_of(user: Any, template: BadgeTemplate) -> UserCredential | None:
    return UserCredential.objects.filter(username=user.username, credential_id=template.pk).first()


def test_one_requirement_awards_at_the_first_event(heard: Heard, commit: Callable[[], Any]) -> None:
    template, user = make_template(), make_user()
    requires_course(template)
    with commit():
        assert send_passing(user) is Outcome.APPLIED
    credential = badge_of(user, template)
    assert credential is not None
    assert credential.status == AWARDED
    assert credential.credential == template
    assert credential.credential_content_type == ContentType.objects.get_for_model(BadgeTemplate)
    award = BadgeAward.objects.get()
    assert (award.number, award.credential, award.revoked_at, award.user) == (1, credential, None, user)
    assert heard.awarded == [award]
    ((kind, badge),) = heard.public
    assert kind == "awarded"
    assert badge.uuid == str(credential.uuid)
    assert (badge.user.id, badge.user.pii.username) == (user.lms_user_id, user.username)
    assert (badge.template.uuid, badge.template.origin) == (str(template.uuid), "openedx")
    assert (badge.template.name, badge.template.image_url) == (template.name, template.icon)


def test_an_award_names_the_events_that_made_it() -> None:
    template, user = make_template(), make_user()
    requires_course(template)
    requires_course(template, OTHER)
    send_passing(user, OTHER, minute=2)
    send_passing(user, minute=1)
    award = BadgeAward.objects.get()
    stored = {str(row.event_id): row for row in Fulfillment.objects.all()}
    assert [event["time"] for event in award.events] == [at(1).isoformat(), at(2).isoformat()]
    assert {event["id"] for event in award.events} == set(stored)


def test_two_and_groups_with_one_fulfilled_award_nothing(heard: Heard, commit: Callable[[], Any]) -> None:
    template, user = make_template(), make_user()
    requires_course(template, group="A")
    requires_course(template, OTHER, group="B")
    with commit():
        send_passing(user)
    assert badge_of(user, template) is None
    assert (heard.awarded, heard.public) == ([], [])
    with commit():
        send_passing(user, OTHER, minute=1)
    assert badge_of(user, template) is not None
    assert heard.announcements == ["awarded"]


@pytest.mark.long
def test_249_of_250_groups_award_nothing(heard: Heard) -> None:
    template, user = make_template(), make_user()
    courses = [f"course-v1:Demo+C{n}+1" for n in range(250)]
    for n, course in enumerate(courses):
        requires_course(template, course, group=f"group {n}")
    described = user_data(user)
    api.process_history(
        api.read_event(PASSING, metadata(), {"course_passing_status": passing_data(described, course)})
        for course in courses[:-1]
    )
    assert Fulfillment.objects.filter(is_fulfilled=True).count() == 249
    assert heard.awarded == []
    send_passing(user, courses[-1])
    assert len(heard.awarded) == 1


def test_one_of_an_or_group_is_enough(heard: Heard) -> None:
    template, user = make_template(), make_user()
    requires_course(template, group="either")
    requires_course(template, OTHER, group="either")
    send_passing(user, OTHER)
    send_passing(user, minute=1)
    assert len(heard.awarded) == 1


def test_an_or_group_that_is_still_satisfied_keeps_the_badge(heard: Heard, commit: Callable[[], Any]) -> None:
    template, user = make_template(), make_user()
    first = requires_course(template, group="either")
    second = requires_course(template, OTHER, group="either")
    penalizes_failing(template, first)
    penalizes_failing(template, second, OTHER)
    with commit():
        send_passing(user)
        send_passing(user, OTHER)
        send_passing(user, is_passing=False, minute=1)
    credential = badge_of(user, template)
    assert credential is not None
    assert credential.status == AWARDED
    assert heard.announcements == ["awarded"]
    with commit():
        send_passing(user, OTHER, is_passing=False, minute=1)
    credential.refresh_from_db()
    assert credential.status == REVOKED
    assert heard.announcements == ["awarded", "revoked"]


def test_a_penalty_on_a_never_awarded_learner_leaves_no_credential_and_emits_no_event(
    heard: Heard, commit: Callable[[], Any]
) -> None:
    template, user = make_template(), make_user()
    first = requires_course(template)
    requires_course(template, OTHER)
    penalizes_failing(template, first)
    with commit():
        send_passing(user, is_passing=False)
        send_passing(user, minute=1)
        send_passing(user, is_passing=False, minute=2)
    assert not UserCredential.objects.exists()
    assert not BadgeAward.objects.exists()
    assert (heard.revoked, heard.public) == ([], [])


def test_an_enrolment_event_awards_the_learner_not_the_staff_member_who_enrolled_them(heard: Heard) -> None:
    template, learner, staff = make_template(), make_user(), make_user()
    requires(template, ("course.course_key", "eq", COURSE), event_type=ENROLLMENT)
    enrollment = enrollment_data(user_data(learner), created_by=user_data(staff))
    api.handle_event(ENROLLMENT, metadata(ENROLLMENT), {"enrollment": enrollment})
    assert badge_of(learner, template) is not None
    assert badge_of(staff, template) is None
    assert [award.user for award in heard.awarded] == [learner]


def test_a_revoked_badge_is_earned_again(heard: Heard, commit: Callable[[], Any]) -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    with commit():
        for minute, is_passing in enumerate([True, False, True, False, True]):
            send_passing(user, is_passing=is_passing, minute=minute)
    credential = badge_of(user, template)
    assert credential is not None
    assert credential.status == AWARDED
    assert [award.number for award in heard.awarded] == [1, 2, 3]
    assert BadgeAward.objects.filter(revoked_at=None).get().number == 3
    assert UserCredential.objects.count() == 1
    assert heard.announcements == ["awarded", "revoked", "awarded", "revoked", "awarded"]


def test_a_template_can_forbid_to_be_earned_again(heard: Heard) -> None:
    template, user = make_template(can_be_reawarded=False), make_user()
    penalizes_failing(template, requires_course(template))
    for minute, is_passing in enumerate([True, False, True]):
        send_passing(user, is_passing=is_passing, minute=minute)
    credential = badge_of(user, template)
    assert credential is not None
    assert credential.status == REVOKED
    assert len(heard.awarded) == 1


def test_passing_again_and_again_awards_once(heard: Heard) -> None:
    template, user = make_template(), make_user()
    requires_course(template)
    for minute in range(5):
        assert send_passing(user, minute=minute) is Outcome.APPLIED
    assert len(heard.awarded) == 1
    assert Fulfillment.objects.get().event_time == at(4)


def test_a_badge_revoked_by_hand_stays_revoked_while_the_learner_goes_on_passing(heard: Heard) -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    send_passing(user)
    award = BadgeAward.objects.get()
    assert api.revoke_award(award, reason="plagiarism") is True
    assert api.revoke_award(award, reason="again") is False
    send_passing(user, minute=1)
    credential = badge_of(user, template)
    assert credential is not None
    assert credential.status == REVOKED
    send_passing(user, is_passing=False, minute=2)
    assert len(heard.revoked) == 1
    send_passing(user, minute=3)
    assert [award.number for award in heard.awarded] == [1, 2]


def test_one_penalty_over_three_requirements_revokes_once(heard: Heard) -> None:
    template, user = make_template(), make_user()
    courses = [f"course-v1:Demo+C{n}+1" for n in range(3)]
    requirements = [requires_course(template, course) for course in courses]
    penalizes(template, requirements, ("is_passing", "eq", "false"))
    for course in courses:
        send_passing(user, course)
    send_passing(user, courses[1], is_passing=False, minute=1)
    assert len(heard.revoked) == 1
    assert not Fulfillment.objects.filter(is_fulfilled=True).exists()


def test_where_an_event_fulfills_and_penalizes_the_penalty_wins(heard: Heard) -> None:
    template, user = make_template(), make_user()
    requirement = requires_course(template)
    penalizes(template, [requirement], ("course.course_key", "eq", COURSE))
    send_passing(user)
    assert Fulfillment.objects.get().is_fulfilled is False
    assert heard.awarded == []


def test_a_requirement_without_rules_is_fulfilled_by_every_event_of_its_type(heard: Heard) -> None:
    template, user = make_template(), make_user()
    requires(template)
    send_passing(user, "course-v1:Any+Course+1", is_passing=False)
    assert len(heard.awarded) == 1


def test_a_penalty_without_rules_never_applies(heard: Heard) -> None:
    template, user = make_template(), make_user()
    penalizes(template, [requires_course(template)])
    send_passing(user)
    send_passing(user, is_passing=False, minute=1)
    assert (len(heard.awarded), len(heard.revoked)) == (1, 0)


@pytest.mark.parametrize(
    ("rule", "ccx", "expected"),
    [
        (("course.ccx_course_key", "eq", "ccx-v1:Demo+Badges+1+ccx@1"), "ccx-v1:Demo+Badges+1+ccx@1", 1),
        (("course.ccx_course_key", "eq", "ccx-v1:Demo+Badges+1+ccx@1"), "ccx-v1:Demo+Badges+1+ccx@2", 0),
        (("course.master_course_key", "eq", COURSE), "ccx-v1:Demo+Badges+1+ccx@2", 1),
        (("course.ccx_course_key", "glob", "ccx-v1:Demo+*"), "ccx-v1:Demo+Badges+1+ccx@3", 1),
        (("course.ccx_course_key", "ne", "ccx-v1:Demo+Badges+1+ccx@1"), "ccx-v1:Demo+Badges+1+ccx@1", 0),
    ],
)
def test_ccx_courses(heard: Heard, rule: tuple[str, str, str], ccx: str, expected: int) -> None:
    template, user = make_template(), make_user()
    requires(template, rule, ("is_passing", "eq", "true"), event_type=CCX_PASSING)
    data = ccx_data(user_data(user), ccx)
    api.handle_event(CCX_PASSING, metadata(CCX_PASSING), {"course_passing_status": data})
    assert len(heard.awarded) == expected


def test_several_templates_are_served_by_one_event(heard: Heard) -> None:
    user = make_user()
    for _ in range(3):
        requires_course(make_template())
    send_passing(user)
    assert len(heard.awarded) == 3
    assert BadgeProgress.objects.filter(user=user).count() == 3


def test_a_receiver_that_fails_undoes_the_award(heard: Heard) -> None:
    template, user = make_template(), make_user()
    requires_course(template)

    def fail(**kwargs: Any) -> None:
        raise RuntimeError("the delivery cannot be written")

    badge_awarded.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            send_passing(user)
    finally:
        badge_awarded.disconnect(fail)
    assert not UserCredential.objects.exists()
    assert not Fulfillment.objects.exists()
    assert send_passing(user) is Outcome.APPLIED
    assert badge_of(user, template) is not None


def test_deactivating_stops_processing_and_learners_keep_what_they_have(heard: Heard) -> None:
    template, user, late = make_template(), make_user(), make_user()
    penalizes_failing(template, requires_course(template))
    send_passing(user)
    api.deactivate_template(template)
    assert send_passing(user, is_passing=False, minute=1) is Outcome.UNMATCHED
    assert send_passing(late) is Outcome.UNMATCHED
    assert (len(heard.awarded), len(heard.revoked)) == (1, 0)
    api.activate_template(template)
    send_passing(late, minute=2)
    assert len(heard.awarded) == 2


def test_a_group_reduced_to_nothing_by_a_deletion_does_not_count_from_the_next_event_on(heard: Heard) -> None:
    template, user = make_template(), make_user()
    requires_course(template, group="A")
    lost = requires_course(template, OTHER, group="B")
    options = {"event_id": metadata().id}
    send_passing(user, **options)
    lost.delete()
    assert heard.awarded == []
    # The very event that was applied before finishes what the change of configuration left open.
    assert send_passing(user, **options) is Outcome.APPLIED
    assert send_passing(user, **options) is Outcome.REPEATED
    assert len(heard.awarded) == 1


def test_a_template_that_lost_its_last_requirement_is_deactivated_and_awards_nothing(heard: Heard) -> None:
    template, user = make_template(), make_user()
    penalizes(template, [requires_course(template)], ("is_passing", "eq", "false"))
    BadgeRequirement.objects.filter(template=template).delete()
    template.refresh_from_db()
    assert template.is_active is False
    BadgeTemplate.objects.filter(pk=template.pk).update(is_active=True)
    send_passing(user)
    send_passing(user, is_passing=False, minute=1)
    assert heard.awarded == []


def test_a_new_requirement_takes_no_badge_away(heard: Heard) -> None:
    template, user = make_template(), make_user()
    requires_course(template)
    send_passing(user)
    requires_course(template, OTHER)
    send_passing(user, minute=1)
    assert heard.revoked == []


def test_renaming_and_retirement_reach_the_progress(heard: Heard) -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    send_passing(user)
    # What the host's user name replacement does.
    UserCredential.objects.filter(username=user.username).update(username="renamed")
    get_user_model().objects.filter(pk=user.pk).update(username="renamed")
    user.refresh_from_db()
    send_passing(user, is_passing=False, minute=1)
    send_passing(user, minute=2)
    assert UserCredential.objects.get().username == "renamed"
    assert UserCredential.objects.get().status == AWARDED
    user.delete()
    assert not BadgeProgress.objects.exists()
    assert not BadgeAward.objects.exists()


def test_a_group_that_is_still_satisfied_keeps_the_badge_whatever_else_is_asked_for_by_now(heard: Heard) -> None:
    template, user = make_template(), make_user()
    requires_course(template, group="either")
    second = requires_course(template, OTHER, group="either")
    penalizes_failing(template, second, OTHER)
    send_passing(user)
    send_passing(user, OTHER)
    requires_course(template, "course-v1:Demo+New+1")
    send_passing(user, OTHER, is_passing=False, minute=1)
    assert heard.revoked == []


def test_a_badge_lost_by_a_penalty_comes_back_when_what_was_lost_is_not_asked_for_any_more(heard: Heard) -> None:
    template, user = make_template(), make_user()
    requires_course(template)
    lost = requires_course(template, OTHER)
    penalizes_failing(template, lost, OTHER)
    send_passing(user)
    send_passing(user, OTHER)
    send_passing(user, OTHER, is_passing=False, minute=1)
    lost.delete()
    send_passing(user, minute=2)
    assert [award.number for award in heard.awarded] == [1, 2]
    assert [award.ended_by for award in heard.revoked] == ["penalty"]


def test_a_penalty_whose_requirements_were_all_deleted_creates_no_learner() -> None:
    template = make_template()
    requires_course(template)
    emptied = requires_course(template, OTHER)
    penalizes_failing(template, emptied, OTHER)
    emptied.delete()
    assert send_passing(user_data(), OTHER, is_passing=False) is Outcome.UNMATCHED
    assert not get_user_model().objects.filter(lms_user_id=77).exists()


def test_a_long_reason_is_cut(heard: Heard) -> None:
    requires_course(make_template())
    send_passing(make_user())
    api.revoke_award(heard.awarded[0], reason="because " * 100)
    assert len(BadgeAward.objects.get().revocation_reason) == 255
