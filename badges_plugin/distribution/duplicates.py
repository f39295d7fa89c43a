"""Explain to staff why a provider refuses a badge as a duplicate of one that is not this learner's."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_noop

from badges_plugin.distribution.exceptions import InTheWay, redacted
from badges_plugin.distribution.reasons import with_detail
from badges_plugin.distribution.retry import Outcome
from badges_plugin.models import BadgeAward

_TAKEN_BY_UNKNOWN = gettext_noop(
    "The provider refuses the badge as a duplicate: somebody unknown here has one at the same e-mail address. "
    "Give the learner another e-mail address, or delete that badge at the provider, and retry."
)
_TAKEN_BY_LEARNER = gettext_noop(
    "The provider refuses the badge as a duplicate: another learner has one at the same e-mail address. "
    "Give this learner another e-mail address, and retry."
)


def badge_in_the_way(outcome: Outcome) -> BadgeAward | None:
    """Return the award whose badge the provider has at the e-mail address, and say so in the reason, without names."""
    if not isinstance(outcome, InTheWay):
        return None
    award = _award_of(outcome.earner_id)
    if award is None:
        reason = with_detail(_TAKEN_BY_UNKNOWN, outcome.reason)
    else:
        detail = f"award {award.pk} of user {award.progress.user_id}; {outcome.reason}"
        reason = with_detail(_TAKEN_BY_LEARNER, detail)
    outcome.reason = redacted(reason)
    return award


def _award_of(earner_id: str) -> BadgeAward | None:
    try:
        credential = UUID(earner_id)
    except ValueError:
        return None
    awards = BadgeAward.objects.filter(credential__uuid=credential).select_related("progress")
    return awards.order_by("-number").first()
