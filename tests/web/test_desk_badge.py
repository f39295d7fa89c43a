"""The desk's form of a badge: what staff choose in words becomes rules, and rules become words again."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from badges_plugin import api
from badges_plugin.backfill import recorded
from badges_plugin.distribution import numbers
from badges_plugin.distribution.data import Action
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.distribution.retry import State
from badges_plugin.images import picture_of
from badges_plugin.models import BadgeAward, BadgeTemplate, RulesetVersion
from badges_plugin.web.desk.badge import catching_up, dry_run, saving, wording
from badges_plugin.web.desk.badge.checking import Checked, check
from badges_plugin.web.desk.badge.decoding import setup_of
from badges_plugin.web.desk.badge.dry_run import who_would_have
from badges_plugin.web.desk.badge.fields import sent
from badges_plugin.web.desk.badge.setup import Kind
from tests.core.admin_pages import filled_in, staff, text
from tests.factories import (
    COURSE,
    GRADE,
    at,
    grade_data,
    make_template,
    make_user,
    metadata,
    needs_badge,
    penalizes_failing,
    requires,
    requires_course,
    send_passing,
)
from tests.limits import Lower

pytestmark = pytest.mark.django_db

LOGIC, PROOF, CCX = "course-v1:Demo+Logic+1", "course-v1:Demo+Proof+1", "ccx-v1:Demo+Logic+1+ccx@7"
NEW = reverse("badges_web:desk_new_badge")
FIRST = {"name": "Sound Reasoning", "b1-1-text": COURSE}
ALL_EVENTS = [
    "org.openedx.learning.course.passing.status.updated.v1",
    "org.openedx.learning.ccx.course.passing.status.updated.v1",
    "org.openedx.learning.course.persistent_grade_summary.changed.v1",
    "org.openedx.learning.program.certificate.awarded.v1",
    "org.openedx.learning.program.certificate.revoked.v1",
    "org.openedx.learning.certificate.revoked.v1",
]


@pytest.fixture
def every_event(settings: Any) -> None:
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "events": ALL_EVENTS}


@pytest.fixture
def client(every_event: None) -> Client:
    return staff(superuser=True)


def page_of(name: str, template: BadgeTemplate) -> str:
    return reverse(f"badges_web:{name}", args=(template.pk,))


def press(client: Client, page: Any, button: str, value: str = "1", **changes: Any) -> Any:
    """Change fields of the form on a page (None: not sent), press a button, and follow to where that leads."""
    values = {**filled_in(page), **changes.pop("fields", {}), **changes}
    sent = {name: each for name, each in values.items() if each is not None}
    return client.post(page.request["PATH_INFO"], {**sent, button: value}, follow=True)


def as_loaded(template: BadgeTemplate) -> BadgeTemplate:
    found = saving.loaded(template.pk)
    assert found is not None
    return found


def test_a_course_badge_is_set_up_activated_earned_and_lost(client: Client) -> None:
    page = press(client, client.get(NEW), "_activate", fields=FIRST)
    template = BadgeTemplate.objects.get()
    assert page.request["PATH_INFO"] == page_of("desk_activate_badge", template)
    assert f"Pass {COURSE}. Valid forever. Lost when the grade in {COURSE} drops below passing." in text(page)
    assert not template.is_active
    page = client.post(page.request["PATH_INFO"], follow=True)
    assert page.request["PATH_INFO"] == page_of("desk_badge", template)
    learner = make_user(full_name="Ada Lovelace")
    send_passing(learner)
    assert "Ada Lovelace" in text(client.get(page.request["PATH_INFO"]))
    send_passing(learner, is_passing=False, minute=1)
    assert BadgeAward.objects.get().revoked_at is not None
    noted = [entry.get_change_message().partition(":")[0] for entry in LogEntry.objects.order_by("pk")]
    assert noted == ["Set up", "Activated."]


UUID = "7d1c0e7c-5a3c-4d6e-8d47-2f6b6d0b7c11"
LINES = [
    # what is chosen, what is typed, and a part of what is said
    (Kind.COURSE, {"text": f"https://lms.example.org/courses/{LOGIC}/about"}, f"Pass {LOGIC}."),
    (Kind.COURSE, {"text": LOGIC.replace("+", "%2B")}, f"Lost when the certificate of {LOGIC} is revoked."),
    (Kind.COURSE, {"text": CCX}, f"Pass {CCX}."),
    (Kind.ANY_RUN, {"text": LOGIC}, "Pass any run of Demo+Logic."),
    (Kind.ANY_RUN, {"text": "Demo+Logic"}, "Lost when the grade in a run of Demo+Logic drops below passing."),
    (Kind.ORG, {"text": "Demo", "count": "1"}, "Pass any course of Demo."),
    (Kind.ORG, {"text": "Demo", "count": "3"}, "Pass 3 different courses of Demo."),
    (Kind.GRADE, {"text": LOGIC, "grade": "72,5"}, f"Reach a grade of at least 72.5% in {LOGIC}."),
    (Kind.GRADE, {"text": LOGIC, "grade": "80"}, f"Lost when the grade in {LOGIC} drops below 80%."),
    (Kind.PROGRAM, {"text": UUID.upper()}, f"Complete the program {UUID}."),
    (Kind.PROGRAM, {"text": UUID}, f"Lost when the certificate of the program {UUID} is revoked."),
    (Kind.BADGE, {"text": "first steps"}, "Earn the badge “First Steps”."),
]


def checked(fields: dict[str, str]) -> Checked:
    return check(sent({"blocks": "1", "b1-lines": "1", "lost_by_failing": "on", "name": "A badge", **fields}), None)


@pytest.mark.parametrize(("kind", "typed", "sentence"), LINES)
def test_each_kind_of_line_is_said_stored_and_read_back(
    every_event: None, kind: Kind, typed: dict[str, str], sentence: str
) -> None:
    make_template(name="First Steps")
    fields = {f"b1-1-{name}": value for name, value in typed.items()}
    found = checked(
        {"b1-1-kind": kind, "start": "2027-01-01", "last": "2027-06-30", "lost_with_certificate": "on", **fields}
    )
    assert found.problems == []
    template = as_loaded(make_template(is_active=False, name="A badge"))
    saving.save(template, found.setup)
    stored = as_loaded(template)
    setup = setup_of(stored)
    assert setup is not None
    assert [each.line for each in setup.lines] == [each.line for each in found.setup.lines]
    if kind is not Kind.BADGE and typed["text"] != CCX:  # what is lost with a badge, or a CCX, is no choice
        assert setup.terms == replace(found.setup.terms, lost_by_failing=True)
    said = wording.paragraph(stored).replace(", between Jan. 1, 2027 and June 30, 2027", "")
    assert sentence in said
    # Who saves it as it is changes nothing.
    before = saving.version_of(stored)
    assert saving.changes(stored, setup) == []
    saving.save(stored, setup)
    assert saving.version_of(as_loaded(template)) == before


RUN_A, RUN_B = "course-v1:Demo+Logic+A", "course-v1:Demo+Logic+B"
EVENTS = [
    # what is asked for, courses passed (+) and failed (-) in turn, and whether the badge is held then
    ({"kind": "course", "text": LOGIC}, [(LOGIC, True), (PROOF, False)], True),
    ({"kind": "course", "text": LOGIC}, [(PROOF, True)], False),
    ({"kind": "any_run", "text": LOGIC}, [(RUN_B, True)], True),
    ({"kind": "any_run", "text": LOGIC}, [("course-v1:Demo+Logical+1", True)], False),
    ({"kind": "any_run", "text": LOGIC}, [(RUN_A, True), (RUN_B, True), (RUN_A, False)], True),
    ({"kind": "any_run", "text": LOGIC}, [(RUN_A, True), (RUN_A, False)], False),
    ({"kind": "org", "text": "Demo", "count": "2"}, [(LOGIC, True), (PROOF, True)], True),
    ({"kind": "org", "text": "Demo", "count": "2"}, [(LOGIC, True), (LOGIC, True)], False),
    ({"kind": "org", "text": "Demo"}, [("course-v1:Demography+A+1", True)], False),
]


@pytest.mark.parametrize(("typed", "passed", "holds"), EVENTS)
def test_what_is_chosen_is_what_is_awarded(typed: dict[str, str], passed: list[tuple[str, bool]], holds: bool) -> None:
    found = checked({f"b1-1-{name}": value for name, value in typed.items()})
    template = as_loaded(make_template())
    saving.save(template, found.setup)
    learner = make_user()
    for minute, (course, is_passing) in enumerate(passed):
        send_passing(learner, course, is_passing=is_passing, minute=minute)
    assert BadgeAward.objects.filter(revoked_at=None).exists() is holds


def test_any_two_of_three_until_a_day_and_a_badge(client: Client) -> None:
    make_template(name="First Steps")
    page = press(client, client.get(NEW), "begin", "any_n")
    assert re.search(r'id="b1-1-text"[^>]*autofocus', page.content.decode())
    page = press(client, page, "add_block", "all", last="2027-06-01")
    page = press(client, page, "add", "2:badge")
    page = press(client, page, "remove", "2:1")
    typed = {"b1-1-text": COURSE, "b1-2-text": LOGIC, "b1-3-text": PROOF, "b2-1-text": "first steps"}
    page = press(client, page, "_save", fields={"name": "Two", **typed, "valid": "for"})
    assert (
        f"Pass at least 2 of: {COURSE}, {LOGIC}, {PROOF}, before June 2, 2027."
        " Earn the badge “First Steps”. Valid for 2 years."
        f" Lost when the grade in one of these courses drops below passing: {COURSE}, {LOGIC}, {PROOF}."
    ) in text(page)
    template = BadgeTemplate.objects.get(name="Two")
    assert (template.valid_days, template.penalties.count(), template.groups.get().needed) == (730, 3, 2)


PROBLEMS = [
    ({"name": " "}, "name", "The name is missing."),
    ({"name": "x" * 256}, "name", "A name has at most 255 letters, in one line."),
    ({"name": "A\u2028B"}, "name", "A name has at most 255 letters, in one line."),
    ({"name": "A\x07B"}, "name", "The name has a character that cannot be shown."),
    ({"b1-1-text": ""}, "b1-1-text", "Choose a course."),
    ({"b1-1-text": "Algebra"}, "b1-1-text", "“Algebra” is not a course key"),
    ({"b1-1-text": "library-v1:Demo+Books"}, "b1-1-text", "is not a course key"),
    ({"b1-1-text": "https://lms.example.org/dashboard"}, "b1-1-text", "the address of a page without a course"),
    ({"b1-1-value": "Algebra", "b1-1-text": ""}, "b1-1-text", "Choose a course."),
    (
        {"b1-1-kind": "grade", "b1-1-text": CCX, "b1-1-grade": "80"},
        "b1-1-text",
        "A custom course (CCX) cannot be used here.",
    ),
    ({"b1-1-kind": "grade", "b1-1-text": LOGIC, "b1-1-grade": "nan"}, "b1-1-grade", "Enter a grade in percent"),
    ({"b1-1-kind": "org", "b1-1-text": "A B"}, "b1-1-text", "“A B” is not the short name of an organization"),
    ({"b1-1-kind": "org", "b1-1-text": "A", "b1-1-count": "0"}, "b1-1-count", "Enter a number from 1 to"),
    ({"b1-1-kind": "org", "b1-1-text": "A", "b1-1-count": "000001" * 900}, "b1-1-count", "Enter a number from 1 to"),
    ({"b1-1-kind": "program", "b1-1-text": "Geometry"}, "b1-1-text", "No program is called “Geometry”."),
    ({"b1-1-kind": "badge", "b1-1-text": "None"}, "b1-1-text", "No badge is called “None”."),
    ({"b1-1-kind": "badge", "b1-1-value": "987654", "b1-1-text": ""}, "b1-1-text", "Choose a badge."),
    ({"b1-lines": "0"}, "b1", "Say what learners must do."),
    ({"b1-lines": "2", "b1-2-text": LOGIC}, "b1-2-text", "This is in the block twice."),
    ({"b1-mode": "any", "b1-needed": "3"}, "b1-needed", "Any 3 of 1: take fewer or add a line."),
    ({"b1-mode": "any", "b1-needed": "-"}, "b1-needed", "Enter how many are enough"),
    ({"start": "2027-02-01", "last": "2027-01-31"}, "last", "The last day is before the first."),
    ({"last": "June"}, "last", "“June” is not a day"),
    ({"last": "9999-12-31"}, "last", "is not a day"),
    ({"valid": "for", "valid_number": "0"}, "valid_number", "Enter how long the badge is valid"),
    ({"valid": "for", "valid_number": "999999", "valid_unit": "years"}, "valid_number", "at most 100000 days"),
]


@pytest.mark.parametrize(("fields", "where", "problem"), PROBLEMS)
def test_what_is_wrong_is_said_at_its_field(fields: dict[str, str], where: str, problem: str) -> None:
    found = {each.field: each.text for each in checked({"b1-1-text": LOGIC, **fields}).problems}
    assert set(found) == {where}
    assert problem in found[where]


def test_what_was_typed_stays(client: Client) -> None:
    typed = {**FIRST, "b1-1-text": "Algebra", "last": "June", "image": "upload"}
    page = press(client, client.get(NEW), "_save", fields=typed)
    assert "“June” is not a day" in text(page)
    assert "Choose the picture." in text(page)
    assert not BadgeTemplate.objects.exists()
    assert all(filled_in(page)[name] == [value] for name, value in typed.items())


def test_a_draft_may_lack_things_but_is_not_activated(client: Client) -> None:
    page = press(client, client.get(NEW), "_activate", name="Unfinished")
    assert "Choose a course." in text(page)
    page = press(client, page, "_save")
    template = BadgeTemplate.objects.get(name="Unfinished")
    assert not template.requirements.exists()
    page = client.get(page_of("desk_activate_badge", template))
    assert "The badge template has no requirements." in text(page)
    client.post(page_of("desk_activate_badge", template))
    template.refresh_from_db()
    assert not template.is_active


def test_a_changed_line_asks_whether_what_was_done_is_kept(client: Client) -> None:
    template = make_template(name="Reasoning")
    penalizes_failing(template, requires_course(template))
    ada, bob = make_user(), make_user()
    for user in (ada, bob):
        send_passing(user)
    address = page_of("desk_change_badge", template)
    page = press(client, client.get(address), "change", "1:1")
    page = press(client, page, "_save", fields={"b1-1-text": LOGIC})
    assert "2 learners have done what you are changing" in text(page)
    assert f"Pass {COURSE}" in text(page)
    assert template.requirements.get().rules.filter(value=COURSE).exists()
    page = press(client, page, "ignored", do="forget")
    assert f"Pass {LOGIC}." in text(page)
    assert "What 2 learners had done is forgotten." in text(page)
    assert template.penalties.get().rules.filter(value=LOGIC).exists()
    assert BadgeAward.objects.filter(revoked_at=None).count() == 2
    send_passing(make_user(), LOGIC, minute=2)
    assert BadgeAward.objects.filter(revoked_at=None).count() == 3


def test_a_line_that_goes_away_says_for_whom(client: Client) -> None:
    template = make_template()
    for course in (COURSE, LOGIC):
        penalizes_failing(template, requires_course(template, course), course)
    send_passing(make_user())
    page = press(client, client.get(page_of("desk_change_badge", template)), "remove", "1:1")
    page = press(client, page, "_save")
    assert "1 learner has done a line that you take away." in text(page)
    page = press(client, page, "ignored")
    assert f"Pass {LOGIC}. Valid" in text(page)
    assert template.requirements.count() == template.penalties.count() == 1


def test_two_people_at_once_do_not_overwrite_each_other(client: Client) -> None:
    template = make_template(is_active=False)
    requires_course(template)
    opened = client.get(page_of("desk_change_badge", template))
    press(client, client.get(page_of("desk_change_badge", template)), "_save", name="First")
    page = press(client, opened, "_save", name="Second")
    assert "Somebody has changed this badge since you opened it." in text(page)
    template.refresh_from_db()
    assert template.name == "First"


def test_an_active_badge_is_not_changed_into_one_that_cannot_work(client: Client) -> None:
    needed, template = make_template(name="Needed"), make_template(name="Needing")
    requires_course(needed)
    needs_badge(template, needed)
    page = press(client, client.get(page_of("desk_change_badge", needed)), "add", "1:badge")
    page = press(client, page, "_save", fields={"b1-2-text": "Needing"})
    assert "These badges need each other in a circle" in text(page)
    assert needed.requirements.count() == 1


def test_rules_that_no_words_say_stay_as_they_are(client: Client) -> None:
    template = make_template(name="For experts")
    requirement = requires(template, ("course.course_key", "contains", "Logic"), ("is_passing", "eq", "true"))
    page = client.get(page_of("desk_change_badge", template))
    assert "This badge asks for something that this page has no words for." in text(page)
    press(client, page, "_save", name="Renamed")
    template.refresh_from_db()
    assert template.name == "Renamed"
    assert [rule.value for rule in requirement.rules.order_by("pk")] == ["Logic", "true"]


def test_who_would_have_it_comes_from_what_other_badges_recorded(client: Client) -> None:
    for course in (COURSE, LOGIC):
        requires_course(make_template(), course)
    both, one = make_user(), make_user()
    send_passing(both)
    send_passing(both, LOGIC, minute=1)
    send_passing(one, minute=2)
    page = press(client, client.get(NEW), "add", "1:course")
    page = press(client, page, "_check", fields={"b1-1-text": COURSE, "b1-2-text": LOGIC})
    assert "1 learner has done all of this. 1 more lacks one thing." in text(page)
    assert BadgeTemplate.objects.count() == 2


def test_a_copy_is_a_draft_that_asks_for_the_same(client: Client) -> None:
    template = make_template(name="Original", valid_days=30)
    penalizes_failing(template, requires_course(template, group="Either"))
    requires_course(template, LOGIC, group="Either")
    page = client.post(page_of("desk_copy_badge", template), follow=True)
    made = BadgeTemplate.objects.get(name="Original (copy)")
    assert page.request["PATH_INFO"] == page_of("desk_change_badge", made)
    assert (made.is_active, made.valid_days, made.uuid == template.uuid) == (False, 30, False)
    assert f"Pass one of: {COURSE}, {LOGIC}." in text(client.get(page_of("desk_badge", made)))
    assert made.penalties.get().requirements.get().template == made


def test_deactivating_asks_first(client: Client) -> None:
    template = make_template()
    requires_course(template)
    send_passing(make_user())
    address = page_of("desk_deactivate_badge", template)
    assert "1 learner has it and keeps it." in text(client.get(address))
    client.post(address)
    template.refresh_from_db()
    assert not template.is_active


STORED = [
    f"{action}_{model}"
    for model in ("badgerequirement", "requirementgroup", "badgepenalty")
    for action in ("add", "change", "delete")
]
ACCESS = [
    # page, what it takes, and what is not enough
    ("desk_badge", ["view_badgetemplate"], []),
    ("desk_change_badge", ["change_badgetemplate", *STORED], ["change_badgetemplate", *STORED[:-1]]),
    ("desk_activate_badge", ["change_badgetemplate"], ["view_badgetemplate"]),
    ("desk_deactivate_badge", ["change_badgetemplate"], ["view_badgetemplate"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "enough", "too_little"), ACCESS)
def test_who_may_open_a_page(name: str, enough: list[str], too_little: list[str]) -> None:
    template = make_template(is_active=name != "desk_activate_badge")
    address = page_of(name, template)
    assert staff(*enough).get(address).status_code == 200
    assert staff(*too_little).get(address).status_code == 403
    assert "/login/" in Client().get(address)["Location"]


def test_a_page_shows_no_button_that_is_refused() -> None:
    template = make_template()
    requires_course(template)
    page = text(staff("view_badgetemplate").get(page_of("desk_badge", template)))
    assert f"Pass {COURSE}." in page
    assert not [word for word in ("Change…", "Copy", "Deactivate…", "Award by hand…") if word in page]


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9" fill="#123456"/></svg>'


def test_an_upload_survives_the_question(client: Client) -> None:
    template = make_template(icon="")
    requires_course(template)
    send_passing(make_user())
    page = press(client, client.get(page_of("desk_change_badge", template)), "change", "1:1")
    file = SimpleUploadedFile("badge.svg", SVG)
    page = press(client, page, "_save", fields={"b1-1-text": LOGIC, "image": "upload", "file": file})
    page = press(client, page, "ignored", do="keep")
    assert f"Pass {LOGIC}." in text(page)
    assert b"#123456" in (picture_of(template).svg or b"")
    page = press(client, client.get(page_of("desk_change_badge", template)), "_save", image="drawn")
    assert b"#123456" not in (picture_of(template).svg or b"")


def test_a_provider_names_its_badge_and_staff_say_what_it_asks_for(client: Client) -> None:
    template = make_template(name="Theirs", origin="credly", is_active=False)
    page = client.get(page_of("desk_change_badge", template))
    assert "Name and description of “Theirs” are changed at its provider." in text(page)
    page = press(client, page, "_save", fields={"name": "Ours", "b1-1-text": LOGIC})
    template.refresh_from_db()
    assert template.name == "Theirs"
    assert f"Given out through: Credly Pass {LOGIC}." in text(page)


def test_the_column_at_the_side_follows(client: Client) -> None:
    sent_by_script = {**filled_in(client.get(NEW)), **FIRST, "_aside": "1"}
    answer = client.post(NEW, sent_by_script).json()
    assert f"Pass {COURSE}." in answer["aside"]
    assert "Nothing is missing" in answer["aside"]
    assert ">SR<" in answer["drawing"]
    assert not BadgeTemplate.objects.exists()


def test_a_search_offers_what_can_be_chosen(client: Client) -> None:
    own = make_template(name="Reading <b>")
    make_template(name="Reading and writing", is_active=False)
    address = reverse("badges_web:desk_choices")
    found = client.get(address, {"kind": "badge", "q": "read", "but": str(own.pk)}).json()["options"]
    assert [(each["title"], each["note"]) for each in found] == [("Reading and writing", "inactive")]
    assert client.get(address, {"kind": "none", "q": "read"}).status_code == 404
    assert staff("view_badgetemplate").get(address, {"kind": "badge", "q": "read"}).status_code == 403


def test_who_has_done_it_gets_the_badge_with_its_activation(client: Client) -> None:
    """By the event that another badge was told, and only once; who failed since is left out."""
    keeps, loses = make_template(), make_template()
    requires_course(keeps)
    penalizes_failing(loses, requires_course(loses))
    done, failed, gone = make_user(), make_user(), make_user()
    for user in (done, failed, gone):
        send_passing(user, minute=5)
    send_passing(failed, is_passing=False, minute=6)
    page = press(client, client.get(NEW), "_activate", fields=FIRST)
    assert "2 learners have done this already. They get the badge now" in text(page)
    gone.username, gone.email = "retired__user_1", "retired__user_1@retired.invalid"
    gone.save()
    page = press(client, page, "activate")
    template = BadgeTemplate.objects.get(name=FIRST["name"])
    assert "The badge is active. 1 learner got it at once." in text(page)
    award = BadgeAward.objects.get(progress__template=template)
    assert (award.progress.user, award.awarded_at) == (done, at(5))
    assert BadgeAward.objects.filter(progress__template=keeps).count() == 3


def test_what_was_done_before_may_be_left_out(client: Client) -> None:
    requires_course(make_template())
    send_passing(make_user())
    page = press(client, client.get(NEW), "_activate", fields=FIRST)
    page = press(client, page, "activate", now="no")
    assert "What learners do from now on counts." in text(page)
    assert BadgeAward.objects.count() == 1


RECORDS = [
    # the line, what is on record, and how many get the badge at once
    ({"kind": "any_run", "text": LOGIC}, "course", 1),
    ({"kind": "org", "text": "Demo", "count": "2"}, "course", 1),
    ({"kind": "badge", "text": "Other"}, "course", 1),
    ({"kind": "grade", "text": LOGIC, "grade": "80"}, "grade", 1),
    ({"kind": "grade", "text": LOGIC, "grade": "70"}, "grade", 0),  # nothing else ever asked for 70 %
]


@pytest.mark.parametrize(("typed", "record", "number"), RECORDS)
def test_what_is_on_record_is_told_again(every_event: None, typed: dict[str, str], record: str, number: int) -> None:
    found = checked({f"b1-1-{name}": value for name, value in typed.items() if typed["kind"] != "badge"})
    other, user = as_loaded(make_template(name="Other")), make_user()
    if record == "course":
        same = found.setup if typed["kind"] != "badge" else checked({"b1-1-text": LOGIC}).setup
        saving.save(other, same)
        send_passing(user, RUN_A)
        send_passing(user, LOGIC, minute=1)
    else:
        saving.save(other, checked({"b1-1-kind": "grade", "b1-1-text": LOGIC, "b1-1-grade": "80"}).setup)
        graded = grade_data(user.lms_user_id, 0.85, LOGIC)
        api.handle_event(GRADE, metadata(time=at(0)), {"grade": graded})
    assert BadgeAward.objects.count() == 1
    found = checked({f"b1-1-{name}": value for name, value in typed.items()})
    template = make_template()
    saving.save(as_loaded(template), found.setup)
    would = who_would_have(as_loaded(template))
    assert (would.complete, would.can_be_given) == (number, bool(number))
    assert recorded.award_recorded(as_loaded(template), would.users) == number
    assert recorded.award_recorded(as_loaded(template), would.users) == 0
    assert who_would_have(as_loaded(template)).complete == 0


def test_a_badge_that_only_staff_give_asks_for_nothing(client: Client) -> None:
    page = press(client, client.get(NEW), "_activate", name="Helper", how="staff")
    assert "Awarded by staff. Valid forever." in text(page)
    page = press(client, page, "activate")
    template = BadgeTemplate.objects.get(name="Helper")
    assert (template.is_active, template.is_given_by_staff, template.requirements.count()) == (True, True, 0)
    assert "Award by hand…" in text(page)
    page = press(client, client.get(page_of("desk_change_badge", template)), "_save", fields={**FIRST, "how": "auto"})
    template.refresh_from_db()
    assert (template.is_given_by_staff, template.requirements.count()) == (False, 1)


def test_a_badge_that_staff_give_as_well_stays_so(client: Client) -> None:
    template = make_template(is_given_by_staff=True)
    requires_course(template)
    page = press(client, client.get(page_of("desk_change_badge", template)), "_save", name="Renamed")
    assert f"Pass {COURSE}. Or awarded by staff." in text(page)
    template.refresh_from_db()
    assert (template.is_given_by_staff, template.requirements.count()) == (True, 1)


def test_hostile_fields_do_no_harm(client: Client) -> None:
    typed = {"name": "A\0B", "b1-1-text": "\0", "blocks": "99999", "b1-lines": "-1", "b1-1-kind": "x", "uuid": "none"}
    page = press(client, client.get(NEW), "_save", fields={**typed, "description": "\0"})
    assert page.status_code == 200
    assert client.get(reverse("badges_web:desk_choices"), {"kind": "badge", "q": "\0a"}).status_code == 200
    assert client.get(reverse("badges_web:desk_badge", args=(10**20,))).status_code == 404


def test_of_very_many_the_number_is_a_lower_bound(client: Client, lower: Lower) -> None:
    lower(recorded, MOST=2)
    requires_course(make_template())
    for minute in range(4):
        send_passing(make_user(), minute=minute)
    page = press(client, client.get(NEW), "_activate", fields=FIRST)
    assert "At least 2 learners have done all of this." in text(page)
    assert "They get the badge now" not in text(page)


def notes() -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]


def test_two_people_who_save_at_the_same_instant_do_not_overwrite_each_other(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is first to hold the configuration, after this page was found up to date."""
    template = make_template(is_active=False)
    requires_course(template)
    page = client.get(page_of("desk_change_badge", template))

    with monkeypatch.context() as patched:

        def hold() -> None:
            patched.undo()
            BadgeTemplate.objects.filter(pk=template.pk).update(is_given_by_staff=True)

        patched.setattr(RulesetVersion, "hold", hold)
        page = press(client, page, "_save", name="Second")
    assert "Somebody has changed this badge since you opened it." in text(page)
    template.refresh_from_db()
    assert template.name != "Second"


