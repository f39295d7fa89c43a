"""Badges that were awarded before the site signed them."""

from __future__ import annotations

from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from badges_plugin.distribution import registry
from badges_plugin.distribution.api import queue_earlier
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.open_badges import earlier
from badges_plugin.distribution.open_badges.backend import OpenBadgesBackend
from badges_plugin.models import BadgeTemplate
from tests.distribution.worlds import deliver
from tests.factories import make_template, make_user, requires_course, send_passing
from tests.limits import Lower
from tests.open_badges.signed import signed


def sign(**options: Any) -> str:
    output = StringIO()
    call_command("badges_sign_awards", stdout=output, stderr=StringIO(), **options)
    return output.getvalue()


@pytest.fixture
def held(template: BadgeTemplate) -> BadgeTemplate:
    """A badge that five learners earned before the site signed it; one lost it again."""
    registry.unregister(OpenBadgesBackend.slug)
    users = [make_user() for _ in range(5)]
    for user in users:
        send_passing(user, minute=1)
    send_passing(users[0], minute=2, is_passing=False)
    registry.register(OpenBadgesBackend())
    return template


def test_what_is_held_is_signed_in_parts_and_once(held: BadgeTemplate, lower: Lower) -> None:
    lower(earlier, AT_ONCE=3)
    assert "4 badges would be" in sign(dry_run=True)
    assert not Delivery.objects.exists()
    assert "4 badges were queued" in sign()
    assert deliver() == {"done": 4}
    assert len(signed()) == 4
    assert "0 badges were queued" in sign()


def test_one_template_alone_and_one_that_is_not_signed(held: BadgeTemplate) -> None:
    other = make_template(site=held.site, origin="elsewhere")
    requires_course(other)
    with pytest.raises(CommandError, match="signs none of these"):
        sign(template=[other.uuid])
    with pytest.raises(CommandError, match="no badge template"):
        sign(template=[uuid4()])
    assert "4 badges would be" in sign(template=[held.uuid], dry_run=True)


def test_an_award_that_ends_meanwhile_is_not_signed(held: BadgeTemplate) -> None:
    part = earlier._some([held], after=0)
    send_passing(part[0].user, minute=3, is_passing=False)
    assert queue_earlier(part, OpenBadgesBackend.slug) == 4
    assert deliver() == {"done": 3, "cancelled": 1}
    assert len(signed()) == 3
