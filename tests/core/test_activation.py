"""Whether a badge template can be active: circles, long chains, groups, and what the admin says of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badges_plugin import activation, api, dependencies, receiving
from badges_plugin.exceptions import ActivationRefused
from badges_plugin.models import BadgeRequirement, BadgeTemplate, RequirementGroup
from tests.core.admin_pages import errors, rules, staff, submit, text, url
from tests.factories import (
    AWARDED_TYPE,
    REVOKED_TYPE,
    make_template,
    needs_badge,
    penalizes,
    penalizes_failing,
    requires,
    requires_course,
)
from tests.limits import Lower

pytestmark = pytest.mark.django_db
Needs = Callable[[BadgeTemplate, BadgeTemplate], object]


def by_choice(template: BadgeTemplate, needed: BadgeTemplate) -> object:
    return needs_badge(template, needed)


def by_rule(template: BadgeTemplate, needed: BadgeTemplate) -> object:
    return requires(template, ("template.uuid", "eq", str(needed.uuid)), event_type=AWARDED_TYPE)


def by_revocation(template: BadgeTemplate, needed: BadgeTemplate) -> object:
    return requires(template, ("template.uuid", "eq", str(needed.uuid)), event_type=REVOKED_TYPE)


def by_list(template: BadgeTemplate, needed: BadgeTemplate) -> object:
    value = f"{make_template().uuid}\n{needed.uuid}\nno badge"
    return requires(template, ("template.uuid", "in", value), event_type=AWARDED_TYPE)


def badges(names: str) -> list[BadgeTemplate]:
    return [make_template(name=name, is_active=False) for name in names]


@pytest.mark.parametrize("close", [by_choice, by_rule, by_revocation, by_list])
@pytest.mark.parametrize(
    ("names", "circle"),
    [
        ("AB", "“A” needs “B”, “B” needs “A”"),
        ("ABC", "“A” needs “B”, “B” needs “C”, “C” needs “A”"),
        ("ABCDEFGHIJKLMNOP", "“A” needs “B”, .*“O” needs “P”, “P” needs “A”"),
    ],
)
def test_a_circle_of_any_length_is_refused_and_named(names: str, circle: str, close: Needs) -> None:
    ring = badges(names)
    for template, needed in pairwise(ring):
        needs_badge(template, needed)
    close(ring[-1], ring[0])
    with pytest.raises(ActivationRefused, match=circle):
        api.activate_template(ring[0])
    ring[0].refresh_from_db()
    assert not ring[0].is_active
    # Whichever is activated.
    for template in ring:
        (problem,) = api.activation_problems(template)
        assert "in a circle" in problem


def test_a_badge_that_only_needs_one_of_a_circle_is_not_in_it() -> None:
    first, second, outside = badges("ABC")
    needs_badge(first, second)
    needs_badge(second, first)
    needs_badge(outside, first)
    assert all("circle" in text for template in (first, second) for text in api.activation_problems(template))
    assert api.activation_problems(outside) == []


def test_the_shortest_circle_is_named() -> None:
    first, second, third = badges("ABC")
    needs_badge(first, second)
    needs_badge(second, third)
    needs_badge(third, first)
    needs_badge(second, first)
    (problem,) = api.activation_problems(first)
    assert "“A” needs “B”, “B” needs “A”." in problem


@pytest.mark.parametrize(
    "rule",
    [
        # Of no badge, of several without naming one, or otherwise than as a whole.
        ("template.uuid", "eq", "no badge"),
        ("template.name", "eq", "A"),
        ("template.uuid", "startswith", "a"),
    ],
)
def test_rules_that_name_no_badge_make_no_circle(rule: tuple[str, str, str]) -> None:
    first, second = badges("AB")
    needs_badge(first, second)
    requires(second, rule, event_type=AWARDED_TYPE)
    assert api.activation_problems(first) == api.activation_problems(second) == []


def test_a_penalty_makes_no_circle() -> None:
    first, second = badges("AB")
    requirement = needs_badge(first, second)
    assert isinstance(requirement, BadgeRequirement)
    kept = requires_course(second)
    penalizes(second, [kept], ("template.uuid", "eq", str(first.uuid)), event_type=REVOKED_TYPE)
    assert api.activation_problems(first) == api.activation_problems(second) == []


@pytest.mark.parametrize(
    ("length", "is_refused"), [(dependencies.MAX_CHAIN, False), (dependencies.MAX_CHAIN + 1, True)]
)
def test_a_chain_that_could_not_be_followed_to_its_end_is_refused(length: int, is_refused: bool) -> None:
    chain = badges("ABCDEFGHIJKLM"[:length])
    for template, needed in pairwise(chain):
        needs_badge(template, needed)
    requires_course(chain[-1])
    for template in chain:
        assert bool(api.activation_problems(template)) is is_refused
    assert receiving.MAX_CHAIN > dependencies.MAX_CHAIN


def test_two_ways_to_the_same_badge_are_no_circle() -> None:
    top, left, right, bottom = badges("ABCD")
    for template, needed in ((top, left), (top, right), (left, bottom), (right, bottom)):
        needs_badge(template, needed)
    assert api.activation_problems(top) == []


def test_an_edit_of_an_active_badge_that_would_close_a_circle_is_told() -> None:
    first, second = badges("AB")
    needs_badge(first, second)
    requires_course(second)
    closing = BadgeRequirement(template=second, needs_badge=first)
    assert api.dependency_problems(closing, []) == []  # not active: its activation says so
    BadgeTemplate.objects.update(is_active=True)
    second.refresh_from_db()
    (problem,) = api.dependency_problems(BadgeRequirement(template=second, needs_badge=first), [])
    assert "“B” needs “A”, “A” needs “B”" in problem
    # The requirement itself, as it is stored, is not counted twice.
    stored = second.requirements.get()
    stored.needs_badge = first
    assert api.dependency_problems(stored, []) == [problem]


@pytest.mark.parametrize(("needed", "members", "problems"), [(1, 0, 0), (2, 0, 0), (2, 1, 1), (2, 2, 0), (3, 2, 1)])
def test_a_group_that_asks_for_more_than_it_has_is_refused(needed: int, members: int, problems: int) -> None:
    template = make_template(is_active=False)
    requires_course(template)
    RequirementGroup.named(template, "any")
    template.groups.update(needed=needed)
    for number in range(members):
        requires_course(template, f"course-v1:Demo+C{number}+1", group="any")
    found = [text for text in api.activation_problems(template) if "“any” asks for" in text]
    assert len(found) == problems


def test_a_needed_badge_that_is_not_active_is_warned_of() -> None:
    needed, template = badges("AB")
    requires_course(needed)
    needs_badge(template, needed)
    api.activate_template(template)
    assert api.activation_warnings(template) == ["“A” is needed and not active: only those who hold it can earn “B”."]
    api.activate_template(needed)
    assert api.activation_warnings(template) == []
    (warning,) = api.deactivation_warnings(needed)
    assert "“B” needs this badge" in warning
    assert api.deactivation_warnings(template) == []


# --- In the admin


@pytest.fixture
def client() -> Any:
    return staff(superuser=True)


def test_staff_choose_a_badge_from_a_list(client: Any) -> None:
    needed, template = make_template(name="Needed", is_active=False), make_template(name="Own", is_active=False)
    address = f"{url('badgerequirement', 'add')}?template={template.pk}"
    page = client.get(address)
    assert "Needed (inactive)" in text(page)
    assert f'<option value="{template.pk}">' not in page.content.decode()
    done = submit(client, address, {"needs_badge": needed.pk, "event_type": None})
    assert not errors(done) or "added" in errors(done)
    requirement = template.requirements.get()
    assert (requirement.needs_badge, requirement.event_type) == (needed, AWARDED_TYPE)
    # And back to an event, by the page of the requirement.
    change = url("badgerequirement", "change", requirement.pk)
    assert submit(client, change).status_code == 200
    requirement.refresh_from_db()
    assert requirement.needs_badge == needed


def test_without_a_badge_an_event_is_needed(client: Any) -> None:
    template = make_template()
    done = submit(client, f"{url('badgerequirement', 'add')}?template={template.pk}", {"event_type": ""})
    assert "required" in errors(done)


def test_rules_beside_a_needed_badge_are_refused(client: Any) -> None:
    needed, template = make_template(), make_template(is_active=False)
    done = submit(
        client,
        f"{url('badgerequirement', 'add')}?template={template.pk}",
        {"needs_badge": needed.pk, "event_type": AWARDED_TYPE, **rules(("template.name", "eq", "A"))},
    )
    assert re.search("has no rules|Select a valid choice", errors(done))
    assert not template.requirements.exists()


def test_a_choice_that_closes_a_circle_of_active_badges_is_refused(client: Any) -> None:
    first, second = make_template(name="A"), make_template(name="B")
    needs_badge(first, second)
    requires_course(second)
    done = submit(client, f"{url('badgerequirement', 'add')}?template={second.pk}", {"needs_badge": first.pk})
    assert "“B” needs “A”, “A” needs “B”" in errors(done)
    assert second.requirements.count() == 1


def test_rules_that_close_a_circle_of_active_badges_are_refused(client: Any, settings: Any) -> None:
    settings.BADGES_CONFIG = {"events": [AWARDED_TYPE]}
    first, second = make_template(name="A"), make_template(name="B")
    needs_badge(first, second)
    requires_course(second)
    done = submit(
        client,
        f"{url('badgerequirement', 'add')}?template={second.pk}",
        {"event_type": AWARDED_TYPE, **rules(("template.uuid", "eq", str(first.uuid)))},
    )
    assert "“B” needs “A”, “A” needs “B”" in errors(done)
    assert second.requirements.count() == 1


def test_deactivating_a_needed_badge_is_warned_of(client: Any) -> None:
    needed, template = make_template(name="A"), make_template(name="B")
    requires_course(needed)
    needs_badge(template, needed)
    done = submit(client, url("badgetemplate", "change", needed.pk), {"is_active": None})
    assert "“B” needs this badge" in text(done)
    needed.refresh_from_db()
    assert not needed.is_active


def test_deleting_a_needed_badge_is_refused_with_the_names(client: Any) -> None:
    needed, template = make_template(name="A"), make_template(name="B")
    needs_badge(template, needed)
    page = client.post(url("badgetemplate", "delete", needed.pk), {"post": "yes"}, follow=True)
    assert "“A” is needed by “B”" in text(page)
    assert BadgeTemplate.objects.filter(pk=needed.pk).exists()


def test_reviews_any_number_of_badges_with_the_same_queries(django_assert_num_queries: Any, lower: Lower) -> None:
    lower(activation, REVIEWED_AT_ONCE=5)
    needed = make_template(name="needed", is_active=False)

    def add(name: str) -> BadgeTemplate:
        template = make_template(name=name)
        requirement = requires_course(template, group="any")
        requires_course(template, "course-v1:Org+Other+Run", group="any")
        needs_badge(template, needed)
        penalizes_failing(template, requirement)
        return template

    empty, first = make_template(name="empty"), add("first")
    with CaptureQueriesContext(connection) as captured:
        list(api.review_active())
    others = [add(name) for name in ("second", "third", "fourth")]
    with django_assert_num_queries(len(captured)):
        reviews = {review.template_id: review for review in api.review_active()}
    assert set(reviews) == {template.pk for template in (empty, first, *others)}
    for pk, review in reviews.items():
        template = BadgeTemplate.objects.get(pk=pk)
        assert review.problems == api.activation_problems(template)
        assert review.warnings == [*api.activation_confirmations(template), *api.activation_warnings(template)]
    assert reviews[empty.pk].problems
    assert reviews[others[0].pk].warnings
    add("one more than at once")
    assert len(list(api.review_active())) == 6
