"""What staff corrected about learners' badges, and what that means for whoever does not have the badge."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from badges_plugin.models import Correction, CorrectionKind, Ending
from badges_plugin.reading.awards import Award
from badges_plugin.reading.people import name_of
from badges_plugin.reading.standing import BadgeState, LearnerProgress
from badges_plugin.times import day_text


@dataclass(frozen=True)
class Corrected:
    """One correction. ``award_id``: what was revoked, or the new award of what was given back.

    .. pii: Carries what staff wrote, which may name a learner, in memory; never logged.
    .. pii_types: other
    .. pii_retirement: retained
    """

    kind: str
    """A value of ``models.CorrectionKind``."""
    by: str
    """The name of the member of staff; empty where it is not known any more."""
    at: datetime
    because: str
    forgot: bool
    """Whether only what came later counts."""
    award_id: int | None

    @property
    def text(self) -> str:
        """Return it in a sentence: "Revoked by J. Okafor on May 10, 2027: “Wrong course”"."""
        sentence = _sentence(self.kind) % {"by": self.by or _("staff"), "day": day_text(self.at)}
        return f"{sentence}: “{self.because}”" if self.because else f"{sentence}."


def corrections(progress_ids: Collection[int]) -> dict[int, tuple[Corrected, ...]]:
    """Return what staff corrected, oldest first, by progress id. One query."""
    found: dict[int, list[Corrected]] = defaultdict(list)
    rows = Correction.objects.filter(progress__in=progress_ids).select_related("by", "award").order_by("pk")
    for row in rows:
        by = "" if row.by is None else name_of(row.by, otherwise="")
        found[row.progress_id].append(Corrected(row.kind, by, row.at, row.why, row.forgot, row.award_id))
    return {pk: tuple(found[pk]) for pk in progress_ids}


class AfterLoss(enum.StrEnum):
    """What can come of a badge that was revoked."""

    ERASED = "erased"
    """Nothing: its learner was erased."""
    UNDONE = "undone"
    """It had been given by mistake, and can be earned."""
    STAYS = "stays"
    CAN_RETURN = "can return"


def after_loss(
    progress: LearnerProgress, corrected: Sequence[Corrected], *, can_be_reawarded: bool, is_erased: bool = False
) -> AfterLoss:
    """Return whether a badge that was revoked can be earned again. ``corrected``: of this progress. No query."""
    last = progress.awards[-1]
    if is_erased or last.ending == Ending.ERASED:
        return AfterLoss.ERASED
    if last.ending == Ending.UNDONE:
        return AfterLoss.UNDONE
    if _restart(corrected, last) is not None:
        return AfterLoss.CAN_RETURN
    stays = not can_be_reawarded or (last.is_decided and progress.is_complete)
    return AfterLoss.STAYS if stays else AfterLoss.CAN_RETURN


def outlook(progress: LearnerProgress, corrected: Sequence[Corrected], *, can_be_reawarded: bool) -> list[str]:
    """Return, in sentences for staff, why a learner does not have a badge, where the requirements do not tell it.

    Nothing of a badge that is held. No query.
    """
    if progress.state is BadgeState.HELD:
        return []
    last = progress.awards[-1] if progress.awards else None
    restart = _restart(corrected, last)
    if last is None:
        return _on_the_way(progress, restart)
    if progress.state is BadgeState.EXPIRED:
        return [_("The badge expired on %s. It can be earned again.") % day_text(last.ended_at or last.awarded_at)]
    after = after_loss(progress, corrected, can_be_reawarded=can_be_reawarded)
    return [_how_it_ended(last, corrected), *_whether_it_returns(progress, last, restart, after)]


def _restart(corrected: Sequence[Corrected], last: Award | None) -> Corrected | None:
    """Return the last correction after which only what came later counts, if it concerns what comes after ``last``."""
    restart = next((each for each in reversed(corrected) if each.forgot), None)
    return None if restart is not None and last is not None and _was_before(restart, last) else restart


def _was_before(restart: Corrected, last: Award) -> bool:
    """Whether somebody let the learner start again before an award that has ended since."""
    return restart.award_id != last.id and last.ended_at is not None and restart.at < last.ended_at


def _on_the_way(progress: LearnerProgress, restart: Corrected | None) -> list[str]:
    said = [restart.text, _("Only what came later counts.")] if restart else []
    if progress.is_complete and progress.is_active:
        said.append(_("Everything is done. The badge is awarded with the next event that matches."))
    if not progress.is_active:
        said.append(_("This badge is not active, so nobody is awarded it."))
    return said


def _how_it_ended(last: Award, corrected: Sequence[Corrected]) -> str:
    for each in corrected:
        if each.kind == CorrectionKind.REVOKED and each.award_id == last.id:
            return each.text
    day = day_text(last.ended_at or last.awarded_at)
    if last.ending == Ending.BY_HAND:
        return _("Revoked by staff on %(day)s: %(reason)s") % {"day": day, "reason": last.reason}
    return _("Lost on %(day)s: %(reason)s") % {"day": day, "reason": last.reason}


def _whether_it_returns(
    progress: LearnerProgress, last: Award, restart: Corrected | None, after: AfterLoss
) -> list[str]:
    if after is AfterLoss.ERASED:
        return []
    if restart is not None:
        begun = [] if restart.award_id == last.id else [restart.text]
        return [*begun, _("Only what came later counts; by that the badge can be earned again.")]
    if after is AfterLoss.STAYS and last.is_decided and progress.is_complete:
        return [
            _("It stays revoked: what was done for it is kept, so that passing once more brings nothing."),
            _("Give it back, or let the learner start again."),
        ]
    if after is AfterLoss.STAYS:
        return [_("It stays so: this badge can be earned only once. Let the learner start again, or give it back.")]
    return [_("It can be earned again.")]


def _sentence(kind: str) -> str:
    match kind:
        case CorrectionKind.REVOKED:
            return _("Revoked by %(by)s on %(day)s")
        case CorrectionKind.GIVEN_BACK:
            return _("Given back by %(by)s on %(day)s")
    return _("Started again by %(by)s on %(day)s")
