"""What learners did under earlier rules of a requirement: who they are, and what staff decide about it.

It counts again once it is kept, and never again once it is forgotten. Both change the requirement, not the
fulfillments: events that are being applied meanwhile, and millions of fulfillments, make no difference. Badges that
were awarded stay either way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from badges_plugin.counting import MOST
from badges_plugin.models import BadgeAward, BadgeRequirement, Fulfillment, RulesetVersion
from badges_plugin.models.validity import Validity, digest_of, number_of


@dataclass(frozen=True)
class Earlier:
    """Learners who fulfilled a requirement under rules that do not count, of whom nobody has decided.

    Counted up to ``counting.MOST``: one more stands for any larger number, and ``holders`` are then those among them.
    """

    learners: int = 0
    holders: int = 0
    """How many of them have the badge."""

    def __bool__(self) -> bool:
        return bool(self.learners)

    @property
    def is_cut(self) -> bool:
        """Whether there are more learners than were counted."""
        return self.learners > MOST


def undecided(requirements: Iterable[BadgeRequirement]) -> dict[int, Earlier]:
    """Return, by primary key, what somebody must decide about.

    One query, one more for each requirement of which there is something, and the rules' where not prefetched.
    """
    return _undecided({requirement.pk: requirement.validity() for requirement in requirements})


def undecided_after(requirement: BadgeRequirement, digest: str) -> Earlier:
    """Return what would be undecided if the rules of a requirement became those of a digest. Two queries at most."""
    return _undecided({requirement.pk: requirement.validity(digest)}).get(requirement.pk, Earlier())


def keep(requirement: BadgeRequirement, *, before: str = "") -> None:
    """Let what was done under earlier rules count under the stored ones.

    ``before`` is the fingerprint of the rules that were just changed: an event may be on its way under them.
    """
    with transaction.atomic():
        stored = _held(requirement)
        validity = stored.validity()
        kept = validity.kept | _open_rules(stored, validity, before)
        stored.kept_rules = {validity.current: sorted(kept)}
        stored.save(update_fields=["kept_rules"])


def forget(requirement: BadgeRequirement, *, before: str = "") -> None:
    """Never count what was done under earlier rules and is not kept. ``before`` is as for ``keep``."""
    with transaction.atomic():
        stored = _held(requirement)
        forgotten = dict(stored.forgotten_rules)
        for made_under in _open_rules(stored, stored.validity(), before):
            digest = digest_of(made_under)
            forgotten[digest] = max(forgotten.get(digest, 0), number_of(made_under) + 1)
        stored.forgotten_rules = forgotten
        stored.save(update_fields=["forgotten_rules"])


def _held(requirement: BadgeRequirement) -> BadgeRequirement:
    """Return the requirement as it is stored, while nobody else changes the configuration."""
    RulesetVersion.hold()
    return BadgeRequirement.objects.get(pk=requirement.pk)


def _open_rules(requirement: BadgeRequirement, validity: Validity, before: str) -> frozenset[str]:
    rows = Fulfillment.objects.filter(requirement=requirement, is_fulfilled=True)
    found = {*rows.order_by().values_list("made_under", flat=True).distinct(), *([before] if before else [])}
    return frozenset(filter(validity.is_open, found))


def _undecided(validities: Mapping[int, Validity]) -> dict[int, Earlier]:
    fulfillments = Fulfillment.objects.filter(requirement__in=list(validities)).order_by()
    fulfilled = fulfillments.filter(is_fulfilled=True)
    open_rules: dict[int, set[str]] = defaultdict(set)
    # Not only what is fulfilled: so MySQL jumps from value to value in the index, instead of reading all of it.
    found = fulfillments.values_list("requirement_id", "is_fulfilled", "made_under").distinct()
    for requirement_id, is_fulfilled, made_under in found:
        if is_fulfilled and validities[requirement_id].is_open(made_under):
            open_rules[requirement_id].add(made_under)
    return {pk: _count(fulfilled.filter(requirement=pk, made_under__in=rules)) for pk, rules in open_rules.items()}


def _count(fulfilled: QuerySet[Fulfillment]) -> Earlier:
    """Count learners: who did several things is one of them."""
    held = Exists(BadgeAward.objects.filter(progress=OuterRef("progress"), revoked_at=None))
    learners = fulfilled.annotate(has_badge=held).values("progress", "has_badge").distinct()[: MOST + 1]
    return Earlier(
        **learners.aggregate(learners=Count("progress"), holders=Count("progress", filter=Q(has_badge=True)))
    )
