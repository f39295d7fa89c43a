"""What the built-in app's rules, groups and badges are taken for. Pure: no database."""

from __future__ import annotations

from uuid import uuid1, uuid4, uuid5

import pytest

from badges_plugin.adoption.adopters import Fate, fate_of
from badges_plugin.adoption.found import FoundCondition, FoundRule
from badges_plugin.adoption.grouping import Need, SameGroup, grouping, is_complete
from badges_plugin.adoption.rules import MeansSomethingElse, TranslatedRule, translated
from badges_plugin.data import ValueKind, adopted_id, is_adopted
from badges_plugin.distribution.accounts.adoption import deliveries_of
from badges_plugin.distribution.retry import State
from badges_plugin.processing.badge_events import NAMESPACE

KINDS = {
    "is_passing": ValueKind.BOOLEAN,
    "course.course_key": ValueKind.TEXT,
    "grade": ValueKind.NUMBER,
    "tags": ValueKind.LIST,
}


@pytest.mark.parametrize(
    ("key_path", "value", "means"),
    [
        # Words for a truth value, and no others.
        *[("is_passing", word, "true") for word in ("True", "true", "Yes", "yes", "+")],
        *[("is_passing", word, "false") for word in ("False", "false", "No", "no", "-")],
        ("course.course_key", "course-v1:Demo+Badges+1", "course-v1:Demo+Badges+1"),
        ("grade", "5", "5"),
        ("grade", "0.9", "0.9"),
    ],
)
@pytest.mark.parametrize("operator", ["eq", "ne"])
def test_rules_that_mean_the_same_are_copied(key_path: str, value: str, means: str, operator: str) -> None:
    assert translated(FoundRule(key_path, operator, value), KINDS) == TranslatedRule(key_path, operator, means)


@pytest.mark.parametrize(
    ("key_path", "value", "why"),
    [
        ("course.nope", "x", "no usable value"),
        # "True" == str(True), but here 1 and TRUE are true as well: there they never were.
        ("is_passing", "1", "true or false there"),
        ("is_passing", "TRUE", "true or false there"),
        ("is_passing", "true ", "true or false there"),
        # A text is never "True", which is what "Yes" was read as.
        ("course.course_key", "Yes", "truth value"),
        # We trim: it would begin to match.
        ("course.course_key", "course-v1:Demo+Badges+1 ", "blanks"),
        ("course.course_key", "\tx", "blanks"),
        # Compared as texts: "0.90" is not "0.9".
        ("grade", "0.90", "no number"),
        ("grade", "much", "no number"),
    ],
)
@pytest.mark.parametrize(("operator", "effect"), [("eq", "never applied"), ("ne", "applied to every event")])
def test_rules_that_would_mean_something_else_are_refused(
    key_path: str, value: str, why: str, operator: str, effect: str
) -> None:
    with pytest.raises(MeansSomethingElse, match=why) as refusal:
        translated(FoundRule(key_path, operator, value), KINDS)
    assert effect in str(refusal.value)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (FoundRule("grade", "gt", "1"), "no operator"),
        (FoundRule("course.course_key", "eq", ""), "empty"),
        (FoundRule("tags", "eq", "x"), "cannot compare"),
    ],
)
def test_rules_that_are_impossible_here_are_refused(rule: FoundRule, why: str) -> None:
    with pytest.raises(MeansSomethingElse, match=why):
        translated(rule, KINDS)


def requirements(*groups: str | None) -> list[FoundCondition]:
    return [FoundCondition(number, "type", (), group=group) for number, group in enumerate(groups, 1)]


def need(*members: int, name: str = "") -> Need:
    return Need(frozenset(members), name=name)


