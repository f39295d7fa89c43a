"""Words for how deliveries stand, and for what came of their attempts."""

from __future__ import annotations

import enum

from django.utils import timezone
from django.utils.translation import gettext as _

from badges_plugin.distribution.data import Action, Place
from badges_plugin.distribution.models import AttemptOutcome, Channel, Delivery
from badges_plugin.distribution.retry import State

_SIGNED_HERE = "open_badges"
"""The backend that sends nothing anywhere: the site signs the badge itself."""


class Shape(enum.StrEnum):
    """How a page draws a state: the second part of a class of ``desk.css``."""

    OK = "ok"
    WAIT = "wait"
    BAD = "bad"
    LOST = "lost"


def is_on_hold(channel: Channel) -> bool:
    """Whether nothing is sent to an account now."""
    return bool(channel.paused_reason) or channel.is_resting(timezone.now())


def state_of(row: Delivery, provider: str, place: Place | None) -> tuple[Shape, str]:
    """Return how a delivery stands, in a sentence without a full stop. ``place``: where the provider has the badge."""
    if row.action == Action.CORRECT:
        shape, text = _correction_state(row)
    elif row.action == Action.REVOKE:
        shape, text = _revocation_state(row)
    else:
        shape, text = _issue_state(row, place)
    return shape, text % {"provider": provider}


def _issue_state(row: Delivery, place: Place | None) -> tuple[Shape, str]:
    match row.state:
        case State.DONE if row.backend == _SIGNED_HERE:
            return Shape.OK, _("Signed by this site")
        case State.DONE if place is Place.DECLINED:
            return Shape.LOST, _("Declined by the learner at %(provider)s")
        case State.DONE if place is Place.WAITING:
            return Shape.OK, _("Delivered to %(provider)s; the learner has not accepted it yet")
        case State.DONE:
            return Shape.OK, _("Delivered to %(provider)s")
        case State.FAILED:
            return Shape.BAD, _("Not at %(provider)s: needs you")
        case State.GIVEN_UP:
            return Shape.LOST, _("Given up: not sent to %(provider)s")
        case State.CANCELLED:
            return Shape.LOST, _("Cancelled: not sent to %(provider)s")
        case State.SENDING:
            return Shape.WAIT, _("Being sent to %(provider)s")
    if is_on_hold(row.channel):
        return Shape.WAIT, _("On hold: the account at %(provider)s cannot be used now")
    return Shape.WAIT, _("Waiting to be sent to %(provider)s")


def _revocation_state(row: Delivery) -> tuple[Shape, str]:
    match row.state:
        case State.DONE if row.backend == _SIGNED_HERE:
            return Shape.OK, _("Its signature is revoked")
        case State.DONE:
            return Shape.OK, _("Revoked at %(provider)s")
        case State.FAILED:
            return Shape.BAD, _("Not revoked at %(provider)s: needs you")
        case State.GIVEN_UP:
            return Shape.LOST, _("Given up: not revoked at %(provider)s")
        case State.CANCELLED:
            return Shape.LOST, _("Nothing to revoke at %(provider)s")
        case State.SENDING:
            return Shape.WAIT, _("Being revoked at %(provider)s")
    if is_on_hold(row.channel):
        return Shape.WAIT, _("Revocation on hold: the account at %(provider)s cannot be used now")
    return Shape.WAIT, _("Waiting to be revoked at %(provider)s")


def _correction_state(row: Delivery) -> tuple[Shape, str]:
    match row.state:
        case State.DONE:
            return Shape.OK, _("Name corrected at %(provider)s")
        case State.FAILED:
            return Shape.BAD, _("Name not corrected at %(provider)s: needs you")
        case State.GIVEN_UP:
            return Shape.LOST, _("Given up: name not corrected at %(provider)s")
        case State.CANCELLED:
            return Shape.LOST, _("Name need not be corrected at %(provider)s")
        case State.SENDING:
            return Shape.WAIT, _("Name being corrected at %(provider)s")
    if is_on_hold(row.channel):
        return Shape.WAIT, _("Corrected name on hold: the account at %(provider)s cannot be used now")
    return Shape.WAIT, _("Corrected name waiting to be sent to %(provider)s")


def outcome_of(outcome: str, of: Delivery) -> tuple[Shape, str]:
    """Return what came of an attempt, in a sentence with a place for the provider's name."""
    match outcome:
        case AttemptOutcome.DELIVERED:
            return Shape.OK, _delivered(of)
        case AttemptOutcome.ADOPTED:
            return Shape.OK, _found(of)
        case AttemptOutcome.CANCELLED:
            return Shape.LOST, _("Nothing was sent to %(provider)s.")
        case AttemptOutcome.TRANSIENT:
            return Shape.WAIT, _("%(provider)s could not be reached or did not take it. It is tried again by itself.")
        case AttemptOutcome.REJECTED_KEY:
            return Shape.BAD, _("%(provider)s rejected the key of the account. Everything waits until it is corrected.")
        case AttemptOutcome.BUG:
            text = _("An unexpected error happened while sending to %(provider)s. It is not tried again by itself.")
            return Shape.BAD, text
    return Shape.BAD, _("%(provider)s refused it. It is not tried again by itself.")


def _delivered(of: Delivery) -> str:
    if of.action == Action.CORRECT:
        return _("Name corrected at %(provider)s.")
    if of.backend == _SIGNED_HERE:
        return _("Its signature was revoked.") if of.action == Action.REVOKE else _("Signed by this site.")
    return _("Revoked at %(provider)s.") if of.action == Action.REVOKE else _("Delivered to %(provider)s.")


def _found(of: Delivery) -> str:
    if of.action == Action.CORRECT:
        return _("The name was right at %(provider)s already.")
    return (
        _("It was revoked at %(provider)s already.")
        if of.action == Action.REVOKE
        else _("It was at %(provider)s already.")
    )