@pytest.mark.parametrize("name", ["Le\u00a0badge\u202f!", "\u0645\u06cc\u200c\u062e", "ക്\u200dഷ", "שלום\u200f!"])
def test_letters_that_are_not_seen_may_be_in_a_name(name: str) -> None:
    assert checked({"b1-1-text": LOGIC, "name": name}).problems == []


def test_the_name_of_a_provider_is_not_found_fault_with(client: Client) -> None:
    template = make_template(name="Their\x07s", origin="credly", is_active=False)
    page = press(client, client.get(page_of("desk_change_badge", template)), "_save", fields={"b1-1-text": LOGIC})
    assert f"Pass {LOGIC}." in text(page)


def test_an_activation_is_noted_even_if_giving_the_badge_fails(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    requires_course(make_template())
    send_passing(make_user())
    page = press(client, client.get(NEW), "_activate", fields=FIRST)
    template = BadgeTemplate.objects.get(name=FIRST["name"])

    def fail(*args: object) -> int:
        assert notes()[-1] == "Activated."
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(recorded, "award_recorded", fail)
        with pytest.raises(ConnectionError):
            press(client, page, "activate")
    template.refresh_from_db()
    assert template.is_active
    api.deactivate_template(template)
    page = press(client, page, "activate")
    assert "The badge is active. 1 learner got it at once." in text(page)
    assert notes()[-2:] == ["Activated.", "Given to 1 learner who had done everything."]


def test_the_page_finds_its_learners(client: Client) -> None:
    template = make_template()
    requires_course(template)
    for name in ("ann", "bob"):
        send_passing(make_user(username=name))
    send_passing(make_user(username="lost"), minute=1)
    api.revoke_award(BadgeAward.objects.get(progress__user__username="lost"), reason="Copied")
    page = client.get(page_of("desk_badge", template))
    asked = {name: values[0] for name, values in filled_in(page).items()}
    assert asked == {"template__id__exact": str(template.pk), "q": ""}
    address = reverse("admin:badges_plugin_badgeprogress_changelist")
    assert f'action="{address}"' in page.content.decode()
    for wanted, found in (({}, 3), ({"q": "bo"}, 1), ({"badge": "revoked"}, 1)):
        assert client.get(address, asked | wanted).context["cl"].result_count == found


def test_who_has_done_it_already_is_given_the_badge_in_parts(
    client: Client, lower: Lower, monkeypatch: pytest.MonkeyPatch
) -> None:
    requires_course(make_template())
    learners = [make_user(full_name=f"Learner {number}") for number in range(5)]
    for user in learners:
        send_passing(user)
    requires_course(template := make_template(name="Later"))
    lower(recorded, AT_ONCE=2)
    lower(dry_run, NAMED=3)
    lower(catching_up, SECONDS=0)
    address = page_of("desk_catch_up", template)
    assert address in client.get(page_of("desk_badge", template)).content.decode()
    page = client.get(address)
    assert "5 learners have done all of this." in text(page)
    assert "See them Learner 0 Learner 1 Learner 2 And 2 more." in text(page)
    page = client.post(address, follow=True)
    assert "2 learners got the badge. There are more, who are listed here: go on." in text(page)
    assert "Give it to 3 learners" in text(page)
    client.post(address)
    page = client.post(address, follow=True)
    assert page.request["PATH_INFO"] == page_of("desk_badge", template)
    assert "1 learner got the badge." in text(page)
    assert BadgeAward.objects.filter(progress__template=template, revoked_at=None).count() == 5
    assert "Nobody has done all of this" in text(client.get(address))
    assert client.post(address).status_code == 200, "there is nobody to give it to"


def test_an_activation_that_does_not_reach_everybody_says_where_to_go_on(client: Client, lower: Lower) -> None:
    requires_course(make_template())
    for _number in range(3):
        send_passing(make_user())
    lower(recorded, AT_ONCE=2)
    lower(catching_up, SECONDS=0)
    page = press(client, client.get(NEW), "_activate", fields=FIRST)
    page = press(client, page, "activate")
    assert "The badge is active. 2 learners got it at once." in text(page)
    template = BadgeTemplate.objects.get(name=FIRST["name"])
    assert f'href="{page_of("desk_catch_up", template)}">Go on with the others' in page.content.decode()


def test_the_page_says_that_a_badge_goes_with_one_that_it_needs(client: Client) -> None:
    needed, template = make_template(name="Needed"), make_template(name="Needing")
    requires_course(needed)
    needs_badge(template, needed)
    gone = "Learners who lose a badge that this one asks for lose this one, too"
    pages = [text(client.get(page_of("desk_badge", each))) for each in (needed, template)]
    assert [(gone in page, "No event takes it away." in page) for page in pages] == [(False, True), (True, False)]


@pytest.mark.parametrize(
    ("state", "error", "words"),
    [(State.DONE, "", "Delivered to Credly"), (State.FAILED, "unknown", "Not at Credly: needs you")],
)
def test_beside_a_learner_stands_what_became_of_the_delivery(
    client: Client, state: State, error: str, words: str
) -> None:
    template = make_template()
    requires_course(template)
    send_passing(make_user())
    address = page_of("desk_badge", template)
    assert "Delivery" not in text(client.get(address)).split(), "this site has no provider"
    channel = Channel.objects.create(backend="credly", account="one")
    Delivery.objects.create(
        award=BadgeAward.objects.get(), backend="credly", channel=channel, action=Action.ISSUE, state=state,
        last_error=error,
    )  # fmt: skip
    assert words in text(client.get(address))
    who_may_not = staff("view_badgetemplate", "view_badgeaward")
    assert words not in text(who_may_not.get(address))


def test_where_not_every_delivery_was_looked_at_nothing_is_promised(client: Client, lower: Lower) -> None:
    template = make_template()
    requires_course(template)
    address, promised = page_of("desk_badge", template), "no delivery of this badge needs you"
    assert promised in text(client.get(address))
    for minute in range(2):
        send_passing(make_user(), minute=minute)
    channel = Channel.objects.create(backend="credly", account="one")
    for award in BadgeAward.objects.order_by("pk"):
        Delivery.objects.create(award=award, backend="credly", channel=channel, action=Action.ISSUE, state=State.FAILED)
    lower(numbers, MOST=1)
    page = text(client.get(address))
    assert promised not in page
    assert "There are more. Not all of them were looked at." in page


def test_a_number_of_very_many_digits_is_no_block(client: Client) -> None:
    values = {**filled_in(client.get(NEW)), "add": f"{'9' * 5000}:course"}
    assert client.post(NEW, values).status_code == 200


def test_a_picture_that_is_stored_before_the_answer_is_noted(client: Client) -> None:
    template = make_template(icon="")
    requires_course(template)
    send_passing(make_user())
    page = press(client, client.get(page_of("desk_change_badge", template)), "change", "1:1")
    file = SimpleUploadedFile("badge.svg", SVG)
    press(client, page, "_save", fields={"b1-1-text": LOGIC, "image": "upload", "file": file})
    assert notes() == ["Changed the picture."]
