"""Learners and their progress. All of it hangs on the Credentials user by foreign key."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from badges_plugin import bulk
from badges_plugin.models.templates import BadgeTemplate


class Learner(models.Model):
    """A Credentials user that at least one event was about.

    .. pii: Belongs to a user; holds no personal data itself.
    .. pii_types: other
    .. pii_retirement: local_api
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="badges_learner",
        verbose_name=_("user"),
    )
    profile_time = models.DateTimeField(
        _("profile as of"), help_text=_("Time of the newest event from which name and e-mail address were taken.")
    )

    was_named = models.BooleanField(
        _("had a name"),
        default=False,
        help_text=_(
            "Whether Credentials ever knew the full name. If it is lost, nothing is issued until it is known again."
        ),
    )

    class Meta:
        verbose_name = _("learner")
        verbose_name_plural = _("learners")

    def __str__(self) -> str:
        return str(self.pk)


class LearnerLock(models.Model):
    """One of a fixed number of locks; whoever makes a learner a user, or gives one an LMS user id, holds theirs.

    The host does not keep LMS user ids unique, and a learner who is no user yet has no row that could be locked.
    Learners who share a lock wait for each other the first time that badges hear of them, and never again.

    .. no_pii: This model has no PII.
    """

    # A prime below the highest key of a small integer. Batches of new learners rarely share one.
    COUNT = 32_749

    id = models.PositiveSmallIntegerField(primary_key=True)
    taken_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)

    @classmethod
    def hold(cls, numbers: Iterable[int]) -> None:
        """Wait until nobody else holds the locks of these numbers, and hold them until the end of the transaction."""
        # One statement, whether the rows are there or not, that locks them on every database, in the same order for
        # everybody; and since it writes, also between the servers of a cluster.
        locks = sorted(set(numbers))
        bulk.insert_or_update_columns(cls, {"id": locks, "taken_at": [timezone.now()] * len(locks)}, ["taken_at"])


class RetiredLearner(models.Model):
    """A Credentials user who was retired: what an event said of that, and when what is kept of them was erased.

    Whether somebody was retired is decided by ``badges_plugin.retirement``, which reads ``said`` as it reads names and
    addresses of users: with other settings it may say nothing.

    .. pii: Belongs to a user; holds no personal data itself.
    .. pii_types: other
    .. pii_retirement: retained
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="badges_retirement",
        verbose_name=_("user"),
    )
    said = models.CharField(
        _("said by an event"),
        max_length=255,
        blank=True,
        help_text=_("The user name or e-mail address in an event that marks the learner as retired."),
    )
    said_at = models.DateTimeField(_("time of that event"), null=True, blank=True)
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, help_text=_("Empty: not yet."))

    class Meta:
        verbose_name = _("retired learner")
        verbose_name_plural = _("retired learners")

    def __str__(self) -> str:
        return str(self.pk)


class BadgeProgress(models.Model):
    """How far a learner is on the way to a badge.

    .. pii: Belongs to a user; holds no personal data itself.
    .. pii_types: other
    .. pii_retirement: local_api
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="badge_progresses", verbose_name=_("user")
    )
    # PROTECT: what learners earned must survive; a template that is in use is deactivated instead.
    template = models.ForeignKey(
        BadgeTemplate, on_delete=models.PROTECT, related_name="progresses", verbose_name=_("badge template")
    )

    counts_from = models.DateTimeField(
        _("counts from"),
        null=True,
        blank=True,
        help_text=_("Only newer events count: an earlier award has expired. Empty: all of them count."),
    )

    class Meta:
        verbose_name = _("badge progress record")
        verbose_name_plural = _("badge progress records")
        constraints = [
            models.UniqueConstraint(fields=("user", "template"), name="badges_progress_user_template"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.template_id}"
