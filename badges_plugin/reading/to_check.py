"""Awards that somebody should look at: they were revoked for good, and their learners have earned them anew since."""

from __future__ import annotations

from datetime import datetime, timedelta

from badges_plugin.models import BadgeAward, Fulfillment
from badges_plugin.models.awards import DECIDED
from badges_plugin.reading.corrections import AfterLoss, after_loss, corrections
from badges_plugin.reading.progress import progress_rows

SPAN = timedelta(days=30)
"""How long after the event somebody is asked to look. Who revoked a badge for misconduct has decided already."""
MOST_REVOKED = 500
"""Awards that are looked at, the newest of each ending."""
MOST = 100
"""Awards that are decided about."""


def to_check(now: datetime) -> list[int]:
    """Return the keys of awards that stay revoked although everything was done for them again of late.

    Passing once more brings such a learner nothing: staff give the badge back, or let the learner start again. A fixed
    number of queries, which read few rows however many there are.
    """
    revoked: dict[int, tuple[int, datetime]] = {}
    for ending in DECIDED:
        rows = BadgeAward.objects.filter(ended_by=ending).order_by("-pk")
        for pk, progress, ended_at in rows.values_list("pk", "progress", "revoked_at")[:MOST_REVOKED]:
            if ended_at is not None and pk > revoked.get(progress, (0, now))[0]:
                revoked[progress] = pk, ended_at
    recent = Fulfillment.objects.filter(progress__in=list(revoked), is_fulfilled=True, event_time__gt=now - SPAN)
    done = {
        progress
        for progress, at in recent.order_by().values_list("progress", "event_time")
        if at > revoked[progress][1]
    }
    facts = progress_rows(sorted(done, reverse=True)[:MOST])
    corrected = corrections(list(facts))
    return [
        each.awards[-1].id
        for pk, each in facts.items()
        if each.is_active
        and each.is_complete
        and each.awards[-1].id == revoked[pk][0]
        and after_loss(each, corrected[pk], can_be_reawarded=True) is AfterLoss.STAYS
    ]
