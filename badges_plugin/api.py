"""
What the rest of the project, and other packages, may ask of the core.

``__all__`` is the promise; everything else below this module is free to change.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from openedx_events.data import EventsMetadata

from . import conf
from .data import BadgingEvent
from .events import read_event
from .exceptions import ActivationRefused
from .models import BadgeAward, BadgeTemplate
from .models.requirements import impossible_values
from .processing import collector, learners
from .processing.announcements import announce_pending
from .processing.erasure import sweep as sweep_retired
from .processing.history import HistoryChanges, process_history
from .processing.pipeline import Outcome, process_event

__all__ = [
    "BadgingEvent",
    "HistoryChanges",
    "Outcome",
    "activate_template",
    "activation_problems",
    "activation_warnings",
    "announce_pending",
    "deactivate_template",
    "handle_event",
    "process_event",
    "process_history",
    "read_event",
    "revoke_award",
    "sweep_retired",
]


def handle_event(name: str, metadata: EventsMetadata, arguments: Mapping[str, object]) -> Outcome:
    """
    Read and apply what a public signal carried.

    ``arguments`` are the signal's keyword arguments, such as ``course_passing_status``. Raises IgnoredEvent
    for an event that must not be applied, with the reason.
    """
    return process_event(read_event(name, metadata, arguments))


def revoke_award(award: BadgeAward, *, reason: str) -> bool:
    """
    Revoke an award by hand or because a provider says so. Returns False when it was revoked already.

    The learner earns the badge again only by losing a requirement and fulfilling it anew.
    """
    with transaction.atomic():
        user = learners.lock(award.progress.user_id)
        award.refresh_from_db()
        award.progress.user = user
        if award.revoked_at is not None:
            return False
        collector.revoke(award, reason=reason, by_hand=True)
    return True


def activate_template(template: BadgeTemplate) -> None:
    """Start processing a template. Raises ActivationRefused with every reason why it cannot work."""
    problems = activation_problems(template)
    if problems:
        raise ActivationRefused(" ".join(problems))
    _set_active(template, True)


def deactivate_template(template: BadgeTemplate) -> None:
    """Stop processing a template. Learners keep what they have."""
    _set_active(template, False)


def activation_problems(template: BadgeTemplate) -> list[str]:
    """Return, in sentences for staff, why the template as it is stored cannot be active. Empty: it can."""
    requirements = list(template.requirements.prefetch_related("rules"))
    penalties = list(template.penalties.prefetch_related("rules", "requirements"))
    problems = [] if requirements else [_("The badge template has no requirements.")]
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
    """Return what is allowed but may surprise, in sentences for staff."""
    requirements = list(template.requirements.prefetch_related("rules"))
    conditions = [*requirements, *template.penalties.prefetch_related("rules")]
    unused_types = {condition.event_type for condition in conditions} - set(conf.config().events)
    no_rules = _("Requirement “%(requirement)s” has no rules: every event of its type fulfills it.")
    no_key = _("“%(condition)s” waits for “%(value)s” at %(key_path)s: no event has that there. %(example)s")
    no_type = _("Events of type %(event_type)s are not processed: it is not in BADGES_CONFIG.")
    example = _("A course key looks like course-v1:Org+Course+Run.")
    return [
        *(no_rules % {"requirement": each} for each in requirements if not each.rules.all()),
        *(
            no_key % {"condition": condition, "value": value, "key_path": rule.key_path, "example": example}
            for condition in conditions
            for rule in condition.existing_rules()
            for value in impossible_values(condition.event_type, rule)
        ),
        *(no_type % {"event_type": event_type} for event_type in sorted(unused_types)),
    ]


def _set_active(template: BadgeTemplate, is_active: bool) -> None:
    if template.is_active != is_active:
        template.is_active = is_active
        template.save(update_fields=["is_active", "modified"])
