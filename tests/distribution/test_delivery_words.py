"""How deliveries stand and what came of attempts, in words. No database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from badges_plugin.distribution.data import Action, Place
from badges_plugin.distribution.delivery_words import Shape, outcome_of, state_of
from badges_plugin.distribution.models import AttemptOutcome, Channel, Delivery
from badges_plugin.distribution.retry import State


def delivery(action: Action, state: State, *, backend: str = "fake", **channel: Any) -> Delivery:
    return Delivery(action=action, state=state, backend=backend, channel=Channel(backend=backend, **channel))


@pytest.mark.parametrize(
    ("action", "state", "shape", "text"),
    [
        (Action.ISSUE, State.PENDING, Shape.WAIT, "Waiting to be sent to Fake"),
        (Action.ISSUE, State.SENDING, Shape.WAIT, "Being sent to Fake"),
        (Action.ISSUE, State.DONE, Shape.OK, "Delivered to Fake"),
        (Action.ISSUE, State.FAILED, Shape.BAD, "Not at Fake: needs you"),
        (Action.ISSUE, State.GIVEN_UP, Shape.LOST, "Given up: not sent to Fake"),
        (Action.ISSUE, State.CANCELLED, Shape.LOST, "Cancelled: not sent to Fake"),
        (Action.REVOKE, State.PENDING, Shape.WAIT, "Waiting to be revoked at Fake"),
        (Action.REVOKE, State.SENDING, Shape.WAIT, "Being revoked at Fake"),
        (Action.REVOKE, State.DONE, Shape.OK, "Revoked at Fake"),
        (Action.REVOKE, State.FAILED, Shape.BAD, "Not revoked at Fake: needs you"),
        (Action.REVOKE, State.GIVEN_UP, Shape.LOST, "Given up: not revoked at Fake"),
        (Action.REVOKE, State.CANCELLED, Shape.LOST, "Nothing to revoke at Fake"),
        (Action.CORRECT, State.PENDING, Shape.WAIT, "Corrected name waiting to be sent to Fake"),
        (Action.CORRECT, State.SENDING, Shape.WAIT, "Name being corrected at Fake"),
        (Action.CORRECT, State.DONE, Shape.OK, "Name corrected at Fake"),
        (Action.CORRECT, State.FAILED, Shape.BAD, "Name not corrected at Fake: needs you"),
        (Action.CORRECT, State.GIVEN_UP, Shape.LOST, "Given up: name not corrected at Fake"),
        (Action.CORRECT, State.CANCELLED, Shape.LOST, "Name need not be corrected at Fake"),
    ],
)
def test_every_state_has_a_shape_and_words(action: Action, state: State, shape: Shape, text: str) -> None:
    assert state_of(delivery(action, state), "Fake", None) == (shape, text)


def test_no_state_is_without_words() -> None:
    told = {state_of(delivery(action, state), "Fake", None) for action in Action for state in State}
    assert len(told) == len(Action) * len(State)


@pytest.mark.parametrize(
    ("place", "shape", "text"),
    [
        (Place.WAITING, Shape.OK, "Delivered to Fake; the learner has not accepted it yet"),
        (Place.DECLINED, Shape.LOST, "Declined by the learner at Fake"),
        (Place.THERE, Shape.OK, "Delivered to Fake"),
    ],
)
def test_what_the_learner_did_there_is_told(place: Place, shape: Shape, text: str) -> None:
    assert state_of(delivery(Action.ISSUE, State.DONE), "Fake", place) == (shape, text)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("is_resting", [False, True])
def test_an_account_that_stands_still_holds_its_deliveries(action: Action, is_resting: bool) -> None:
    how: dict[str, Any] = {"paused_reason": "The key is wrong."}
    if is_resting:
        how = {"rest_until": timezone.now() + timedelta(minutes=5)}
    shape, text = state_of(delivery(action, State.PENDING, **how), "Fake", None)
    assert shape is Shape.WAIT
    assert "on hold" in text.lower()


@pytest.mark.parametrize(
    ("action", "state_text", "attempt_text"),
    [
        (Action.ISSUE, "Signed by this site", "Signed by this site."),
        (Action.REVOKE, "Its signature is revoked", "Its signature was revoked."),
    ],
)
def test_what_the_site_signs_itself_is_sent_nowhere(action: Action, state_text: str, attempt_text: str) -> None:
    row = delivery(action, State.DONE, backend="open_badges")
    assert state_of(row, "Open Badges", None) == (Shape.OK, state_text)
    assert outcome_of(AttemptOutcome.DELIVERED, row) == (Shape.OK, attempt_text)


def test_every_outcome_has_words_of_its_own() -> None:
    for action in Action:
        row = delivery(action, State.PENDING)
        told = {outcome: outcome_of(outcome, row) for outcome in AttemptOutcome}
        assert len(set(told.values())) == len(AttemptOutcome)
        assert all("%(provider)s" in text for _shape, text in told.values())
        assert told[AttemptOutcome.PERMANENT][0] is told[AttemptOutcome.BUG][0] is Shape.BAD
