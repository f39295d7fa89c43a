"""Awards by hand: who gave a badge and why, and the lists by which it was given to many."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from badges_plugin import reasons
from badges_plugin.models.awards import BadgeAward
from badges_plugin.models.templates import BadgeTemplate

MAX_WRITTEN = 255


class ManualAwardList(models.Model):
    """Learners to whom staff give one badge together, for one reason: one learner or thousands.

    A list is looked at before anything is given. It is worked on in steps, by whoever comes by: the page on which it
    was confirmed, and the worker after that. A draft that nobody confirms is deleted.

    .. pii: The reasons are text that staff wrote, and may name the learner of a list that has only one.
    .. pii_types: other
    .. pii_retirement: local_api
    """

    class State(models.TextChoices):
        """How far it is. The values are stored; never change one."""

        DRAFT = "draft", _("not given yet")
        GIVING = "giving", _("being given")
        GIVEN = "given", _("given")
        UNDOING = "undoing", _("being undone")
        UNDONE = "undone", _("undone")

    id = models.BigAutoField(primary_key=True)
    template = models.ForeignKey(
        BadgeTemplate, on_delete=models.CASCADE, related_name="manual_lists", verbose_name=_("badge template")
    )
    reason = models.CharField(_("reason"), max_length=reasons.MAX_LENGTH, blank=True)
    awarded_at = models.DateTimeField(
        _("date of the badges"), null=True, blank=True, help_text=_("Empty: when they are given.")
    )
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("given by"),
    )
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.DRAFT)
    created_at = models.DateTimeField(_("made at"), default=timezone.now, db_index=True)
    given_at = models.DateTimeField(_("given at"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("undone by"),
    )
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    undo_reason = models.CharField(_("reason of the undoing"), max_length=reasons.MAX_LENGTH, blank=True)

    class Meta:
        verbose_name = _("list of awards by hand")
        verbose_name_plural = _("lists of awards by hand")
        # The worker asks for those that are being given or undone.
        indexes = [models.Index(fields=("state",), name="badges_manual_list_state")]
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class ManualAward(models.Model):
    """Says of an award that staff gave it by hand: who and why.

    Such an award has no events. Events do not take it away either: only people, the provider and the calendar do.

    .. pii: The reason is text that staff wrote, and may name the learner.
    .. pii_types: other
    .. pii_retirement: local_api
    """

    award = models.OneToOneField(
        BadgeAward, on_delete=models.CASCADE, primary_key=True, related_name="by_hand", verbose_name=_("award")
    )
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("given by"),
        help_text=_("Empty: by other code, or by somebody whose account was deleted."),
    )
    reason = models.CharField(_("reason"), max_length=reasons.MAX_LENGTH, blank=True)
    list = models.ForeignKey(
        ManualAwardList,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="awards",
        verbose_name=_("list"),
    )

    class Meta:
        verbose_name = _("award by hand")
        verbose_name_plural = _("awards by hand")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class ManualAwardLine(models.Model):
    """A line of a list: what was written, whom it means, and what became of it.

    .. pii: Holds a user name or an e-mail address as staff wrote it.
    .. pii_types: username, email_address
    .. pii_retirement: local_api
    """

    class Outcome(models.TextChoices):
        """What became of a line. The values are stored; never change one."""

        WAITING = "waiting", _("waiting")
        GIVEN = "given", _("given")
        HAS_IT = "has_it", _("has it already")
        UNKNOWN = "unknown", _("nobody here has this name or address")
        SEVERAL = "several", _("several people here have this address")
        TWICE = "twice", _("twice in the list")
        INACTIVE = "inactive", _("the badge is not active any more")
        FAILED = "failed", _("failed")
        STOPPED = "stopped", _("not given, because the list was undone before")
        UNDONE = "undone", _("undone")
        KEPT = "kept", _("changed since, left as it is")

    id = models.BigAutoField(primary_key=True)
    list = models.ForeignKey(ManualAwardList, on_delete=models.CASCADE, related_name="lines", verbose_name=_("list"))
    number = models.PositiveIntegerField(_("line"))
    written = models.CharField(_("written"), max_length=MAX_WRITTEN, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("learner"),
    )
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome.choices, default=Outcome.WAITING)
    award = models.ForeignKey(
        BadgeAward, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("award")
    )

    class Meta:
        verbose_name = _("line of a list of awards by hand")
        verbose_name_plural = _("lines of lists of awards by hand")
        constraints = [models.UniqueConstraint(fields=("list", "number"), name="badges_manual_line_number")]
        indexes = [models.Index(fields=("list", "outcome", "number"), name="badges_manual_line_outcome")]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.list_id}: {self.number}"