@pytest.mark.parametrize(
    ("groups", "meaning", "needs", "is_doubtful"),
    [
        ([], "ask", [], False),
        (["A"], "ask", [need(1)], False),
        ([None], "ask", [need(1)], False),
        (["A", "B", None], "ask", [need(1), need(2), need(3)], False),
        (["A", "A"], "ask", [need(1, 2, name="A")], True),
        (["A", "A"], "any", [need(1, 2, name="A")], False),
        (["A", "A"], "all", [need(1), need(2)], False),
        # Documented as "all", worked as one group more.
        ([None, None, "B"], "ask", [need(1, 2, name="Any"), need(3)], True),
        ([None, None, "B"], "any", [need(1, 2, name="Any"), need(3)], False),
        ([None, None, "B"], "all", [need(1), need(2), need(3)], False),
        # Two groups there; one name to people.
        (["a", "A", "a", "A"], "any", [need(1, 3, name="a"), need(2, 4, name="A (2)")], False),
        # A name that nobody sees.
        ([" ", " "], "any", [need(1, 2, name="Any")], False),
    ],
)
def test_requirements_with_the_same_group(
    groups: list[str | None], meaning: str, needs: list[Need], is_doubtful: bool
) -> None:
    found = grouping(requirements(*groups), SameGroup(meaning), unnamed="Any")
    assert (list(found.needs), found.is_doubtful) == (needs, is_doubtful)


@pytest.mark.parametrize(
    ("needs", "done", "complete"),
    [
        ([], {1}, False),
        ([need(1)], set(), False),
        ([need(1, 2), need(3)], {1}, False),
        ([need(1, 2), need(3)], {2, 3}, True),
        ([Need(frozenset({1, 2, 3}), 2)], {1}, False),
        ([Need(frozenset({1, 2, 3}), 2)], {1, 3}, True),
    ],
)
def test_what_is_complete(needs: list[Need], done: set[int], complete: bool) -> None:
    assert is_complete(needs, frozenset(done)) is complete


CREDLY = {"issued": {"pending", "accepted", "rejected"}, "revoked": {"revoked"}}


@pytest.mark.parametrize(
    ("status", "state", "is_known", "fate"),
    [
        *[("awarded", state, True, Fate.ISSUED) for state in ("pending", "accepted", "rejected")],
        # Unreachable; refused; a state that no code sets.
        *[("awarded", state, False, Fate.LOST) for state in ("created", "error", "no_response")],
        # Sumac: passed, failed, passed again, and the second issue was lost. The id is that of the first badge.
        ("awarded", "revoked", True, Fate.LOST),
        ("awarded", "error", True, Fate.LOST),
        ("revoked", "revoked", True, Fate.REVOKED),
        # The revocation was refused, or nobody answered.
        ("revoked", "error", True, Fate.REVOCATION_LOST),
        ("revoked", "pending", True, Fate.REVOCATION_LOST),
        # Something was taken from a learner who had no badge.
        ("revoked", "created", False, Fate.NEVER_AWARDED),
        ("revoked", "error", False, Fate.NEVER_AWARDED),
    ],
)
def test_what_a_badge_is(status: str, state: str, is_known: bool, fate: Fate) -> None:
    assert fate_of(status, state, is_known=is_known, **CREDLY) is fate


@pytest.mark.parametrize(
    ("fate", "deliveries"),
    [
        (Fate.ISSUED, [("issue", State.DONE, False, "7")]),
        (Fate.LOST, [("issue", State.FAILED, True, "")]),
        (Fate.REVOKED, [("issue", State.DONE, False, "7"), ("revoke", State.DONE, False, "7")]),
        (Fate.REVOCATION_LOST, [("issue", State.DONE, False, "7"), ("revoke", State.FAILED, True, "")]),
    ],
)
def test_nothing_is_queued_and_what_is_unknown_needs_attention(fate: Fate, deliveries: list[object]) -> None:
    made = list(deliveries_of(fate, "7"))
    assert [(each["action"], each["state"], each["in_doubt"], each["external_id"]) for each in made] == deliveries
    assert all(bool(each["last_error"]) is each["in_doubt"] for each in made)


def test_ids_of_adopted_progress_are_their_own_and_are_recognized() -> None:
    ids = [adopted_id(key) for key in (0, 1, 2**31, 2**56 - 1)]
    assert len(set(ids)) == len(ids)
    assert all(map(is_adopted, ids))
    assert adopted_id(7) == adopted_id(7)
    # MariaDB refuses versions that it does not know.
    assert {each.version for each in ids} == {4}
    assert not any(map(is_adopted, (uuid1(), uuid4(), uuid5(NAMESPACE, "x"))))
