"""Fulfillments: what was heard last of each requirement, or of each value that a requirement counts."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from badges_plugin.models.progress import BadgeProgress
from badges_plugin.models.requirements import BadgeRequirement

MAX_VALUE_LENGTH = 255
MAX_GRADE_LENGTH = 32


class Fulfillment(models.Model):
    """The last thing that was heard of one counted value of one requirement of one learner, and from which event.

    Where nothing is counted a requirement has one, with an empty ``value_key``. A row with ``is_fulfilled`` False is as
    important as one with True: it remembers the penalty, so that an older event that arrives later cannot undo it.

    .. no_pii: This model has no PII.
    """

    id = models.BigAutoField(primary_key=True)
    progress = models.ForeignKey(
        BadgeProgress, on_delete=models.CASCADE, related_name="fulfillments", verbose_name=_("progress")
    )
    requirement = models.ForeignKey(
        BadgeRequirement, on_delete=models.CASCADE, related_name="fulfillments", verbose_name=_("requirement")
    )
    value_key = models.CharField(
        max_length=64,
        blank=True,
        default="",
        editable=False,
        help_text=_("What tells the counted values of a requirement apart. Empty where nothing is counted."),
    )
    value = models.CharField(
        _("counted value"),
        max_length=MAX_VALUE_LENGTH,
        blank=True,
        default="",
        help_text=_("The counted value, for people."),
    )
    is_fulfilled = models.BooleanField(_("fulfilled"))
    event_id = models.UUIDField(_("event id"))
    event_type = models.CharField(_("event type"), max_length=255)
    event_time = models.DateTimeField(_("event time"))
    made_under = models.CharField(
        _("made under"),
        max_length=64,
        blank=True,
        editable=False,
        help_text=_("Fingerprint of the requirement's rules at that time. Empty for what is not fulfilled."),
    )
    reset_time = models.DateTimeField(
        _("reset at"), null=True, blank=True, help_text=_("Time of the newest penalty that reset it.")
    )
    reset_id = models.UUIDField(null=True, blank=True, editable=False)
    times = models.JSONField(
        default=list,
        blank=True,
        editable=False,
        help_text=_("The times of the events since the last reset, where groups are asked for in order."),
    )
    grade = models.CharField(
        _("grade"), max_length=MAX_GRADE_LENGTH, blank=True, default="", help_text=_("As the event told it.")
    )
    since = models.DateTimeField(
        _("since"),
        null=True,
        blank=True,
        help_text=_("When this began to hold. Later events may have repeated it. Empty: with the event."),
    )

    class Meta:
        verbose_name = _("fulfillment")
        verbose_name_plural = _("fulfillments")
        constraints = [
            models.UniqueConstraint(fields=("progress", "requirement", "value_key"), name="badges_fulfillment_value"),
        ]
        # Under which rules a requirement was fulfilled is asked on its page and of the doctor: the index alone answers.
        indexes = [models.Index(fields=("requirement", "is_fulfilled", "made_under"), name="badges_fulfillment_rules")]

    def __str__(self) -> str:
        return f"{self.requirement_id}: {self.is_fulfilled}"
