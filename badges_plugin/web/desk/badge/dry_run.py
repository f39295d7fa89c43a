"""Who has done already what a badge is about to ask for, by what is on record of other badges.

What learners did is kept with the requirement that it fulfilled, under a fingerprint of its rules. A requirement of
another badge that means the same tells who would fulfill this one; a badge that is needed, who holds it. Nothing is
written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet

from badges_plugin.counting import in_words
from badges_plugin.models import BadgeAward, BadgeRequirement, BadgeTemplate, Fulfillment

MOST = 20_000
"""Learners that are looked at for one line. Where there are more, what is counted is a lower bound."""


@dataclass(frozen=True)
class DryRun:
    """How many learners have done everything, and how many lack one thing. They may have the badge already."""

    complete: int = 0
    nearly: int = 0
    is_cut: bool = False
    """Whether there may be more."""
    unknown: int = 0
    """Requirements about which nothing is on record: no other badge ever asked for the same."""

    @property
    def complete_words(self) -> str:
        return in_words(self.complete, MOST)

    @property
    def nearly_words(self) -> str:
        return in_words(self.nearly, MOST)


def who_would_have(template: BadgeTemplate) -> DryRun:
    """Return who has done what a template in memory asks for. Four queries at most, and one for each requirement."""
    requirements = list(template.requirements.all())
    if not requirements:
        return DryRun()
    same = _same(requirements)
    is_cut, unknown = False, 0
    done: dict[int, frozenset[int]] = {}
    for requirement in requirements:
        learners = _learners(requirement, same.get(requirement.digest(), ()))
        unknown += learners is None
        found = list(learners[: MOST + 1]) if learners is not None else []
        is_cut = is_cut or len(found) > MOST
        done[requirement.pk] = frozenset(found)
    lacking = _lacking(requirements, done)
    return DryRun(
        complete=sum(number == 0 for number in lacking.values()),
        nearly=sum(number == 1 for number in lacking.values()),
        is_cut=is_cut,
        unknown=unknown,
    )


def _lacking(requirements: Collection[BadgeRequirement], done: dict[int, frozenset[int]]) -> Counter[int]:
    """Return how many things each learner lacks who has done any."""
    groups: dict[int | None, list[BadgeRequirement]] = {}
    for each in requirements:
        groups.setdefault(each.group_id, []).append(each)
    everybody = frozenset[int]().union(*done.values())
    lacking: Counter[int] = Counter(dict.fromkeys(everybody, 0))
    for group_id, members in groups.items():
        group = members[0].group
        needed = len(members) if group_id is None or group is None else group.needed
        have = Counter(user for each in members for user in done[each.pk])
        for user in everybody:
            lacking[user] += max(0, needed - have[user])
    return lacking


def _same(requirements: Iterable[BadgeRequirement]) -> dict[str, list[BadgeRequirement]]:
    """Return stored requirements of any badge that mean the same as one of these, by digest. Two queries."""
    wanted = Q(pk__in=[])
    for each in requirements:
        for rule in each.existing_rules():
            # One of its rules is enough to find it among all: the rest is compared here.
            wanted |= Q(event_type=each.event_type, rules__key_path=rule.key_path, rules__value=rule.value)
            break
    rows = BadgeRequirement.objects.filter(wanted).distinct().order_by("pk").prefetch_related("rules")
    digests = {each.digest() for each in requirements}
    found: dict[str, list[BadgeRequirement]] = {}
    for row in rows:
        if (digest := row.digest()) in digests:
            found.setdefault(digest, []).append(row)
    return found


def _learners(requirement: BadgeRequirement, same: Collection[BadgeRequirement]) -> QuerySet[Fulfillment, int] | None:
    """Return the keys of users who have done it; None if nothing on record could tell."""
    if requirement.needs_badge_id is not None:
        held = BadgeAward.objects.filter(progress__template=requirement.needs_badge_id, revoked_at=None)
        users: QuerySet[Fulfillment, int] = held.order_by().values_list("progress__user", flat=True).distinct()  # type: ignore[assignment]
        return users
    counts = Q(pk__in=[])
    for each in same:
        validity = each.validity()
        counts |= Q(requirement=each.pk, is_fulfilled=True, made_under__in=[validity.current, *validity.kept])
    if not same:
        return None
    rows = Fulfillment.objects.filter(counts).order_by()
    if requirement.count == 1:
        return rows.values_list("progress__user", flat=True).distinct()
    counted = rows.annotate(user=F("progress__user")).values("user").annotate(values=Count("value_key", distinct=True))
    return counted.filter(values__gte=requirement.count).values_list("user", flat=True)
