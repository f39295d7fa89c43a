"""An erased learner: nothing of the document is left, and its address says that it is gone."""

from __future__ import annotations

from typing import Any

from badges_plugin import api as core
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.open_badges import api
from badges_plugin.distribution.open_badges.models import SignedBadge
from badges_plugin.host import User
from badges_plugin.models import BadgeTemplate
from tests.distribution.worlds import deliver
from tests.factories import make_user, send_passing
from tests.open_badges.signed import is_listed, signed


def retire(user: Any) -> None:
    """As the host does: a query, without a signal."""
    User.objects.filter(pk=user.pk).update(username=f"retired__user_{user.pk}", email="x@retired.invalid")
    core.sweep_retired()


def test_of_an_erased_learner_only_the_identifier_is_left(template: BadgeTemplate, ada: Any) -> None:
    other = make_user()
    for user in (ada, other):
        send_passing(user)
    deliver()
    [mine, theirs] = signed()
    listed = is_listed(mine)
    retire(ada)

    gone = api.find_document(mine.uuid)
    assert gone is not None
    assert (gone.is_erased, gone.json_text, gone.jwt, gone.url) == (True, "", "", mine.url)
    assert SignedBadge.objects.get(uuid=mine.uuid).salt == ""
    assert listed is False, "what they keep elsewhere is theirs"
    assert api.verify(mine.json_text).outcome != api.Outcome.TAMPERED
    assert api.verify(mine.url, is_public=lambda award: True).outcome == api.Outcome.NOT_OURS
    assert api.find_document(theirs.uuid) == theirs


def test_what_was_signed_is_erased_when_its_delivery_is_long_gone(template: BadgeTemplate, ada: Any) -> None:
    send_passing(ada)
    deliver()
    [document] = signed()
    Delivery.objects.all().delete()  # as is done two years after a badge ended
    retire(ada)
    gone = SignedBadge.objects.get(uuid=document.uuid)
    assert (gone.document, gone.jwt, gone.salt, gone.erased_at is None) == ("", "", "", False)


def test_what_waits_for_a_learner_who_is_retired_is_not_signed(template: BadgeTemplate, ada: Any) -> None:
    send_passing(ada)
    User.objects.filter(pk=ada.pk).update(email="x@retired.invalid")
    deliver()
    assert (signed(), Delivery.objects.get().state) == ([], "cancelled")
    assert not SignedBadge.objects.exists()


def test_a_user_who_is_deleted_takes_everything_along(template: BadgeTemplate, ada: Any) -> None:
    send_passing(ada)
    deliver()
    [document] = signed()
    ada.delete()
    assert api.find_document(document.uuid) is None
