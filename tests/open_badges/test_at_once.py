"""Several workers that sign for a new site at the same instant: one issuer, one key, and no place in a list twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.sites.models import Site

from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.open_badges.models import IssuerProfile, SignedBadge, SigningKey
from badges_plugin.models import BadgeTemplate
from tests.distribution.worlds import deliver
from tests.factories import make_user, send_passing
from tests.meanwhile import in_a_thread

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]

WORKERS = 3


@in_a_thread
def _work(number: int) -> Any:
    return deliver(concurrency=2)


def test_nothing_is_made_twice(site_that_signs: Site, template: BadgeTemplate) -> None:
    for _ in range(40):
        send_passing(make_user())
    with ThreadPoolExecutor(WORKERS) as pool:
        done = list(pool.map(_work, range(WORKERS)))

    assert sum(each.get("done", 0) for each in done) == 40
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
    assert (IssuerProfile.objects.count(), SigningKey.objects.count()) == (1, 1)
    rows = list(SignedBadge.objects.select_related("status_list").order_by("pk"))
    assert len({(row.status_list_id, row.status_index) for row in rows if row.signed_at}) == 40
    assert sum({row.status_list_id: row.status_list.reserved for row in rows}.values()) == 40
