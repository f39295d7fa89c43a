"""What the built-in app never delivered: nothing is asked unless staff retry, and then the badge is looked up first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from badges_plugin.distribution.credly.models import CredlyBadge
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.queueing import retry_now
from sandbox.credly import DEMO_KEY, DEMO_ORGANIZATION_ID, CredlySimulator
from sandbox.credly import badges as at_credly
from tests.adoption.world import Builtin, run
from tests.credly.conftest import credly, template_id
from tests.distribution.worlds import deliver
from tests.factories import make_user

__all__ = ["credly"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def theirs(builtin: Builtin, credly: CredlySimulator) -> Any:
    """A template of the built-in app that Credly has."""
    organization = builtin.models.CredlyOrganization.objects.create(
        uuid=UUID(DEMO_ORGANIZATION_ID), name="Demo", api_key=DEMO_KEY
    )
    template = builtin.credly(organization=organization, uuid=template_id(1))
    builtin.requirement(template)
    return template


def issue_as_the_builtin_app_does(credly: CredlySimulator, email: str) -> UUID:
    """Issue a badge at Credly without saying for which credential; return its id."""
    values = {
        "recipient_email": email,
        "issued_to_first_name": "ada",
        "issued_to_last_name": "ada",
        "badge_template_id": str(template_id(1)),
        "issued_at": "2026-01-01 00:00:00 +0000",
    }
    return UUID(at_credly.issue(credly.world, DEMO_ORGANIZATION_ID, values).badge.id)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_badge_that_was_perhaps_never_issued(
    builtin: Builtin, theirs: Any, credly: CredlySimulator, is_there: bool
) -> None:
    ada = make_user(username="ada", email="ada@example.org")
    builtin.badge(theirs, "ada", "awarded", "created")
    known = issue_as_the_builtin_app_does(credly, ada.email) if is_there else None
    run()
    assert deliver() == {}
    assert credly.requests() == []

    retry_now(Delivery.objects.all())
    assert deliver() == {"done": 1}
    (badge,) = credly.badges()
    assert len(credly.requests("issue")) == (0 if is_there else 1)
    assert CredlyBadge.objects.get().external_id == UUID(badge.id)
    assert known in (None, UUID(badge.id))


def test_a_badge_that_was_perhaps_never_revoked(builtin: Builtin, theirs: Any, credly: CredlySimulator) -> None:
    ada = make_user(username="ada", email="ada@example.org")
    known = issue_as_the_builtin_app_does(credly, ada.email)
    builtin.badge(theirs, "ada", "revoked", "error", known)
    run()
    assert deliver() == {}
    assert credly.requests() == []

    retry_now(Delivery.objects.all())
    assert deliver() == {"done": 1}
    assert [(UUID(badge.id), badge.state) for badge in credly.badges()] == [(known, "revoked")]
    assert CredlyBadge.objects.get().state == "revoked"
