"""Badge templates of the built-in app become ours, with their requirements and penalties."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from badges_plugin import host
from badges_plugin.activation import activate_template
from badges_plugin.adoption import conditions
from badges_plugin.adoption.adopters import Adopter
from badges_plugin.adoption.conditions import Translation
from badges_plugin.adoption.found import FoundTemplate
from badges_plugin.adoption.grouping import Grouping, Need, SameGroup, grouping
from badges_plugin.conf import DEFAULT_EVENTS
from badges_plugin.exceptions import ActivationRefused, BadgesError, ConfirmationNeeded
from badges_plugin.models import BadgeRequirement, BadgeTemplate, RulesetVersion

MAX_ICON_LENGTH = 500


class Setup(enum.Enum):
    """What there is of the rules of a badge here."""

    COPIED = "copied"
    """Nothing yet: they are copied."""
    SAME = "the same"
    """They were copied before, or staff have set up the same."""
    OWN = "other rules"
    """Staff have set up something else."""
    IMPOSSIBLE = "not copied"
    """Some mean something else here."""


class SetUpMeanwhile(BadgesError):
    """The badge was set up here since it was looked at; the message is its name."""


@dataclass
class Plan:
    """What becomes of one template."""

    found: FoundTemplate
    adopter: Adopter
    row: Any
    """The template in the built-in app's table for its provider."""
    own: BadgeTemplate | None
    setup: Setup
    translation: Translation
    grouping: Grouping
    needs: tuple[Need, ...]
    """What the badge asks for here, in the keys of the built-in app."""
    requirements: Mapping[int, BadgeRequirement] = field(default_factory=dict)
    """Ours, by the keys of those of the built-in app; of rules that are to be copied, once they are."""

    @property
    def matched(self) -> frozenset[int]:
        """The keys of the requirements whose fulfillments can be adopted."""
        return frozenset(self.translation.requirements if self.setup is Setup.COPIED else self.requirements)


def plan(found: FoundTemplate, adopter: Adopter, row: Any, same_group: SameGroup) -> Plan:
    """Return what is to become of a template. Changes nothing."""
    own = adopter.own_template(row)
    translation = conditions.translate(found)
    wanted = grouping(found.requirements, same_group, unnamed=_("Any of these"))
    requirements, penalties = _conditions_of(own)
    if not requirements and not penalties:
        setup = Setup.IMPOSSIBLE if translation.problems else Setup.COPIED
        return Plan(found, adopter, row, own, setup, translation, wanted, wanted.needs)
    matched = conditions.matching(requirements, found, translation)
    needs = conditions.needs_of(requirements, matched)
    is_same = (
        not translation.problems and conditions.is_same(needs, wanted.needs) and penalties == len(translation.penalties)
    )
    return Plan(found, adopter, row, own, Setup.SAME if is_same else Setup.OWN, translation, wanted, needs, matched)


def write(planned: Plan) -> None:
    """Save our template, inactive where it is new, and its conditions where there are none."""
    with transaction.atomic():
        RulesetVersion.hold()
        # Somebody else may have set it up since it was looked at, or another run of this.
        if planned.adopter.own_template(planned.row) != planned.own or _has_changed(planned):
            raise SetUpMeanwhile(planned.found.name)
        if planned.own is None:
            planned.own = planned.adopter.make_template(planned.row, _values(planned.found))
        if planned.setup is Setup.COPIED:
            planned.requirements = conditions.write(planned.own, planned.found, planned.translation, planned.grouping)


def _has_changed(planned: Plan) -> bool:
    """Whether a template that had no conditions has some now."""
    return planned.setup in (Setup.COPIED, Setup.IMPOSSIBLE) and any(_conditions_of(planned.own))


def finish(planned: Plan) -> str:
    """Activate our template if it is ``ready``; switch the other one off. Returns why it was refused after all.

    The last step: as long as the other one is active, its adoption is not finished.
    """
    if planned.own is None:
        return ""
    with transaction.atomic():
        reason = ""
        if is_ready(planned):
            try:
                activate_template(planned.own)
            except (ActivationRefused, ConfirmationNeeded) as error:
                reason = str(error)
        # Not by its own ``save``, which would only write what is there once more.
        models = host.builtin_models()
        models["BadgeTemplate"].objects.filter(pk=planned.found.pk, is_active=True).update(is_active=False)
    return reason


def should_be_active(planned: Plan) -> bool:
    """Whether the other one was active, and ours, with the same rules, is not yet."""
    is_active = planned.own is not None and planned.own.is_active
    return planned.found.is_active and planned.setup in (Setup.COPIED, Setup.SAME) and not is_active


def is_ready(planned: Plan) -> bool:
    """Whether ours is to be activated, and nobody has to look at it before."""
    return should_be_active(planned) and not planned.grouping.is_doubtful and not obstacles(planned)


def obstacles(planned: Plan) -> list[str]:
    """Return, in sentences for staff, why ours cannot be active, or what must be confirmed before."""
    refusal = planned.adopter.refusal(planned.own, planned.row)
    found = [refusal] if refusal else []
    if not planned.found.requirements:
        found.append(_("The badge template has no requirements."))
    return [*found, *conditions.confirmations(planned.found, planned.translation)]


def has_unusual_events(found: FoundTemplate) -> bool:
    """Whether the learner of some event may be wrong: that app takes the first person in it, by attribute name."""
    return any(condition.event_type not in DEFAULT_EVENTS for condition in (*found.requirements, *found.penalties))


def _conditions_of(own: BadgeTemplate | None) -> tuple[list[BadgeRequirement], int]:
    if own is None:
        return [], 0
    rows = own.requirements.select_related("group").prefetch_related("rules").order_by("pk")
    return list(rows), own.penalties.count()


def _values(found: FoundTemplate) -> dict[str, object]:
    is_link = found.icon.lower().startswith(("https://", "http://")) and len(found.icon) <= MAX_ICON_LENGTH
    return {
        "uuid": found.uuid,
        "site_id": found.site_id,
        "name": found.name,
        "description": found.description,
        "icon": found.icon if is_link else "",
        "is_active": False,
    }


def is_taken(found: FoundTemplate) -> bool:
    """Whether another badge here has the identity of a template."""
    return BadgeTemplate.objects.filter(uuid=found.uuid).exists()
