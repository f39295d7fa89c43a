"""End awards whose time is over, and award anew whoever has renewed the badge already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from badges_plugin import retirement
from badges_plugin.database import is_transient
from badges_plugin.host import User
from badges_plugin.logs import get_logger
from badges_plugin.models import BadgeAward
from badges_plugin.processing import collector, learners, progression
from badges_plugin.processing.pipeline import with_current_ruleset
from badges_plugin.redaction import describe
from badges_plugin.ruleset import Ruleset

logger = get_logger(__name__)


AT_ONCE = 50
"""Awards: so few that no delivery waits for long."""


def end_expired(now: datetime, *, limit: int = AT_ONCE) -> bool:
    """End about ``limit`` awards whose time is over. Returns whether there may be more; one query if there are none.

    Any number of processes may do this at the same time: each learner is held meanwhile, with all of their awards that
    are due. One whose awards cannot be ended does not keep the others; transient errors of the database are raised.
    """
    ended = 0
    for user_id in _learners(now, limit):
        ended += _end_quietly(user_id, now)
        if ended >= limit:
            return True
    return False


def _learners(now: datetime, size: int) -> Iterator[int]:
    """Yield whose awards are due, once each; a batch at a time, so that those who fail are passed over."""
    seen: set[int] = set()
    last = 0
    while batch := list(_due(now).filter(pk__gt=last).order_by("pk").values_list("pk", "progress__user_id")[:size]):
        last = batch[-1][0]
        for _, user_id in batch:
            if user_id not in seen:
                seen.add(user_id)
                yield user_id


def _due(now: datetime) -> QuerySet[BadgeAward]:
    return BadgeAward.objects.filter(revoked_at=None, expires_at__lte=now)


def _end_quietly(user_id: int, now: datetime) -> int:
    try:
        return with_current_ruleset(lambda ruleset: _end(ruleset, user_id, now))
    except User.DoesNotExist:
        return 0  # deleted meanwhile, with all awards
    except Exception as error:
        if is_transient(error):
            raise
        logger.error("Expired awards of user %s could not be ended yet: %s", user_id, describe(error))
        return 0


def _end(ruleset: Ruleset, user_id: int, now: datetime) -> int:
    """End what is due of one learner, and award what was renewed, in one transaction."""
    with transaction.atomic():
        user = learners.lock(user_id)
        due = list(
            _due(now).filter(progress__user=user).select_related("progress__template", "credential").order_by("pk")
        )
        ruleset.must_be_current({award.progress.template_id for award in due})
        for award in due:
            award.progress.user = user
        collector.expire(due)
        if due and not retirement.is_gone(user):
            _renew(ruleset, due)
    return len(due)


def _renew(ruleset: Ruleset, ended: Sequence[BadgeAward]) -> None:
    """Award again what the learner has fulfilled again since the renewal opened. Inactive templates award nothing.

    Nor does one that needs a badge that has just ended as well: it hears of that, and of a renewal, later.
    """
    gone = {award.progress.template_id for award in ended}
    of_progress = {
        award.progress_id: award
        for award in ended
        if (template := ruleset.templates.get(award.progress.template_id)) is not None and not template.needs & gone
    }
    stored = progression.stored([award.progress for award in of_progress.values()], ruleset)
    renewed = [change for change in stored if change.is_complete]
    collector.award(renewed, [of_progress[change.progress.pk] for change in renewed])
