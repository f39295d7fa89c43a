"""The public API of the core, for the rest of the project and for other packages in the same process.

``__all__`` is the promise; everything below this module is free to change. A name that is only imported here has its
contract in the docstring where it is defined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import transaction
from openedx_events.data import EventsMetadata

from badges_plugin import earlier, retirement, surprises
from badges_plugin.activation import (
    activate_template,
    activation_confirmations,
    activation_problems,
    activation_warnings,
    deactivate_template,
    deactivation_warnings,
    deletion_problems,
    dependency_problems,
    review_active,
    review_unsaved,
)
from badges_plugin.data import BadgingEvent
from badges_plugin.earlier import Earlier
from badges_plugin.events import read_event
from badges_plugin.exceptions import ConfirmationNeeded
from badges_plugin.models import DECIDED, BadgeAward, BadgePenalty, BadgeRequirement, BadgeTemplate, Ending
from badges_plugin.models.conditions import EventCondition
from badges_plugin.models.validity import RuleText
from badges_plugin.processing import collector, learners
from badges_plugin.processing.erasure import sweep as sweep_retired
from badges_plugin.processing.expiry import end_expired
from badges_plugin.processing.history import HistoryChanges, process_histories, process_history
from badges_plugin.processing.holding import badge_events
from badges_plugin.processing.outbox import publish_pending
from badges_plugin.processing.pipeline import Outcome, process_batch, process_event

__all__ = [
    "BadgingEvent",
    "ConfirmationNeeded",
    "Earlier",
    "Ending",
    "HistoryChanges",
    "Outcome",
    "activate_template",
    "activation_confirmations",
    "activation_problems",
    "activation_warnings",
    "badge_events",
    "condition_warnings",
    "confirmations",
    "deactivate_template",
    "deactivation_warnings",
    "deletion_problems",
    "dependency_problems",
    "end_expired",
    "forget_fulfillments",
    "handle_event",
    "keep_fulfillments",
    "process_batch",
    "process_event",
    "process_histories",
    "process_history",
    "publish_pending",
    "read_event",
    "restore_credential",
    "review_active",
    "review_unsaved",
    "revoke_award",
    "sweep_retired",
    "undecided_fulfillments",
    "undecided_fulfillments_after",
]


def handle_event(name: str, metadata: EventsMetadata, arguments: Mapping[str, object]) -> Outcome:
    """Read and apply the event that a public signal carried; return the outcome.

    ``name`` is the event type; ``arguments`` are the signal's keyword arguments, such as ``course_passing_status``.
    Raises IgnoredEvent, with the reason, for an event that must not be applied; its subclass DeferredEvent for one that
    may be applied later; UnusableEventType for a type that no badge can use. Any other exception means that nothing of
    the event was applied.
    """
    return process_event(read_event(name, metadata, arguments))


def revoke_award(award: BadgeAward, *, reason: str, ended_by: Ending = Ending.BY_HAND) -> bool:
    """Revoke an award by hand or, with ``Ending.PROVIDER``, because a provider says so.

    Returns False when it had ended already.

    The learner earns the badge again only by losing a requirement and fulfilling it anew. Of a learner who was retired
    no reason is kept. Raises ValueError for an ending that nobody decides.
    """
    if ended_by not in DECIDED:
        raise ValueError(f"{ended_by} is no decision of a person or a provider.")
    with transaction.atomic():
        user = learners.lock(award.progress.user_id)
        award.refresh_from_db()
        award.progress.user = user
        if award.revoked_at is not None:
            return False
        if retirement.is_gone(user):
            reason = ""  # it may name them
        collector.revoke(award, ended_by=ended_by, reason=reason)
    return True


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
