"""Warnings about what can never match, contradicts itself or was hardly meant, wherever they are told."""

from __future__ import annotations

from typing import Any

import pytest

from badges_plugin import api, spellings
from badges_plugin.doctor import database_probes
from tests.core.admin_pages import PASSES, errors, rules, staff, submit, url
from tests.factories import (
    CCX_PASSING,
    COURSE,
    PASSING,
    make_template,
    penalizes,
    penalizes_failing,
    requires,
    requires_course,
)

pytestmark = pytest.mark.django_db
KEY, PASSED = "course.course_key", ("is_passing", "eq", "true")
OTHER, LIBRARY = "course-v1:Demo+Other+1", "library-v1:Demo+Lib"


@pytest.mark.parametrize(
    ("given", "warnings"),
    [
        ([(KEY, "eq", COURSE), PASSED], []),
        ([(KEY, "eq", COURSE), (KEY, "eq", OTHER), PASSED], ["contradict each other", "Nobody can get the badge"]),
        ([PASSED, ("is_passing", "eq", "no")], ["contradict each other", "Nobody can get the badge"]),
        ([(KEY, "eq", LIBRARY), PASSED], ["no event has that there", "Nobody can get the badge"]),
        ([(KEY, "startswith", "ccx-v1:"), PASSED], ["no event has that there", "Nobody can get the badge"]),
        ([(KEY, "in", f"{COURSE}\n{LIBRARY}"), PASSED], ["no event has that there"]),
        ([(KEY, "ne", LIBRARY), PASSED], []),
        ([("course.display_name", "eq", "Log\u200bic"), PASSED], ["characters which nobody sees"]),
        ([("course.display_name", "eq", " Logic "), PASSED], []),
    ],
)
def test_e3_activation_warns_of_what_can_never_match(given: Any, warnings: list[str]) -> None:
    template = make_template(is_active=False)
    requires(template, *given)
    said = api.activation_warnings(template)
    assert len(said) == len(warnings), said
    for part, sentence in zip(warnings, said, strict=True):
        assert part in sentence
    api.activate_template(template)


def test_e3_ccx_events_and_course_events_have_their_own_keys() -> None:
    template = make_template(is_active=False)
    requires(template, (KEY, "eq", "ccx-v1:Demo+A+1+ccx@7"), PASSED)
    requires(template, ("course.ccx_course_key", "eq", COURSE), PASSED, event_type=CCX_PASSING)
    requires(template, ("course.ccx_course_key", "eq", "ccx-v1:Demo+A+1+ccx@7"), PASSED, event_type=CCX_PASSING)
    assert len([text for text in api.activation_warnings(template) if "no event has that there" in text]) == 2


def test_e3_a_group_is_impossible_when_all_of_it_is() -> None:
    template = make_template(is_active=False)
    impossible = (KEY, "eq", LIBRARY)
    requires(template, impossible, PASSED, group="language")
    possible = requires_course(template, group="language")
    assert not [text for text in api.activation_warnings(template) if "Nobody can get" in text]
    possible.rules.filter(key_path=KEY).update(value="Python")
    (said,) = [text for text in api.activation_warnings(template) if "Nobody can get" in text]
    assert "“language”" in said


@pytest.mark.parametrize(
    ("given", "taken", "warning"),
    [
        (PASSES, [(KEY, "eq", COURSE), ("is_passing", "eq", "false")], None),
        (PASSES, [(KEY, "eq", OTHER), PASSED], None),
        (PASSES, PASSES, "Nobody can fulfill"),
        (PASSES, [(KEY, "startswith", "course-v1:Demo+")], "Nobody can fulfill"),
        ([(KEY, "glob", "course-v1:Demo+*"), PASSED], PASSES, "Some events fulfill"),
    ],
)
def test_e3_a_penalty_for_the_events_that_fulfill_is_told(given: Any, taken: Any, warning: str | None) -> None:
    template = make_template(is_active=False)
    requirement = requires(template, *given)
    penalizes(template, [requirement], *taken)
    said = [text for text in api.activation_warnings(template) if "fulfill “" in text]
    assert [text.partition(" “")[0] for text in said] == ([warning] if warning else [])


def test_e3_a_penalty_of_another_requirement_or_event_is_none_of_it() -> None:
    template = make_template(is_active=False)
    requires(template, *PASSES)
    other = requires_course(template, OTHER)
    penalizes(template, [other], *PASSES)
    assert api.activation_warnings(template) == []


@pytest.mark.parametrize(
    ("catalog", "elsewhere", "named"),
    [
        ([], None, None),
        ([COURSE], None, COURSE),
        ([COURSE.lower(), COURSE], None, None),
        ([], COURSE, COURSE),
        ([COURSE.lower()], COURSE, None),
    ],
)
def test_e3_a_key_that_is_written_otherwise_elsewhere_is_told(
    monkeypatch: pytest.MonkeyPatch, catalog: list[str], elsewhere: str | None, named: str | None
) -> None:
    monkeypatch.setattr(spellings, "course_keys_like", lambda keys: catalog)
    if elsewhere is not None:
        requires_course(make_template(), elsewhere)
    template = make_template(is_active=False)
    requires_course(template, COURSE.lower())
    said = [text for text in api.activation_warnings(template) if "Elsewhere it is written" in text]
    assert len(said) == (named is not None)
    assert all(str(named) in text for text in said)


@pytest.mark.parametrize("is_active", [True, False])
def test_e3_saving_tells_it_at_once(is_active: bool) -> None:
    template = make_template(is_active=False)
    requires_course(template)
    template.is_active = is_active
    template.save()
    contradiction = rules((KEY, "eq", COURSE), (KEY, "eq", OTHER), PASSED)
    address = f"{url('badgerequirement', 'add')}?template={template.pk}"
    page = submit(staff(superuser=True), address, contradiction, event_type=PASSING)
    assert errors(page).count("contradict each other") == 1


def test_e3_the_doctor_finds_what_can_never_match_and_what_rewards_failing() -> None:
    template = make_template()
    requirement = requires(template, (KEY, "eq", LIBRARY))
    requires(template, (KEY, "eq", COURSE))
    penalizes_failing(template, requirement)
    said = " ".join(finding.what for finding in database_probes.templates())
    for part in ("no event has that there", "Nobody can get the badge", "Failing learners would also fulfill"):
        assert said.count(part) == 1, said
