"""Awards by hand, and their undoing: on the path of all awards, in the same transaction as whoever gave them.

A learner who has the badge keeps the award that there is: giving it twice changes nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin.models import ADDITION, CHANGE
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from badges_plugin import instances, retirement, staff_log
from badges_plugin.exceptions import AwardRefused
from badges_plugin.fulfillment_rows import FulfillmentRow
from badges_plugin.host import User
from badges_plugin.models import (
    BadgeAward,
    BadgeProgress,
    BadgeTemplate,
    Correction,
    CorrectionKind,
    Ending,
    ManualAward,
)
from badges_plugin.models.awards import BEFORE
from badges_plugin.processing import awarding, collector, learners, locking, progression, terms
from badges_plugin.processing.awarding import End, Grant
from badges_plugin.processing.collector import BEFORE_ENDED_AT
from badges_plugin.processing.pipeline import with_current_ruleset
from badges_plugin.processing.terms import Term
from badges_plugin.reasons import MAX_LENGTH
from badges_plugin.ruleset import Ruleset


class Given(enum.Enum):
    """What became of one learner who was to get a badge by hand."""

    AWARDED = "awarded"
    HAS_IT = "has it"
    GONE = "gone"
    """The account was deleted, or its learner retired."""


@dataclass(frozen=True)
class Gift:
    """What is given, by whom and why. ``awarded_at``: the date of the badges; now, if it is None."""

    template_id: int
    reason: str
    given_by_id: int | None = None
    awarded_at: datetime | None = None
    list_id: int | None = None


@dataclass(frozen=True)
class ByHand:
    """Stands where a change of progress does if events award: nothing that the learner did made it."""

    progress: BadgeProgress

    def made_by(self, counts_from: datetime | None) -> list[FulfillmentRow]:
        return []


Result = tuple[Given, BadgeAward | None]
"""What became of a learner, and the award that they have now: the new one, or the one that was there."""


def give(gift: Gift, user_ids: Collection[int]) -> dict[int, Result]:
    """Give a badge to learners, in one transaction; return what became of each, by key.

    Raises AwardRefused when the badge cannot be given now. Any exception means that nothing was given.
    """

    def work(ruleset: Ruleset) -> dict[int, Result]:
        with transaction.atomic():
            held = hold(user_ids)
            return dict.fromkeys(user_ids, (Given.GONE, None)) | give_to(ruleset, gift, held)

    return with_current_ruleset(work)


def undo(award: BadgeAward, *, reason: str, by_id: int | None) -> bool:
    """Take back an award by hand; see ``undo_all``. Returns False when it had ended already."""

    def work(ruleset: Ruleset) -> bool:
        with transaction.atomic():
            held = lock({award.progress.user_id})
            return award.pk in undo_all(ruleset, {award.pk}, held, reason=reason, by_id=by_id)

    return with_current_ruleset(work)


def lock(user_ids: Collection[int]) -> dict[int, User]:
    """Lock the learners who are still there until the end of the transaction."""
    there = User.objects.filter(pk__in=user_ids).values_list("pk", flat=True)
    return {pk: user for pk, (user, _profile) in learners.lock_all(there).items()}


def hold(user_ids: Collection[int]) -> dict[int, User]:
    """Lock the learners who are still there and not retired, and let badges know them from now on."""
    there = User.objects.filter(pk__in=user_ids).values_list("pk", flat=True)
    return locking.hold_living(there)


def refusal(template: BadgeTemplate, awarded_at: datetime | None) -> str:
    """Return, in a sentence for staff, why a badge cannot be given with this date; empty if it can."""
    now = timezone.now()
    if not template.is_active:
        return _("“%(badge)s” is not active. Only active badges can be given.") % {"badge": template}
    if awarded_at is None:
        return ""
    if awarded_at > now:
        return _("The day of the award is in the future.")
    expires_at = template.expires_at(awarded_at)
    if expires_at is not None and expires_at <= now:
        return _("With this day of the award, the badge would have expired by now.")
    return ""


def give_to(ruleset: Ruleset, gift: Gift, held: Mapping[int, User]) -> dict[int, Result]:
    """Give a badge to learners, who are held. A fixed number of statements."""
    ruleset.must_be_current({gift.template_id})
    template = BadgeTemplate.objects.get(pk=gift.template_id)
    if problem := refusal(template, gift.awarded_at):
        raise AwardRefused(problem)
    progresses = progression.begun(template, [held[pk] for pk in sorted(held)])
    last = _last_awards(progresses)
    last |= _expired(ruleset, list(last.values()))
    results: dict[int, Result] = {}
    grants = []
    for progress in progresses:
        award = last.get(progress.pk)
        if award is not None and award.revoked_at is None:
            results[progress.user_id] = (Given.HAS_IT, award)
        else:
            grants.append(Grant(ByHand(progress), award, _term(template, award, gift.awarded_at)))
    awards = [award for award in awarding.grant(grants) if award is not None]
    _explain(awards, gift)
    return results | {award.progress.user_id: (Given.AWARDED, award) for award in awards}


def _explain(awards: Sequence[BadgeAward], gift: Gift) -> None:
    reason = gift.reason[:MAX_LENGTH]
    ManualAward.objects.bulk_create(
        ManualAward(award=award, given_by_id=gift.given_by_id, reason=reason, list_id=gift.list_id) for award in awards
    )
    said = _("Given by hand: %s") % reason if reason else _("Given by hand.")
    _log(awards, gift.given_by_id, ADDITION, said)


def _term(template: BadgeTemplate, last: BadgeAward | None, awarded_at: datetime | None) -> Term:
    begins = terms.after(last.revoked_at if last else None, awarded_at or timezone.now())
    return Term(begins, template.expires_at(begins))


def _last_awards(progresses: Sequence[BadgeProgress]) -> dict[int, BadgeAward]:
    """Return the newest award of each progress that has one. One query."""
    of_key = {progress.pk: progress for progress in progresses}
    last = {}
    rows = BadgeAward.objects.filter(progress__in=of_key.keys()).select_related("credential").order_by("number")
    for award in rows if of_key else ():
        award.progress = of_key[award.progress_id]
        last[award.progress_id] = award
    return last


def _expired(ruleset: Ruleset, awards: Sequence[BadgeAward]) -> dict[int, BadgeAward]:
    """End awards whose time is over, which nobody has noticed yet; return the renewed ones, by progress."""
    now = timezone.now()
    due = [
        each for each in awards if each.revoked_at is None and each.expires_at is not None and each.expires_at <= now
    ]
    collector.expire(due)
    return _award_the_earners(ruleset, due) if due else {}


def undo_all(
    ruleset: Ruleset, award_ids: Collection[int], held: Mapping[int, User], *, reason: str, by_id: int | None
) -> set[int]:
    """Take back awards by hand, each of another learner who is locked, as if they had never been.

    Returns the keys of those that were taken back: not of those that had ended. Whoever has earned the badge meanwhile
    is awarded it by what they did.
    """
    rows = BadgeAward.objects.filter(pk__in=award_ids, progress__user__in=held, revoked_at=None, by_hand__isnull=False)
    awards = list(rows.select_related("progress__template", "credential").order_by("pk"))
    ruleset.must_be_current({award.progress.template_id for award in awards})
    instances.relate([award.progress for award in awards], "user", [held[award.progress.user_id] for award in awards])
    gone = retirement.retired_among(award.progress.user for award in awards)
    living = [award for award in awards if award.progress.user_id not in gone]
    before, reason = _awards_before(awards), reason[:MAX_LENGTH]
    awarding.end(
        [
            End(
                award,
                Ending.UNDONE,
                reason="" if award.progress.user_id in gone else reason,  # it may name them
                facts=_facts_before(before.get(award.progress_id)),
            )
            for award in awards
        ]
    )
    said = _("Award by hand undone: %s") % reason if reason else _("Award by hand undone.")
    _log(living, by_id, CHANGE, said)
    _award_the_earners(ruleset, living)
    return {award.pk for award in awards}


def _facts_before(before: BadgeAward | None) -> dict[str, str]:
    """Return how and when the last award ended that was not undone, given the award before one that is undone."""
    ended_at = collector.last_end(before)
    ending = before.last_ending if before is not None else ""
    return {BEFORE: ending} | ({BEFORE_ENDED_AT: ended_at.isoformat()} if ended_at is not None else {})


def _awards_before(awards: Sequence[BadgeAward]) -> dict[int, BadgeAward]:
    """Return, by progress, the award before each. Two queries or none.

    One that was given back goes on with the award before it, whose end was a mistake: they count as one.
    """
    numbers = {award.progress_id: award.number for award in awards if award.number > 1}
    if not numbers:
        return {}
    corrections = Correction.objects.filter(kind=CorrectionKind.GIVEN_BACK, progress__in=numbers)
    given_back = set(corrections.values_list("award", flat=True))
    found: dict[int, BadgeAward] = {}
    belongs = {award.progress_id for award in awards}
    for row in BadgeAward.objects.filter(progress__in=numbers).order_by("-number"):
        key = row.progress_id
        if row.number > numbers[key] or key in found:
            continue
        if key not in belongs:
            found[key] = row
        elif row.pk not in given_back:
            belongs.discard(key)
    return found


def _award_the_earners(ruleset: Ruleset, ended: Sequence[BadgeAward]) -> dict[int, BadgeAward]:
    """Award those who have done all that is asked for what they did; return the new awards, by progress.

    Without the award by hand they would have it.
    """
    of_progress = {
        award.progress_id: award for award in ended if ruleset.templates.get(award.progress.template_id) is not None
    }
    stored = progression.stored([award.progress for award in of_progress.values()], ruleset)
    earned = [
        change
        for change in stored
        if change.is_complete and collector.may_award(change, of_progress[change.progress.pk])
    ]
    awards = collector.award(earned, [of_progress[change.progress.pk] for change in earned])
    return {award.progress_id: award for award in awards if award is not None}


def _log(awards: Sequence[BadgeAward], user_id: int | None, flag: int, said: str) -> None:
    """Write to the history of each award who did what."""
    if user_id is not None:
        staff_log.note(user_id, BadgeAward, awards, said, flag=flag)
