"""Requirements and penalties: which events bring a learner nearer to a badge, and which take it away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.signals import m2m_changed
from django.utils.translation import gettext_lazy as _

from badges_plugin import events
from badges_plugin.criteria import MAX_COUNT, Criterion, Way, way_of
from badges_plugin.models.conditions import AbstractDataRule, EventCondition, in_order_added
from badges_plugin.models.configuration import renew_for_links
from badges_plugin.models.groups import RequirementGroup
from badges_plugin.models.key_paths import refuse_uncountable
from badges_plugin.models.records import Records
from badges_plugin.models.templates import BadgeTemplate
from badges_plugin.models.validity import RuleText, Validity, digest, validity_of
from badges_plugin.rules import Operator

NEEDED_BADGE = "needs_badge"
"""Stands for a key path in the fingerprint of a requirement that needs a badge. Fingerprints are stored."""


@dataclass
class NeededBadge:
    """A needed badge, as the rule that it stands for."""

    value: str
    key_path: str = NEEDED_BADGE
    operator: str = Operator.EQUAL


def meaning_of(event_type: str, rules: Iterable[RuleText], way: Way, needs_badge_id: int | None) -> str:
    """Return the digest of what a requirement asks for: its rules, or the badge that it needs."""
    if needs_badge_id is not None:
        return digest(event_type, [NeededBadge(str(needs_badge_id))])
    return digest(event_type, rules, way)


class BadgeRequirement(EventCondition):
    """Something a learner must do for a badge.

    .. no_pii: This model has no PII.
    """

    template_path = "template"

    template = models.ForeignKey(
        BadgeTemplate, on_delete=models.CASCADE, related_name="requirements", verbose_name=_("badge template")
    )
    # RESTRICT: requirements that lost their group would stand alone, and alternatives become conditions. A template
    # is deleted with both.
    group = models.ForeignKey(
        RequirementGroup,
        on_delete=models.RESTRICT,
        related_name="requirements",
        null=True,
        blank=True,
        verbose_name=_("group"),
        help_text=_(
            "Requirements of the same group are alternatives: as many as the group needs are enough. "
            "A requirement without a group stands alone. Learners must fulfill every group."
        ),
    )

    count = models.PositiveSmallIntegerField(
        _("count"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_COUNT)],
        help_text=_("How many matching events it takes; or how many different values, see below."),
    )
    counted_by = models.CharField(
        _("counted by"),
        max_length=255,
        blank=True,
        help_text=_(
            "Key path whose different values are counted, for example course.course_key. Empty: each event counts."
        ),
    )
    position = models.PositiveSmallIntegerField(
        _("position"),
        default=0,
        help_text=_("Of a requirement without a group; matters only where the template asks for its groups in order."),
    )
    # RESTRICT: the badge that is asked for must not vanish from under those who are on the way.
    needs_badge = models.ForeignKey(
        BadgeTemplate,
        on_delete=models.RESTRICT,
        related_name="needed_by",
        null=True,
        blank=True,
        verbose_name=_("needs the badge"),
        help_text=_("Another badge that fulfills the requirement while the learner holds it."),
    )
    kept_rules = models.JSONField(
        default=dict,
        editable=False,
        help_text=_("Fingerprints of earlier rules that still count, by the fingerprint they count for."),
    )
    forgotten_rules = models.JSONField(
        default=dict,
        editable=False,
        help_text=_("How often what was done under rules was forgotten, by the rules' digest."),
    )

    history = Records()

    class Meta:
        verbose_name = _("badge requirement")
        verbose_name_plural = _("badge requirements")

    def __str__(self) -> str:
        return self.description or f"{self.event_type} #{self.pk}"

    def clean(self) -> None:
        """Refuse another template's group, what cannot be counted, and what does not fit a needed badge, as well."""
        self._settle_needed_badge()
        super().clean()
        self._refuse_foreign_group()
        refuse_uncountable(self.event_type, self.count, self.counted_by)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save. Raises ValidationError for what ``clean`` refuses beyond the event type."""
        self._refuse_foreign_group()
        self._settle_needed_badge()
        refuse_uncountable(self.event_type, self.count, self.counted_by)
        super().save(*args, **kwargs)

    def _settle_needed_badge(self) -> None:
        """A badge is held or not: there is one event to wait for, and nothing to compare or to count."""
        if self.needs_badge_id is None:
            return
        self.event_type = events.BADGE_AWARDED_TYPE
        if self.needs_badge_id == self.template_id:
            raise ValidationError({"needs_badge": _("A badge cannot need itself.")})
        if self.count != 1 or self.counted_by:
            raise ValidationError({"needs_badge": _("A needed badge is held or not. Do not count anything.")})
        if self.existing_rules():
            raise ValidationError({"needs_badge": _("A needed badge has no rules. Delete the rules first.")})

    def _refuse_foreign_group(self) -> None:
        if self.group is not None and self.group.template_id != self.template_id:
            message = _("The group “%(name)s” is another badge template's.")
            raise ValidationError({"group": message % {"name": self.group}})

    def existing_rules(self) -> list[AbstractDataRule]:
        return in_order_added(self.rules.all()) if self.pk else []

    @property
    def way(self) -> Way:
        """Return how it counts."""
        return way_of(self.count, self.counted_by)

    def criterion(self) -> Criterion:
        """Return what it asks for, as far as that can be decided without looking at events."""
        return Criterion(
            self.pk, self.validity(), self.count, self.counted_by, is_lasting=self.needs_badge_id is not None
        )

    def digest(self, rules: Iterable[RuleText] | None = None) -> str:
        asked = self.existing_rules() if rules is None and self.needs_badge_id is None else rules or ()
        return meaning_of(self.event_type, asked, self.way, self.needs_badge_id)

    def validity(self, digest: str | None = None) -> Validity:
        """Return which fulfillments count under the stored rules, or under those of a digest that are to come."""
        return validity_of(digest or self.digest(), self.kept_rules, self.forgotten_rules)


class BadgePenalty(EventCondition):
    """Something that takes fulfilled requirements of a badge away again. One without rules never applies.

    .. no_pii: This model has no PII.
    """

    template_path = "template"

    template = models.ForeignKey(
        BadgeTemplate, on_delete=models.CASCADE, related_name="penalties", verbose_name=_("badge template")
    )
    requirements = models.ManyToManyField(
        BadgeRequirement,
        related_name="penalties",
        verbose_name=_("requirements"),
        help_text=_("When the penalty applies, the learner has to fulfill these again."),
    )

    history = Records(links="requirements")

    class Meta:
        verbose_name = _("badge penalty")
        verbose_name_plural = _("badge penalties")

    def __str__(self) -> str:
        return self.description or f"{self.event_type} #{self.pk}"

    def existing_rules(self) -> list[AbstractDataRule]:
        return in_order_added(self.rules.all()) if self.pk else []


m2m_changed.connect(
    renew_for_links, sender=BadgePenalty.requirements.through, dispatch_uid="badges_plugin.requirements.links"
)


class DataRule(AbstractDataRule):
    """A rule of a requirement.

    .. no_pii: This model has no PII.
    """

    template_path = "requirement__template"

    requirement = models.ForeignKey(
        BadgeRequirement, on_delete=models.CASCADE, related_name="rules", verbose_name=_("requirement")
    )

    history = Records()

    class Meta:
        verbose_name = _("data rule")
        verbose_name_plural = _("data rules")

    @property
    def condition(self) -> EventCondition:
        return self.requirement

    def clean(self) -> None:
        """Refuse a rule beside a needed badge as well."""
        self._refuse_beside_badge()
        super().clean()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the rule. Raises ValidationError when it cannot work, or its requirement needs a badge."""
        self._refuse_beside_badge()
        super().save(*args, **kwargs)

    def _refuse_beside_badge(self) -> None:
        if self.requirement.needs_badge_id is not None:
            raise ValidationError(_("A requirement that needs a badge has no rules."))


class PenaltyDataRule(AbstractDataRule):
    """A rule of a penalty.

    .. no_pii: This model has no PII.
    """

    template_path = "penalty__template"

    penalty = models.ForeignKey(BadgePenalty, on_delete=models.CASCADE, related_name="rules", verbose_name=_("penalty"))

    history = Records()

    class Meta:
        verbose_name = _("penalty data rule")
        verbose_name_plural = _("penalty data rules")

    @property
    def condition(self) -> EventCondition:
        return self.penalty
