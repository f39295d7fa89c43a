"""A badge that is given back, at its provider: the same one where that is possible, otherwise a new one; never two."""

from __future__ import annotations

from typing import Any

import pytest

from badges_plugin import api
from badges_plugin.distribution import deciding
from badges_plugin.distribution.exceptions import PermanentFailure, TransientFailure
from badges_plugin.distribution.models import Delivery
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.distribution.fakes import Provider
from tests.distribution.worlds import deliver, let_time_pass
from tests.factories import make_user, send_passing


def rows() -> list[tuple[int, str, str]]:
    return list(Delivery.objects.order_by("pk").values_list("award__number", "action", "state"))


@pytest.fixture
def award(ada: Any, template: BadgeTemplate, provider: Provider) -> BadgeAward:
    send_passing(ada)
    return BadgeAward.objects.get()


def revoke_and_give_back(award: BadgeAward) -> None:
    api.revoke_award(award, reason="Wrong list")
    api.give_back(award, reason="My mistake")


def test_what_was_revoked_there_is_issued_anew(award: BadgeAward, provider: Provider) -> None:
    deliver()
    api.revoke_award(award, reason="Wrong list")
    deliver()
    api.give_back(award)
    deliver()
    assert provider.badges == {"badge-1": "revoked", "badge-2": "pending"}
    assert rows() == [(1, "issue", "done"), (1, "revoke", "done"), (2, "issue", "done")]


def test_what_was_not_revoked_there_yet_stays(award: BadgeAward, provider: Provider) -> None:
    deliver()
    revoke_and_give_back(award)
    deliver()
    assert (provider.badges, provider.issues) == ({"badge-1": "pending"}, 1)
    assert rows() == [(1, "issue", "done"), (1, "revoke", "cancelled"), (2, "issue", "done")]
    assert Delivery.objects.get(action="revoke").last_error == "The badge was given back before it was revoked there."

    api.revoke_award(BadgeAward.objects.latest("number"), reason="After all")
    deliver()
    assert provider.badges == {"badge-1": "revoked"}


def test_what_never_was_there_is_issued_once(award: BadgeAward, provider: Provider) -> None:
    revoke_and_give_back(award)
    deliver()
    assert rows() == [(1, "issue", "cancelled"), (2, "issue", "done")]
    assert provider.badges == {"badge-1": "pending"}


@pytest.mark.parametrize("staff_gave_up", [False, True])
def test_what_could_not_be_revoked_there_stays(award: BadgeAward, provider: Provider, staff_gave_up: bool) -> None:
    deliver()
    provider.before = [PermanentFailure("replaced", status=422)]
    api.revoke_award(award, reason="Wrong list")
    deliver()
    revocation = Delivery.objects.get(action="revoke")
    if staff_gave_up:
        deciding.give_up([revocation.pk], by=make_user(), because="x")
    api.give_back(award)
    deliver()
    assert (provider.badges, provider.issues) == ({"badge-1": "pending"}, 1)
    assert rows()[1:] == [(1, "revoke", "cancelled"), (2, "issue", "done")]


def test_a_revocation_that_may_have_been_carried_out_goes_first(award: BadgeAward, provider: Provider) -> None:
    deliver()
    api.revoke_award(award, reason="Wrong list")
    # What a worker leaves that got no answer.
    provider.revoke("badge-1")
    Delivery.objects.filter(action="revoke").update(in_doubt=True, last_error=TransientFailure("no answer").reason)
    api.give_back(award)
    let_time_pass()
    deliver()
    assert rows() == [(1, "issue", "done"), (1, "revoke", "done"), (2, "issue", "done")]
    assert provider.badges == {"badge-1": "revoked", "badge-2": "pending"}


@pytest.mark.parametrize("state", ["failed", "given_up"])
def test_a_revocation_in_doubt_goes_first_whatever_became_of_it(
    award: BadgeAward, provider: Provider, state: str
) -> None:
    deliver()
    api.revoke_award(award, reason="Wrong list")
    Delivery.objects.filter(action="revoke").update(state=state, in_doubt=True)
    api.give_back(award)
    let_time_pass()
    deliver()
    assert rows() == [(1, "issue", "done"), (1, "revoke", "done"), (2, "issue", "done")]
    assert provider.badges == {"badge-1": "revoked", "badge-2": "pending"}
