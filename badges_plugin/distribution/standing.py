"""Where badges are at their providers, for pages and mails that learners see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from badges_plugin.distribution import registry
from badges_plugin.distribution.data import Action, AtProvider, Place
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.retry import State
from badges_plugin.models import BadgeAward


@dataclass(frozen=True)
class Standing:
    """How one badge stands at one provider. ``provider`` is its name for people."""

    slug: str
    provider: str
    at: AtProvider


def standings(award_ids: Collection[int]) -> dict[int, tuple[Standing, ...]]:
    """Return how badges stand at each provider that gets them, by the keys of their awards.

    Two queries, and those of each backend, for any number of awards. The links are the learner's own.
    """
    rows = BadgeAward.objects.filter(pk__in=award_ids).select_related("progress__template", "credential")
    by_backend = registry.by_backend(list(rows.order_by("pk")), registry.responsible_for)
    if not by_backend:
        return {}
    done = set(
        Delivery.objects.filter(award__in=award_ids, action=Action.ISSUE, state=State.DONE).values_list(
            "award", "backend"
        )
    )
    found: dict[int, list[Standing]] = defaultdict(list)
    for backend, awards in by_backend:
        known = backend.at_provider(awards)
        for award in awards:
            delivered = Place.THERE if (award.pk, backend.slug) in done else Place.ON_ITS_WAY
            at = known.get(award.pk, AtProvider(delivered))
            found[award.pk].append(Standing(backend.slug, str(backend.name), at))
    return {pk: tuple(each) for pk, each in found.items()}
