"""Make a list of awards by hand out of what staff wrote: whom each line means, and who has the badge already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from badges_plugin import api
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeTemplate, ManualAwardLine, ManualAwardList
from badges_plugin.models.manual_awards import MAX_WRITTEN
from badges_plugin.web.desk.giving.parsing import Entry

_Outcome = ManualAwardLine.Outcome

BATCH = 1_000


def draft(
    template: BadgeTemplate,
    entries: Sequence[Entry],
    *,
    reason: str,
    awarded_at: datetime | None,
    by: User,
) -> ManualAwardList:
    """Save a list of which nothing is given yet. Its number of queries grows with thousands of lines only."""
    named = api.find_learners(list(dict.fromkeys(entry.written for entry in entries)))
    holders = _holders(template, [each.user_id for each in named.values() if each.user_id is not None])
    seen: set[int] = set()
    lines = []
    for entry in entries:
        found = named[entry.written]
        outcome = _outcome(found, seen, holders)
        if found.user_id is not None:
            seen.add(found.user_id)
        lines.append((entry, found.user_id, outcome))
    with transaction.atomic():
        made = ManualAwardList.objects.create(template=template, reason=reason, awarded_at=awarded_at, given_by=by)
        ManualAwardLine.objects.bulk_create(
            (
                ManualAwardLine(
                    list=made,
                    number=entry.number,
                    written=entry.written[:MAX_WRITTEN],
                    user_id=user_id,
                    outcome=outcome,
                )
                for entry, user_id, outcome in lines
            ),
            batch_size=BATCH,
        )
    return made


def correct(line: ManualAwardLine, user: User) -> bool:
    """Let a line that means nobody mean a learner. Returns False if the list is no draft any more, or it does."""
    with transaction.atomic():
        # Locked, so that the list is not confirmed meanwhile, and no other line comes to mean the same learner.
        stored = ManualAwardList.objects.select_for_update().filter(pk=line.list_id).first()
        if stored is None or stored.state != ManualAwardList.State.DRAFT:
            return False
        others = ManualAwardLine.objects.filter(list=line.list_id, user=user)
        outcome = _outcome(
            api.Named(user.pk),
            {user.pk} if others.exists() else set(),
            _holders(line.list.template, [user.pk]),
        )
        rows = ManualAwardLine.objects.filter(pk=line.pk, user=None)
        return bool(rows.update(user=user, written=user.email or user.get_username(), outcome=outcome))


def _outcome(found: api.Named, seen: set[int], holders: set[int]) -> ManualAwardLine.Outcome:
    if found.user_id is None:
        return _Outcome.SEVERAL if found.is_several else _Outcome.UNKNOWN
    if found.user_id in seen:
        return _Outcome.TWICE
    return _Outcome.HAS_IT if found.user_id in holders else _Outcome.WAITING


def _holders(template: BadgeTemplate, user_ids: Sequence[int]) -> set[int]:
    held = BadgeAward.objects.filter(progress__template=template, revoked_at=None).order_by()
    found: set[int] = set()
    for start in range(0, len(user_ids), BATCH):
        some = user_ids[start : start + BATCH]
        found |= set(held.filter(progress__user__in=some).values_list("progress__user", flat=True))
    return found
