"""Questions that staff must answer: what becomes of what learners did, and whether failing is meant to count."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from badges_plugin import api
from badges_plugin.models import BadgeAward, BadgePenalty, BadgeRequirement, BadgeTemplate
from tests.core.admin_pages import FAILS, PASSES, errors, rules, staff, submit, text, url
from tests.factories import (
    CCX_PASSING,
    COURSE,
    ENROLLMENT,
    PASSING,
    make_template,
    make_user,
    needs_badge,
    penalizes_failing,
    requires,
    requires_course,
    send_passing,
)

pytestmark = pytest.mark.django_db
OTHER, RIGHT = "course-v1:Demo+Other+1", "course-v1:Demo+Right+1"


@pytest.fixture
def client() -> Client:
    return staff(superuser=True)


@pytest.fixture
def requirement() -> BadgeRequirement:
    """Two learners have fulfilled it, one of them has the badge."""
    template = make_template()
    requirement = requires_course(template)
    requires_course(template, OTHER)
    on_the_way, holder = make_user(username="half"), make_user(username="whole")
    send_passing(on_the_way)
    send_passing(holder)
    send_passing(holder, OTHER)
    return requirement


def page_of(requirement: BadgeRequirement) -> str:
    return url("badgerequirement", "change", requirement.pk)


def course_of(requirement: BadgeRequirement) -> str:
    return requirement.rules.get(key_path="course.course_key").value


CHANGES: dict[str, dict[str, Any]] = {
    "value": {"rules-0-value": RIGHT},
    "operator": {"rules-0-operator": "startswith"},
    "deleted rule": {"rules-0-DELETE": "on"},
    "added rule": rules(("course.display_name", "eq", "Logic"), start=2),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_e1_a_change_of_rules_asks_with_the_number_and_saves_nothing_before(
    client: Client, requirement: BadgeRequirement, change: dict[str, Any]
) -> None:
    before = requirement.digest()
    page = submit(client, page_of(requirement), change, description="Typed")
    assert "2 learners have already fulfilled this requirement" in text(page)
    assert "With the badge: 1. Without it so far: 1." in text(page)
    shown = f"Course passing status updated: course.course_key is {COURSE} and is_passing is true"
    assert f"Until now: {shown}" in text(page)
    assert "Nothing is saved yet" in errors(page)
    assert "Please correct the error" not in text(page)  # a question, no mistake
    requirement.refresh_from_db()
    assert (requirement.digest(), requirement.description) == (before, "")
    # The page keeps what was typed, and keeping is chosen beforehand: nobody loses anything.
    again = text(page), page.content.decode()
    assert "Typed" in again[1]
    assert 'value="keep" checked' in again[1]


@pytest.mark.parametrize(("choice", "awarded"), [("keep", True), ("forget", False)])
def test_e1_what_staff_choose_is_done_and_noted(
    client: Client, requirement: BadgeRequirement, choice: str, awarded: bool
) -> None:
    submit(client, page_of(requirement), {"rules-0-value": RIGHT}, earlier_fulfillments=choice)
    assert course_of(requirement) == RIGHT
    assert api.undecided_fulfillments(requirement.template) == {}
    assert BadgeAward.objects.filter(revoked_at=None).count() == 1
    half = BadgeAward.objects.filter(progress__user__username="half")
    send_passing(requirement.template.progresses.get(user__username="half").user, OTHER)
    assert half.exists() is awarded
    notes = " ".join(LogEntry.objects.values_list("change_message", flat=True))
    assert ("Kept what" if awarded else "Forgot what") in notes


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Pass it"},
        {"rules-0-value": f"  {COURSE}\n"},
        {"rules-1-value": "yes"},
        {"rules-0-operator": "in"},
        {"new_group": "A"},
    ],
)
def test_e1_what_means_the_same_raises_no_question(
    client: Client, requirement: BadgeRequirement, change: dict[str, Any]
) -> None:
    page = submit(client, page_of(requirement), change)
    assert "have already fulfilled this requirement" not in text(page)
    assert page.request["PATH_INFO"] == url("badgetemplate", "change", requirement.template_id)


def test_e1_nobody_is_asked_where_nobody_has_done_anything(client: Client) -> None:
    requirement = requires_course(make_template())
    submit(client, page_of(requirement), {"rules-0-value": RIGHT})
    assert course_of(requirement) == RIGHT


def test_the_question_names_the_needed_badges(client: Client, django_capture_on_commit_callbacks: Any) -> None:
    first, second, template = make_template(name="Algebra"), make_template(name="Logic"), make_template()
    requires_course(first)
    requirement = needs_badge(template, first)
    with django_capture_on_commit_callbacks(execute=True):
        send_passing(make_user())
    page = submit(client, page_of(requirement), needs_badge=second.pk)
    assert "Until now: Earn the badge “Algebra” From now on: Earn the badge “Logic”" in text(page)


def test_e1_a_change_of_the_event_asks_even_those_who_may_not_see_rules(requirement: BadgeRequirement) -> None:
    requirement.rules.all().delete()
    api.keep_fulfillments(requirement)
    client = staff("change_badgerequirement", "view_badgetemplate")
    change: dict[str, Any] = {"event_type": CCX_PASSING, "confirm_rules": "on"}
    page = submit(client, page_of(requirement), change)
    assert "2 learners have already fulfilled this requirement" in text(page)
    submit(client, page_of(requirement), change, earlier_fulfillments="forget")
    requirement.refresh_from_db()
    assert requirement.event_type == CCX_PASSING


def test_e1_what_code_has_changed_is_decided_later_on_the_same_page(
    client: Client, requirement: BadgeRequirement
) -> None:
    requirement.rules.filter(key_path="course.course_key").update(value=RIGHT)
    page = client.get(page_of(requirement))
    assert "The rules were changed outside the admin" in text(page)
    assert "checked" not in page.content.decode().split('id="badges-earlier"')[1].split("</fieldset>")[0]
    submit(client, page_of(requirement), description="Not decided yet")
    assert api.undecided_fulfillments(requirement.template)
    submit(client, page_of(requirement), earlier_fulfillments="keep")
    assert not api.undecided_fulfillments(requirement.template)
    assert "changed outside the admin" not in text(client.get(page_of(requirement)))


def test_e1_progress_shows_what_does_not_count(client: Client, requirement: BadgeRequirement) -> None:
    progress = requirement.template.progresses.get(user__username="half")
    address = url("badgeprogress", "change", progress.pk)
    assert "1 of 2" in text(client.get(address))
    requirement.rules.filter(key_path="course.course_key").update(value=RIGHT)
    page = text(client.get(address))
    assert "0 of 2" in page
    assert "under earlier rules" in page


# --- failing learners


@pytest.mark.parametrize(
    ("model", "event_type", "given", "asked"),
    [
        ("badgerequirement", PASSING, [PASSES[0]], True),
        ("badgerequirement", PASSING, [], True),
        ("badgerequirement", PASSING, FAILS, True),
        ("badgerequirement", PASSING, [PASSES[0], ("is_passing", "ne", "true")], True),
        ("badgerequirement", PASSING, PASSES, False),
        ("badgerequirement", PASSING, [PASSES[0], ("is_passing", "ne", "no")], False),
        ("badgerequirement", CCX_PASSING, [("course.ccx_course_key", "eq", "ccx-v1:O+A+1+ccx@7")], True),
        ("badgerequirement", ENROLLMENT, [("mode", "eq", "verified")], False),
        ("badgepenalty", PASSING, [FAILS[0]], True),
        ("badgepenalty", PASSING, PASSES, True),
        ("badgepenalty", PASSING, FAILS, False),
        ("badgepenalty", CCX_PASSING, [("course.ccx_course_key", "eq", "ccx-v1:O+A+1+ccx@7")], True),
    ],
)
def test_e2_rules_that_reward_failing_or_punish_passing_are_confirmed(
    client: Client, settings: Any, model: str, event_type: str, given: Any, asked: bool
) -> None:
    settings.BADGES_CONFIG = {"events": [PASSING, CCX_PASSING, ENROLLMENT]}
    template = make_template(is_active=False)
    linked = requires_course(template)
    manager = BadgeRequirement.objects if model == "badgerequirement" else BadgePenalty.objects
    address = f"{url(model, 'add')}?template={template.pk}"
    filled = {**rules(*given), "event_type": event_type, "requirements": [linked.pk], "description": "New"}
    page = submit(client, address, filled)
    assert manager.filter(description="New").exists() is not asked
    if asked:
        assert ("Failing learners" if model == "badgerequirement" else "learners who pass") in text(page)
        assert "Nothing is saved yet" in errors(page)
        submit(client, address, filled, confirm_rules="on")
        assert manager.filter(description="New").exists()


def test_e2_what_was_confirmed_is_not_asked_again_until_the_rules_change(client: Client) -> None:
    requirement = requires(make_template(is_active=False), PASSES[0])
    submit(client, page_of(requirement), description="Take part")
    requirement.refresh_from_db()
    assert requirement.description == "Take part"
    page = submit(client, page_of(requirement), {"rules-0-value": OTHER})
    assert "Failing learners would also fulfill “Take part”" in text(page)


@pytest.mark.parametrize("way", ["field", "action"])
def test_e2_activation_is_confirmed(client: Client, way: str) -> None:
    template = make_template(is_active=False)
    requires(template, PASSES[0])
    ready = make_template(is_active=False, name="Ready")
    requires_course(ready)
    action = {"action": "activate", "_selected_action": [template.pk, ready.pk]}

    def activate(**answers: Any) -> Any:
        if way == "field":
            return submit(client, url("badgetemplate", "change", template.pk), is_active="on", **answers)
        return client.post(url("badgetemplate"), {**action, **answers}, follow=True)

    assert "Failing learners would also fulfill" in text(activate())
    assert not BadgeTemplate.objects.filter(is_active=True).exists()
    activate(confirm_activation="on")
    template.refresh_from_db()
    assert template.is_active


def test_e2_code_confirms_by_an_argument() -> None:
    template = make_template(is_active=False)
    penalty = penalizes_failing(template, requires_course(template))
    api.activate_template(template)
    api.deactivate_template(template)
    penalty.rules.filter(key_path="is_passing").delete()
    with pytest.raises(api.ConfirmationNeeded, match="takes the badge from learners who pass"):
        api.activate_template(template)
    assert not BadgeTemplate.objects.get().is_active
    api.activate_template(template, confirmed=True)
    assert BadgeTemplate.objects.get().is_active
