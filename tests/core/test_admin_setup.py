"""The whole setup by clicking: templates, requirements, rules, penalties, activation, with bad input refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from badges_plugin.models import BadgeAward, BadgePenalty, BadgeRequirement, BadgeTemplate
from tests.core.admin_pages import FAILS, PASSES, errors, rules, staff, submit, text, url
from tests.factories import (
    CCX_PASSING,
    COURSE,
    ENROLLMENT,
    PASSING,
    make_template,
    make_user,
    penalizes_failing,
    requires,
    requires_course,
    send_passing,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return staff(superuser=True)


def add_url(model: str, template: BadgeTemplate) -> str:
    return f"{url(model, 'add')}?template={template.pk}"


def test_staff_set_up_a_badge_by_clicking_and_a_learner_gets_and_loses_it(client: Client) -> None:
    page = submit(client, url("badgetemplate", "add"), name="Pässler ✓", description="For passing.")
    template = BadgeTemplate.objects.get()
    assert page.request["PATH_INFO"] == url("badgetemplate", "change", template.pk)
    assert (template.name, template.origin, template.is_active) == ("Pässler ✓", "openedx", False)
    assert "The badge cannot be activated without any" in text(page)
    assert "Add penalty" not in text(page)

    page = submit(client, add_url("badgerequirement", template), rules(*PASSES), event_type=PASSING, new_group="A")
    assert page.request["PATH_INFO"] == url("badgetemplate", "change", template.pk)
    assert f"course.course_key is {COURSE} and is_passing is true" in text(page)
    requirement = template.requirements.get()

    page = submit(
        client,
        add_url("badgepenalty", template),
        rules(*FAILS),
        event_type=PASSING,
        requirements=[requirement.pk],
        description="Failed after all",
    )
    assert page.request["PATH_INFO"] == url("badgetemplate", "change", template.pk)
    assert "Failed after all" in text(page)

    page = submit(client, url("badgetemplate", "change", template.pk), is_active="on")
    assert not errors(page).count("requirements.")
    template.refresh_from_db()
    assert template.is_active

    learner = make_user(username="ada")
    send_passing(learner)
    assert "ada" in text(client.get(url("badgeaward")))
    assert "1 learner has the badge" in text(client.get(url("badgetemplate", "change", template.pk)))
    send_passing(learner, is_passing=False, minute=1)
    assert BadgeAward.objects.get().revoked_at is not None
    assert "ada" not in text(client.get(f"{url('badgeaward')}?state=held"))


def test_the_current_site_is_the_default(client: Client, settings: Any) -> None:
    page = client.get(url("badgetemplate", "add"))
    assert page.context["adminform"].form.initial["site"] == settings.SITE_ID


def test_a_new_template_cannot_be_active(client: Client) -> None:
    submit(client, url("badgetemplate", "add"), name="Eager", is_active="on")
    assert not BadgeTemplate.objects.get().is_active


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("", "eq", "x"), "This field is required."),
        (("is_passing", "", "x"), "This field is required."),
        (("is_passing", "eq", ""), "This field is required."),
        (("course.nope", "eq", "x"), "course.nope is not one of the available choices"),
        # the other configured event has it, this one has not
        (("course.ccx_course_key", "eq", "x"), "has no usable value at course.ccx_course_key"),
        (("is_passing", "eq", "maybe"), "“maybe” is not a boolean"),
        (("is_passing", "gt", "true"), "is of the kind “true or false”. Choose one of: equal to, not equal to."),
        (("course.start", "gt", "soon"), "“soon” is not a date"),
        (("course.course_key", "in", " , "), "list of values is empty"),
    ],
)
@pytest.mark.parametrize("model", ["badgerequirement", "badgepenalty"])
def test_a_bad_rule_is_refused_at_its_field_with_the_reason(
    client: Client, model: str, row: tuple[str, str, str], reason: str
) -> None:
    template = make_template(is_active=False)
    requirement = requires(template)
    page = submit(
        client, add_url(model, template), rules(row), event_type=PASSING, requirements=[requirement.pk], description="X"
    )
    assert reason in errors(page)
    fields = [form.errors for form in page.context["inline_admin_formsets"][0].formset.forms]
    assert [list(found) for found in fields if found] != [["__all__"]]
    assert not BadgePenalty.objects.exists()
    assert list(BadgeRequirement.objects.all()) == [requirement]


def test_a_bad_rule_of_a_stored_requirement_is_refused_and_a_good_one_saved(client: Client) -> None:
    requirement = requires_course(make_template(is_active=False))
    address = url("badgerequirement", "change", requirement.pk)
    rows = {f"rules-{n}-key_path": n for n in range(2)}
    assert rows.keys() <= set(client.get(address).content.decode().split('"'))

    page = submit(client, address, {"rules-1-value": "perhaps"})
    assert "“perhaps” is not a boolean" in errors(page)
    submit(client, address, {"rules-1-value": "false"}, confirm_rules="on")
    submit(client, address, rules(("course.display_name", "contains", "Intro"), start=2), confirm_rules="on")
    assert [str(rule) for rule in requirement.rules.order_by("pk")] == [
        f"course.course_key eq {COURSE}",
        "is_passing eq false",
        "course.display_name contains Intro",
    ]


def test_an_event_type_that_breaks_stored_rules_is_refused_at_its_field(client: Client) -> None:
    requirement = requires_course(make_template(is_active=False))
    address = url("badgerequirement", "change", requirement.pk)
    page = submit(client, address, event_type=CCX_PASSING)
    assert "course.course_key" in page.context["adminform"].form.errors["event_type"][0]
    requirement.refresh_from_db()
    assert requirement.event_type == PASSING


def test_a_stored_event_type_that_is_not_configured_is_kept(client: Client) -> None:
    requirement = requires(make_template(is_active=False), ("mode", "eq", "verified"), event_type=ENROLLMENT)
    submit(client, url("badgerequirement", "change", requirement.pk), description="Enroll")
    requirement.refresh_from_db()
    assert (requirement.event_type, requirement.description) == (ENROLLMENT, "Enroll")
    page = submit(client, add_url("badgerequirement", requirement.template), event_type=ENROLLMENT)
    assert "is not one of the available choices" in errors(page)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"requirements": ()}, "Choose at least one requirement"),
        (rules(), "A penalty needs at least one rule"),
        (rules(("", "", "")), "A penalty needs at least one rule"),
    ],
)
def test_a_penalty_that_could_never_do_anything_is_refused(
    client: Client, changes: dict[str, Any], reason: str
) -> None:
    template = make_template(is_active=False)
    requirement = requires_course(template)
    complete: dict[str, Any] = {**rules(*FAILS), "event_type": PASSING, "requirements": [requirement.pk]}
    page = submit(client, add_url("badgepenalty", template), {**complete, **changes})
    assert reason in errors(page)
    assert not BadgePenalty.objects.exists()


def test_the_last_rule_of_a_penalty_cannot_be_deleted(client: Client) -> None:
    template = make_template(is_active=False)
    penalty = penalizes_failing(template, requires_course(template))
    page = submit(client, url("badgepenalty", "change", penalty.pk), {"rules-0-DELETE": "on", "rules-1-DELETE": "on"})
    assert "A penalty needs at least one rule" in errors(page)
    assert penalty.rules.count() == 2


def test_a_penalty_takes_requirements_of_its_own_template_only(client: Client) -> None:
    template, other = make_template(is_active=False), make_template(is_active=False)
    requires_course(template)
    foreign = requires_course(other)
    page = submit(
        client, add_url("badgepenalty", template), rules(*FAILS), event_type=PASSING, requirements=[foreign.pk]
    )
    assert "is not one of the available choices" in errors(page)
    assert not BadgePenalty.objects.exists()


def test_a_penalty_needs_a_requirement_to_take_away(client: Client) -> None:
    page = client.get(add_url("badgepenalty", make_template(is_active=False)), follow=True)
    assert "Add a requirement first" in errors(page)


@pytest.mark.parametrize("query", ["", "?template=", "?template=0", "?template=x", "?template=99999999999"])
@pytest.mark.parametrize("model", ["badgerequirement", "badgepenalty"])
def test_without_a_template_it_is_asked_for(client: Client, model: str, query: str) -> None:
    template = make_template()
    page = client.get(url(model, "add") + query)
    assert "Choose a badge template" in text(page)
    assert f'<option value="{template.pk}">' in page.content.decode()


def test_add_another_stays_with_the_template(client: Client) -> None:
    template = make_template(is_active=False)
    address = add_url("badgerequirement", template)
    page = submit(client, address, rules(*PASSES), event_type=PASSING, _addanother="1")
    assert page.redirect_chain[0][0] == address
    stored = template.requirements.get()
    page = submit(client, url("badgerequirement", "change", stored.pk), _addanother="1")
    assert page.redirect_chain[0][0] == address


# --- activation


def broken_template() -> BadgeTemplate:
    """Make a template with two things wrong with it."""
    template = make_template(is_active=False)
    requirement = requires_course(template)
    requirement.rules.filter(key_path="is_passing").update(value="maybe")
    template.penalties.create(event_type=PASSING, description="Idle").requirements.set([requirement])
    return template


@pytest.mark.parametrize("way", ["field", "action"])
@pytest.mark.parametrize(
    ("make", "reasons"),
    [
        (lambda: make_template(is_active=False), ["has no requirements"]),
        (broken_template, ["“maybe” is not a boolean", "Penalty “Idle” has no rules."]),
    ],
)
def test_activation_is_refused_with_every_reason(client: Client, way: str, make: Any, reasons: list[str]) -> None:
    template = make()
    page = switch(client, template, way, is_active=True)
    for reason in reasons:
        assert reason in errors(page)
    template.refresh_from_db()
    assert not template.is_active


@pytest.mark.parametrize("way", ["field", "action"])
def test_activation_warns_of_what_may_surprise_and_deactivation_works(client: Client, way: str) -> None:
    template = make_template(is_active=False)
    requires(template)
    page = switch(client, template, way, is_active=True)
    assert "every event of its type fulfills it" in errors(page)
    template.refresh_from_db()
    assert template.is_active
    switch(client, template, way, is_active=False)
    template.refresh_from_db()
    assert not template.is_active


def switch(client: Client, template: BadgeTemplate, way: str, *, is_active: bool) -> Any:
    if way == "field":
        changes = {"is_active": "on" if is_active else None, "confirm_activation": "on"}
        return submit(client, url("badgetemplate", "change", template.pk), changes)
    action: dict[str, Any] = {"action": "activate" if is_active else "deactivate", "_selected_action": [template.pk]}
    if is_active:
        action["confirm_activation"] = "on"
    return client.post(url("badgetemplate"), action, follow=True)


def test_a_template_that_is_active_can_be_edited_whatever_broke_meanwhile(client: Client) -> None:
    template = broken_template()
    BadgeTemplate.objects.filter(pk=template.pk).update(is_active=True)
    submit(client, url("badgetemplate", "change", template.pk), name="New name")
    template.refresh_from_db()
    assert (template.name, template.is_active) == ("New name", True)


def test_deleting_the_last_requirement_says_that_the_template_is_inactive_now(client: Client) -> None:
    requirement = requires_course(make_template())
    send_passing(make_user())
    address = url("badgerequirement", "delete", requirement.pk)
    assert "progress of 1 learner on it (awarded badges are kept)" in text(client.get(address))
    page = client.post(address, {"post": "yes"}, follow=True)
    assert "was deactivated because it has no requirements left" in errors(page)
    assert page.request["PATH_INFO"] == url("badgetemplate", "change", requirement.template_id)
    assert not BadgeTemplate.objects.get().is_active


def test_deleting_in_the_list_says_so_too(client: Client) -> None:
    requirement = requires_course(make_template())
    action = {"action": "delete_selected", "_selected_action": [requirement.pk], "post": "yes"}
    page = client.post(url("badgerequirement"), action, follow=True)
    assert "was deactivated because it has no requirements left" in errors(page)
    assert not BadgeRequirement.objects.exists()


@pytest.mark.parametrize("way", ["page", "action"])
def test_a_template_with_progress_is_not_deleted(client: Client, way: str) -> None:
    template = make_template()
    requires_course(template)
    send_passing(make_user())
    if way == "page":
        page = client.post(url("badgetemplate", "delete", template.pk), {"post": "yes"}, follow=True)
    else:
        action = {"action": "delete_selected", "_selected_action": [template.pk], "post": "yes"}
        page = client.post(url("badgetemplate"), action, follow=True)
    assert "Deactivate it instead" in text(page)
    assert BadgeTemplate.objects.exists()
