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
    by_slug: dict[str, list[BadgeAward]] = defaultdict(list)
    for award in rows.order_by("pk"):
        for backend in registry.responsible_for(award.template):
            by_slug[backend.slug].append(award)
    if not by_slug:
        return {}
    done = set(
        Delivery.objects.filter(award__in=award_ids, action=Action.ISSUE, state=State.DONE).values_list(
            "award", "backend"
        )
    )
    found: dict[int, list[Standing]] = defaultdict(list)
    for slug, awards in sorted(by_slug.items()):
        backend = registry.get(slug)
        known = backend.at_provider(awards)
        for award in awards:
            delivered = Place.THERE if (award.pk, slug) in done else Place.ON_ITS_WAY
            found[award.pk].append(Standing(slug, str(backend.name), known.get(award.pk, AtProvider(delivered))))
    return {pk: tuple(each) for pk, each in found.items()}
