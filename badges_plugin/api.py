"""What the rest of the project, and other packages, may ask of the core.

``__all__`` is the promise; everything else below this module is free to change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from openedx_events.data import EventsMetadata

from badges_plugin import earlier, retirement, surprises
from badges_plugin.data import BadgingEvent
from badges_plugin.earlier import Earlier
from badges_plugin.events import read_event
from badges_plugin.exceptions import ActivationRefused, ConfirmationNeeded
from badges_plugin.models import BadgeAward, BadgePenalty, BadgeRequirement, BadgeTemplate
from badges_plugin.models.requirements import EventCondition
from badges_plugin.models.validity import RuleText
from badges_plugin.processing import collector, learners
from badges_plugin.processing.erasure import sweep as sweep_retired
from badges_plugin.processing.history import HistoryChanges, process_history
from badges_plugin.processing.outbox import publish_pending
from badges_plugin.processing.pipeline import Outcome, process_batch, process_event

__all__ = [
    "BadgingEvent",
    "ConfirmationNeeded",
    "Earlier",
    "HistoryChanges",
    "Outcome",
    "activate_template",
    "activation_confirmations",
    "activation_problems",
    "activation_warnings",
    "condition_warnings",
    "confirmations",
    "deactivate_template",
    "forget_fulfillments",
    "handle_event",
    "keep_fulfillments",
    "process_batch",
    "process_event",
    "process_history",
    "publish_pending",
    "read_event",
    "restore_credential",
    "revoke_award",
    "sweep_retired",
    "undecided_fulfillments",
    "undecided_fulfillments_after",
]


def handle_event(name: str, metadata: EventsMetadata, arguments: Mapping[str, object]) -> Outcome:
    """Read and apply what a public signal carried.

    ``arguments`` are the signal's keyword arguments, such as ``course_passing_status``. Raises IgnoredEvent
    for an event that must not be applied, with the reason.
    """
    return process_event(read_event(name, metadata, arguments))


def revoke_award(award: BadgeAward, *, reason: str) -> bool:
    """Revoke an award by hand or because a provider says so. Returns False when it was revoked already.

    The learner earns the badge again only by losing a requirement and fulfilling it anew. Of a learner who was retired
    no reason is kept.
    """
    with transaction.atomic():
        user = learners.lock(award.progress.user_id)
        award.refresh_from_db()
        award.progress.user = user
        if award.revoked_at is not None:
            return False
        if retirement.is_gone(user):
            reason = ""  # it may name them
        collector.revoke(award, reason=reason, by_hand=True)
    return True


def restore_credential(award: BadgeAward) -> bool:
    """Make the host's user credential of a badge say again what its awards say. Returns False when it did.

    For a credential that was changed behind our back: its type, template, user name or status.
    """
    with transaction.atomic():
        learners.lock(award.progress.user_id)
        award.refresh_from_db()
        return collector.restore_credential(award)


def activate_template(template: BadgeTemplate, *, confirmed: bool = False) -> None:
    """Start processing a template.

    Raises ActivationRefused with every reason why it cannot work, and ConfirmationNeeded for what somebody must want
    (see ``activation_confirmations``), unless it is ``confirmed``.
    """
    problems = activation_problems(template)
    if problems:
        raise ActivationRefused(" ".join(problems))
    if not confirmed and (unconfirmed := activation_confirmations(template)):
        raise ConfirmationNeeded(" ".join(unconfirmed))
    _set_active(template, True)


def deactivate_template(template: BadgeTemplate) -> None:
    """Stop processing a template. Learners keep what they have."""
    _set_active(template, False)


def activation_problems(template: BadgeTemplate) -> list[str]:
    """Return, in sentences for staff, why the template as it is stored cannot be active. Empty: it can."""
    requirements = list(template.requirements.select_related("group").prefetch_related("rules"))
    penalties = list(template.penalties.prefetch_related("rules", "requirements"))
    problems = [] if requirements else [_("The badge template has no requirements.")]
    problems += surprises.group_problems(requirements)
    for condition in [*requirements, *penalties]:
        try:
            condition.clean()
        except ValidationError as error:
            problems.extend(f"{condition}: {message}" for message in error.messages)
    for penalty in penalties:
        if not penalty.rules.all():
            problems.append(_("Penalty “%(penalty)s” has no rules.") % {"penalty": penalty})
        if not {linked.pk for linked in penalty.requirements.all()} & {item.pk for item in requirements}:
            problems.append(_("Penalty “%(penalty)s” resets no requirement.") % {"penalty": penalty})
    return problems


def activation_warnings(template: BadgeTemplate) -> list[str]:
    """Return what is allowed but may surprise, in sentences for staff; see also ``activation_confirmations``."""
    return surprises.template_warnings(template)


def activation_confirmations(template: BadgeTemplate) -> list[str]:
    """Return, in sentences for staff, what must be confirmed before: who fails is awarded, say. Empty: nothing."""
    return surprises.template_confirmations(template)


def condition_warnings(condition: EventCondition) -> list[str]:
    """Return what can never match, or hardly what was meant, in a stored requirement or penalty."""
    judged = surprises.stored(condition)
    return surprises.condition_warnings(judged) if judged is not None else []


def confirmations(name: str, condition: EventCondition, rules: Iterable[RuleText]) -> list[str]:
    """Return what must be confirmed before a requirement or penalty of that name is saved with these rules."""
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


def _set_active(template: BadgeTemplate, is_active: bool) -> None:
    if template.is_active != is_active:
        template.is_active = is_active
        template.save(update_fields=["is_active", "modified"])
