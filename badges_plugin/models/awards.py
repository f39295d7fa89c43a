"""Awards: what learners were given, and how it ended."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from badges_plugin import reasons
from badges_plugin.host import User, UserCredential
from badges_plugin.models.progress import BadgeProgress
from badges_plugin.models.templates import BadgeTemplate
from badges_plugin.times import site_day

if TYPE_CHECKING:
    from badges_plugin.models.manual_awards import ManualAward


class Ending(models.TextChoices):
    """Why an award ended. The values are stored; never change one."""

    PENALTY = "penalty", _("revoked by a penalty")
    BY_HAND = "by_hand", _("revoked by staff")
    PROVIDER = "provider", _("revoked at the provider")
    EXPIRED = "expired", _("expired")
    ERASED = "erased", _("learner erased")
    UNDONE = "undone", _("award by hand undone")


DECIDED = (Ending.BY_HAND, Ending.PROVIDER)
"""What a person or a provider decides, and not the learner's progress or the calendar."""

RETURNABLE = (*DECIDED, Ending.PENALTY)
"""Endings that may have been a mistake. An award that was undone is given anew, one that expired is earned anew."""

EXPLAINED = (*DECIDED, Ending.UNDONE)
"""Endings for which somebody may have given a reason in their own words."""


BEFORE = "before"
"""In the facts of an award that was undone: how the award before it ended, if there was one."""


class BadgeAward(models.Model):
    """One award of a badge to a learner; a badge that is earned again has another one with the next number.

    The facts of an award are final: they change once, when the award ends. ``awarded_at`` and ``revoked_at`` are
    the times of what happened, as events tell them; over all awards of a progress they only grow. When this site got to
    know is beside them. The row is also the outbox of its public events: until the event bus has them,
    ``publish_due_at`` says when they are sent (again).

    .. no_pii: This model has no PII.
    """

    id = models.BigAutoField(primary_key=True)
    progress = models.ForeignKey(
        BadgeProgress, on_delete=models.CASCADE, related_name="awards", verbose_name=_("progress")
    )
    number = models.PositiveIntegerField(_("number"), help_text=_("1 for the first award of this badge."))
    credential = models.ForeignKey(
        UserCredential, on_delete=models.PROTECT, related_name="+", verbose_name=_("user credential")
    )
    awarded_at = models.DateTimeField(
        _("awarded at"), help_text=_("The date of the badge: the time of the event that completed it.")
    )
    recorded_at = models.DateTimeField(
        _("award recorded at"), default=timezone.now, help_text=_("When this site learned of it.")
    )
    revoked_at = models.DateTimeField(
        _("ended at"), null=True, blank=True, help_text=_("When the badge was revoked or expired.")
    )
    revocation_recorded_at = models.DateTimeField(_("end recorded at"), null=True, blank=True)
    revocation_reason = models.CharField(
        _("reason in own words"),
        max_length=reasons.MAX_LENGTH,
        blank=True,
        help_text=_("As staff or a provider wrote it. Why a badge ended by itself is told by the facts beside it."),
    )
    expires_at = models.DateTimeField(
        _("expires at"), null=True, blank=True, help_text=_("Empty: the badge does not expire.")
    )
    ended_by = models.CharField(
        _("ended by"), max_length=16, choices=Ending.choices, blank=True, default="", editable=False
    )
    ending_facts = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text=_("The event and the penalty that ended it, from which the reason is made when it is shown."),
    )
    events = models.JSONField(
        _("events"),
        help_text=_("The events that made the award: a list of objects with id, type, time and perhaps grade."),
    )
    published_at = models.DateTimeField(_("award published at"), null=True, blank=True, editable=False)
    revocation_published_at = models.DateTimeField(_("revocation published at"), null=True, blank=True, editable=False)
    publish_due_at = models.DateTimeField(
        _("publishing due"),
        null=True,
        blank=True,
        editable=False,
        db_index=True,
        help_text=_("When another process may publish this. Empty: everything is published."),
    )

    class Meta:
        verbose_name = _("badge award")
        verbose_name_plural = _("badge awards")
        constraints = [
            # One award at a time can be open, since each takes the next number. MySQL enforces this form.
            models.UniqueConstraint(fields=("progress", "number"), name="badges_award_number"),
        ]
        # Whose time is over is asked every minute, and most awards are over some day.
        # The others serve lists of staff.
        indexes = [
            models.Index(fields=("revoked_at", "expires_at"), name="badges_award_expiry"),
            models.Index(fields=("ended_by",), name="badges_award_ended_by"),
            models.Index(fields=("awarded_at",), name="badges_award_awarded"),
        ]
        permissions = [("award_by_hand", "Can award badges by hand")]

    def __str__(self) -> str:
        return f"{self.progress} #{self.number}"

    @property
    def is_decided(self) -> bool:
        """Whether a person or a provider decided its end, and not the learner's progress or the calendar."""
        return self.ended_by in DECIDED

    @property
    def given(self) -> ManualAward | None:
        """Return who gave it by hand and why; None if the learner earned it. A query unless ``by_hand`` is loaded."""
        return getattr(self, "by_hand", None)

    @property
    def last_ending(self) -> str:
        """Return how the learner's last award ended that was not undone: that one never was. Empty: there is none."""
        return str(self.ending_facts.get(BEFORE, "")) if self.ended_by == Ending.UNDONE else self.ended_by

    @property
    def reason(self) -> str:
        """Return why the award ended, in the language that is active now. Empty while it is held."""
        if self.revoked_at is None:
            return ""
        match self.ended_by:
            case Ending.PENALTY:
                return reasons.penalty_reason(self.ending_facts)
            case Ending.EXPIRED if self.expires_at is not None:
                return reasons.expiry_reason(self.expires_at)
            case Ending.BY_HAND:
                return self.revocation_reason or gettext("Revoked by staff.")
            case Ending.PROVIDER:
                return self.revocation_reason or gettext("Revoked at the provider.")
            case Ending.UNDONE:
                return self.revocation_reason or gettext("Given by mistake and taken back by staff.")
        return self.revocation_reason or self.get_ended_by_display()

    @property
    def remind_on(self) -> date | None:
        """Return the day, where the site is, on which the renewal opens; None if there is no such day."""
        if self.expires_at is None or not self.template.renewal_days:
            return None
        return site_day(self.template.renewal_opens_at(self.expires_at))

    @property
    def user(self) -> User:
        """Return the Credentials user who earned the badge."""
        return self.progress.user

    @property
    def template(self) -> BadgeTemplate:
        """Return the core row of the badge template."""
        return self.progress.template
