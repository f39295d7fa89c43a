"""What staff correct: revoke a badge, give back what was revoked by mistake, let a learner start again.

Each is one transaction that holds the learner, like an event. Nothing that a learner did is deleted: what is forgotten
does not count any more (``BadgeProgress.counts_from``), as after an award has expired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from badges_plugin import retirement
from badges_plugin.exceptions import AwardRefused
from badges_plugin.fulfillment_rows import FulfillmentRow
from badges_plugin.models import (
    BadgeAward,
    BadgeProgress,
    Correction,
    CorrectionKind,
    Ending,
    ManualAward,
)
from badges_plugin.models.awards import RETURNABLE
from badges_plugin.processing import awarding, collector, learners, terms
from badges_plugin.processing.awarding import Grant
from badges_plugin.processing.terms import Term
from badges_plugin.reasons import MAX_LENGTH
from badges_plugin.signals import badge_given_back
from badges_plugin.times import day_text


@dataclass(frozen=True)
class GivenBack:
    """Stands where a change of progress does if events award: the events are those of the award that comes back."""

    progress: BadgeProgress
    earlier: BadgeAward

    def made_by(self, counts_from: datetime | None) -> Sequence[FulfillmentRow]:
        return [_row(event) for event in self.earlier.events]


def revoke(award: BadgeAward, *, reason: str, ended_by: Ending, forget: bool, by_id: int | None) -> bool:
    """End an award by a decision; see ``api.revoke_award``."""
    with transaction.atomic():
        user = learners.lock(award.progress.user_id)
        award.refresh_from_db()
        # Read again: what counted may have changed since.
        award.progress = BadgeProgress.objects.select_related("template").get(pk=award.progress_id)
        award.progress.user = user
        if award.revoked_at is not None:
            return False
        if retirement.is_gone(user):
            reason = ""  # it may name them
        collector.revoke(award, ended_by=ended_by, reason=reason)
        if ended_by == Ending.BY_HAND:
            before = award.progress.counts_from
            if forget:
                terms.count_from([(award.progress, award.revoked_at)])
            _keep(CorrectionKind.REVOKED, award.progress, award, by_id, forgot=forget, counted_from=before)
    return True


def give_back(award: BadgeAward, *, because: str, by_id: int | None) -> BadgeAward:
    """Award a badge anew as it was before it was revoked; see ``api.give_back``."""
    with transaction.atomic():
        user = learners.lock(award.progress.user_id)
        last = BadgeAward.objects.select_related("progress__template", "credential", "by_hand").get(pk=award.pk)
        last.progress.user = user
        if problem := refusal(last):
            raise AwardRefused(problem)
        begins = terms.after(last.revoked_at, timezone.now())
        [given] = awarding.grant([Grant(GivenBack(last.progress, last), last, Term(begins, last.expires_at))])
        if given is None:
            raise AssertionError("A term with a beginning is always granted.")
        if (by_hand := last.given) is not None:
            ManualAward.objects.create(award=given, given_by_id=by_hand.given_by_id, reason=by_hand.reason)
        _restore(last)
        _keep(CorrectionKind.GIVEN_BACK, last.progress, given, by_id, because=because)
        badge_given_back.send(sender=type(last.template), award=given, earlier=last)
    return given


def refusal(award: BadgeAward) -> str:
    """Return, in a sentence for staff, why an award cannot be given back; empty if it can. Two queries at most."""
    if award.revoked_at is None:
        return _("The learner has this badge.")
    if BadgeAward.objects.filter(progress=award.progress_id, number__gt=award.number).exists():
        return _("The learner has been awarded this badge again since.")
    if award.ended_by == Ending.EXPIRED:
        return _("The badge expired. It can be earned again.")
    if award.ended_by not in RETURNABLE:
        return _("This award was taken back as if it had never been. Give the badge by hand instead.")
    if award.expires_at is not None and award.expires_at <= timezone.now():
        return _("The badge would have expired on %s.") % day_text(award.expires_at)
    if retirement.is_gone(award.user):
        return _("The account of this learner was deleted or retired.")
    return ""


def start_again(progress: BadgeProgress, *, because: str, by_id: int | None) -> bool:
    """Let nothing count that a learner has done so far; see ``api.start_again``."""
    with transaction.atomic():
        user = learners.lock(progress.user_id)
        row = BadgeProgress.objects.get(pk=progress.pk)
        last = row.awards.order_by("-number").first()
        if last is not None and last.revoked_at is None:
            return False
        if retirement.is_gone(user):
            because = ""
        before = row.counts_from
        terms.count_from([(row, terms.after(last.revoked_at if last else None, timezone.now()))])
        _keep(CorrectionKind.STARTED_AGAIN, row, None, by_id, because=because, forgot=True, counted_from=before)
    return True


def _restore(last: BadgeAward) -> None:
    """Let count again what counted when the award ended, if it was forgotten then or later."""
    forgotten = Correction.objects.filter(
        progress=last.progress_id, forgot=True, at__gte=last.revocation_recorded_at or last.revoked_at
    )
    if (first := forgotten.order_by("pk").first()) is not None:
        last.progress.counts_from = first.counted_from
        last.progress.save(update_fields=["counts_from"])


def _keep(
    kind: CorrectionKind,
    progress: BadgeProgress,
    award: BadgeAward | None,
    by_id: int | None,
    *,
    because: str = "",
    forgot: bool = False,
    counted_from: datetime | None = None,
) -> None:
    Correction.objects.create(
        kind=kind,
        progress=progress,
        award=award,
        by_id=by_id,
        because=because[:MAX_LENGTH],
        forgot=forgot,
        counted_from=counted_from if forgot else None,
    )


def _row(event: dict[str, str]) -> FulfillmentRow:
    row = FulfillmentRow.blank(0, "", "")
    row.event_id, row.event_type = UUID(event["id"]), event["type"]
    row.event_time, row.grade = datetime.fromisoformat(event["time"]), event.get("grade", "")
    return row
