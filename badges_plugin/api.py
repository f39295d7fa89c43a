"""The public API of the core, for the rest of the project and for other packages in the same process.

``__all__`` is the promise; everything below this module is free to change. A name that is only imported here has its
contract in the docstring where it is defined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext
from openedx_events.data import EventsMetadata

from badges_plugin import earlier, surprises
from badges_plugin.activation import (
    activate_template,
    activation_confirmations,
    activation_problems,
    activation_warnings,
    deactivate_template,
    deactivation_warnings,
    deletion_problems,
    dependency_problems,
    drafts,
    drafts_with_problems,
    review_active,
    review_unsaved,
)
from badges_plugin.data import BadgingEvent
from badges_plugin.earlier import Earlier
from badges_plugin.events import read_event
from badges_plugin.exceptions import AwardRefused, ConfirmationNeeded
from badges_plugin.host import User
from badges_plugin.models import (
    DECIDED,
    BadgeAward,
    BadgePenalty,
    BadgeProgress,
    BadgeRequirement,
    BadgeTemplate,
    Ending,
)
from badges_plugin.models.conditions import EventCondition
from badges_plugin.models.validity import RuleText
from badges_plugin.processing import collector, correcting, learners, manual
from badges_plugin.processing.correcting import refusal as give_back_refusal
from badges_plugin.processing.erasure import sweep as sweep_retired
from badges_plugin.processing.expiry import end_expired
from badges_plugin.processing.history import HistoryChanges, process_histories, process_history
from badges_plugin.processing.holding import badge_events
from badges_plugin.processing.manual import refusal as award_refusal
from badges_plugin.processing.manual_lists import forget_old as forget_old_lists
from badges_plugin.processing.manual_lists import go_on as go_on_with_list
from badges_plugin.processing.manual_lists import go_on_with_one as go_on_with_lists
from badges_plugin.processing.manual_lists import start_giving, start_undoing
from badges_plugin.processing.named import Named
from badges_plugin.processing.named import find_named as find_learners
from badges_plugin.processing.outbox import publish_pending
from badges_plugin.processing.pipeline import Outcome, process_batch, process_event
from badges_plugin.processing.rehearsal import BadgeEffect, Effect, Rehearsal, rehearse

__all__ = [
    "AwardRefused",
    "BadgeEffect",
    "BadgingEvent",
    "ConfirmationNeeded",
    "Earlier",
    "Effect",
    "Ending",
    "HistoryChanges",
    "Named",
    "Outcome",
    "Rehearsal",
    "activate_template",
    "activation_confirmations",
    "activation_problems",
    "activation_warnings",
    "award_by_hand",
    "award_refusal",
    "badge_events",
    "condition_warnings",
    "confirmations",
    "deactivate_template",
    "deactivation_warnings",
    "deletion_problems",
    "dependency_problems",
    "drafts",
    "drafts_with_problems",
    "end_expired",
    "find_learners",
    "forget_fulfillments",
    "forget_old_lists",
    "give_back",
    "give_back_refusal",
    "go_on_with_list",
    "go_on_with_lists",
    "handle_event",
    "keep_fulfillments",
    "process_batch",
    "process_event",
    "process_histories",
    "process_history",
    "publish_pending",
    "read_event",
    "rehearse",
    "restore_credential",
    "review_active",
    "review_unsaved",
    "revoke_award",
    "start_again",
    "start_giving",
    "start_undoing",
    "sweep_retired",
    "undecided_fulfillments",
    "undecided_fulfillments_after",
    "undo_award_by_hand",
]


def handle_event(name: str, metadata: EventsMetadata, arguments: Mapping[str, object]) -> Outcome:
    """Read and apply the event that a public signal carried; return the outcome.

    ``name`` is the event type; ``arguments`` are the signal's keyword arguments, such as ``course_passing_status``.
    Raises IgnoredEvent, with the reason, for an event that must not be applied; its subclass DeferredEvent for one that
    may be applied later; UnusableEventType for a type that no badge can use. Any other exception means that nothing of
    the event was applied.
    """
    return process_event(read_event(name, metadata, arguments))


def revoke_award(
    award: BadgeAward,
    *,
    reason: str,
    ended_by: Ending = Ending.BY_HAND,
    forget: bool = False,
    by: User | None = None,
) -> bool:
    """Revoke an award by hand or, with ``Ending.PROVIDER``, because a provider says so.

    Returns False when it had ended already.

    With ``forget``, which is for a revocation by hand, only what the learner does from now on counts, and the badge can
    be earned again by that, even one that can be earned only once. Otherwise the learner earns the badge again only by
    losing a requirement and fulfilling it anew. Of a learner who was retired no reason is kept. Raises ValueError for
    an ending that nobody decides.
    """
    if ended_by not in DECIDED:
        raise ValueError(f"{ended_by} is no decision of a person or a provider.")
    return correcting.revoke(award, reason=reason, ended_by=ended_by, forget=forget, by_id=by.pk if by else None)


def give_back(award: BadgeAward, *, reason: str = "", by: User | None = None) -> BadgeAward:
    """Give back a badge that was revoked by mistake; return the new award.

    It has the events and the end of the earlier one, and begins now: the times of awards only grow. What was forgotten
    when the badge was revoked counts again. At the provider it is the same badge where the provider allows it, and a
    new one where not. Raises AwardRefused with the reason in a sentence (``give_back_refusal``).
    """
    return correcting.give_back(award, because=reason, by_id=by.pk if by else None)


def start_again(progress: BadgeProgress, *, reason: str = "", by: User | None = None) -> bool:
    """Let only count what a learner does from now on; nothing is deleted. Returns False if the learner has the badge.

    A badge that was revoked, and stays so, can be earned again by that.
    """
    return correcting.start_again(progress, because=reason, by_id=by.pk if by else None)


def award_by_hand(
    template: BadgeTemplate,
    user: User,
    *,
    reason: str,
    given_by: User | None = None,
    awarded_at: datetime | None = None,
) -> BadgeAward | None:
    """Give a badge to a learner by hand, whatever it asks for; return the award, or None if the learner has the badge.

    The reason and who gave it are kept with the award. ``awarded_at`` is its date: now, unless it is given. From there
    on it is an award like any other, but no event takes it away. Raises AwardRefused, with the reason in a sentence,
    for a badge that is not active, a date in the future or so long ago that the badge would have expired, and a learner
    who was retired or deleted.
    """
    gift = manual.Gift(template.pk, reason, given_by.pk if given_by else None, awarded_at)
    given, award = manual.give(gift, {user.pk})[user.pk]
    if given is manual.Given.GONE:
        raise AwardRefused(gettext("The account of this learner was deleted or retired."))
    return award if given is manual.Given.AWARDED else None


def undo_award_by_hand(award: BadgeAward, *, reason: str, undone_by: User | None = None) -> bool:
    """Take back an award by hand as if it had never been. Returns False when it had ended already, or was earned.

    Unlike one that is revoked, the learner can earn the badge as before; whoever has done all that it asks for
    meanwhile is awarded it at once.
    """
    return manual.undo(award, reason=reason, by_id=undone_by.pk if undone_by else None)


def restore_credential(award: BadgeAward) -> bool:
    """Make the host's user credential of a badge agree with its awards again. Returns False when it agreed already.

    For a credential whose type, template, user name or status was changed by other code.
    """
    with transaction.atomic():
        learners.lock(award.progress.user_id)
        award.refresh_from_db()
        return collector.restore_credential(award)


def condition_warnings(condition: EventCondition) -> list[str]:
    """Return, in sentences for staff, rules of a stored requirement or penalty that can never match or look wrong."""
    judged = surprises.stored(condition)
    return surprises.condition_warnings(judged) if judged is not None else []


def confirmations(name: str, condition: EventCondition, rules: Iterable[RuleText]) -> list[str]:
    """Return, in sentences for staff, what to confirm before a requirement or penalty is saved with these rules.

    ``name`` is how the sentences call it; ``condition`` need not be saved yet.
    """
    is_penalty = isinstance(condition, BadgePenalty)
    judged = surprises.asked(name, is_penalty=is_penalty, event_type=condition.event_type, rules=rules)
    return surprises.to_confirm(judged) if judged is not None else []


def undecided_fulfillments(template: BadgeTemplate) -> dict[int, Earlier]:
    """Return what learners did under earlier rules, by requirement, where nobody has decided whether it counts.

    Until then it does not. Requirements about which there is nothing to decide are left out.
    """
    return earlier.undecided(template.requirements.prefetch_related("rules"))


def undecided_fulfillments_after(requirement: BadgeRequirement, digest: str) -> Earlier:
    """Return what would be undecided if the requirement had rules of that digest (``models.validity.digest``)."""
    return earlier.undecided_after(requirement, digest)


def keep_fulfillments(requirement: BadgeRequirement, *, before: str = "") -> None:
    """Let what learners did under earlier rules of the requirement count as if it had been done under today's.

    ``before`` is the fingerprint of rules that were just changed (``requirement.validity().current`` before the
    change): an event that is being applied under them is decided about as well. A learner who is complete now is
    awarded at the next event that matches.
    """
    earlier.keep(requirement, before=before)


def forget_fulfillments(requirement: BadgeRequirement, *, before: str = "") -> None:
    """Never count what learners did under earlier rules of the requirement. Those who have the badge keep it.

    ``before`` is as for ``keep_fulfillments``. An event that comes again counts if it matches the rules of today.
    """
    earlier.forget(requirement, before=before)
