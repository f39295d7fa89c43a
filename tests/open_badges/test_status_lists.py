"""Places in status lists: all different, in no order that anybody could guess, and never valid again."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from django.db.models import QuerySet

from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.open_badges import status_bits, status_lists
from badges_plugin.distribution.open_badges.models import IssuerProfile, SignedBadge, StatusList, new_seed
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.distribution.worlds import deliver
from tests.factories import make_user, send_passing
from tests.open_badges.signed import is_listed, signed

SEED = "5e" * 32


def test_places_are_a_permutation() -> None:
    # Both ends and a stretch: the map of 2 ** 18 numbers is a permutation for any round function.
    places = [*range(500), *range(status_lists.LENGTH - 500, status_lists.LENGTH)]
    indices = [status_lists.index_of(SEED, place) for place in places]
    assert len(set(indices)) == len(places)
    assert 0 <= min(indices) <= max(indices) < status_lists.LENGTH
    steps = [second - first for first, second in pairwise(indices)]
    assert len(set(steps)) > len(steps) * 0.9, "neighbors do not follow one another"
    assert indices != [status_lists.index_of(new_seed(), place) for place in places]


def test_when_a_list_is_full_the_next_one_begins(template: BadgeTemplate) -> None:
    issuer = IssuerProfile.objects.create(site=template.site, name="I", url="https://i.org", base_url="https://i.org")
    first = StatusList.objects.create(issuer=issuer, base_url=issuer.base_url, reserved=status_lists.LENGTH - 2)
    found = list(status_lists.reserve(issuer, 5))
    assert [each.pk == first.pk for each, _index in found] == [True, True, False, False, False]
    assert len(set(found)) == 5
    assert list(StatusList.objects.order_by("pk").values_list("reserved", flat=True)) == [status_lists.LENGTH, 3]


def test_another_base_url_begins_another_list(template: BadgeTemplate) -> None:
    issuer = IssuerProfile.objects.create(site=template.site, name="I", url="https://i.org", base_url="https://i.org")
    [(first, _)] = status_lists.reserve(issuer, 1)
    issuer.base_url = "https://moved.example.org"
    [(second, _)] = status_lists.reserve(issuer, 1)
    assert (first.base_url, second.base_url) == ("https://i.org", "https://moved.example.org")


def test_a_place_that_another_worker_took_meanwhile_is_not_given_twice(
    template: BadgeTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = IssuerProfile.objects.create(site=template.site, name="I", url="https://i.org", base_url="https://i.org")
    [(row, taken)] = status_lists.reserve(issuer, 1)
    # As if the row had been read before that: the first attempt to write finds it changed.
    stale = iter([StatusList(pk=row.pk, issuer=issuer, base_url=row.base_url, seed=row.seed, reserved=0)])
    of_database = QuerySet.first
    monkeypatch.setattr(QuerySet, "first", lambda rows: next(stale, None) or of_database(rows))
    [(_, index)] = status_lists.reserve(issuer, 1)
    assert index != taken


def test_what_is_revoked_stays_revoked_when_its_award_is_deleted(template: BadgeTemplate, ada: Any) -> None:
    bob = make_user()
    for user in (ada, bob):
        send_passing(user, minute=1)
    deliver()
    send_passing(ada, minute=2, is_passing=False)
    deliver()
    row = SignedBadge.objects.get(award__progress__user=ada)
    index, list_pk = row.status_index, row.status_list_id
    BadgeAward.objects.filter(progress__user=ada).delete()

    send_passing(bob, minute=2, is_passing=False)
    deliver()

    bits = status_lists.bits_of(StatusList.objects.get(pk=list_pk))
    assert status_bits.is_set(bits, index)
    assert sum(byte.bit_count() for byte in bits) == 2


def test_a_burst_of_revocations_is_signed_together_and_only_once(template: BadgeTemplate) -> None:
    users = [make_user() for _ in range(5)]
    for user in users:
        send_passing(user, minute=1)
    deliver()
    for user in users[:4]:
        send_passing(user, minute=2, is_passing=False)
    deliver()
    assert [is_listed(document) for document in signed()] == [True] * 4 + [False]
    before = StatusList.objects.get().signed
    assert status_lists.sign_changed() is False
    assert StatusList.objects.get().signed == before
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
