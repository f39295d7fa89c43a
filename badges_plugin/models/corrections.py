"""What staff corrected about learners' badges: the history that pages show."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from badges_plugin import reasons
from badges_plugin.models.awards import BadgeAward
from badges_plugin.models.progress import BadgeProgress


class CorrectionKind(models.TextChoices):
    """What staff did. The values are stored; never change one."""

    REVOKED = "revoked", _("revoked")
    GIVEN_BACK = "given_back", _("given back")
    STARTED_AGAIN = "started_again", _("started again")


class Correction(models.Model):
    """One thing that a member of staff did to a learner's badge. Written once, in the transaction that does it.

    ``award`` is the one that was revoked, or the new one that gives the badge back. Why a badge was revoked stands with
    the award. ``forgot``: from then on only newer events count; ``counted_from`` is what counted before, so that giving
    the badge back restores it.

    .. pii: ``because`` is text that staff wrote, which may name a learner; erased when the learner is retired.
    .. pii_types: other
    .. pii_retirement: local_api
    """

    id = models.BigAutoField(primary_key=True)
    progress = models.ForeignKey(
        BadgeProgress, on_delete=models.CASCADE, related_name="corrections", verbose_name=_("progress")
    )
    award = models.ForeignKey(
        BadgeAward, on_delete=models.CASCADE, null=True, blank=True, related_name="corrections", verbose_name=_("award")
    )
    kind = models.CharField(_("what"), max_length=16, choices=CorrectionKind.choices)
    forgot = models.BooleanField(_("progress forgotten"), default=False)
    counted_from = models.DateTimeField(null=True, blank=True, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    at = models.DateTimeField(_("when"), default=timezone.now)
    because = models.CharField(_("why"), max_length=reasons.MAX_LENGTH, blank=True)

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.progress_id}: {self.kind}"

    @property
    def why(self) -> str:
        """Return why, as staff wrote it. A query unless the award is loaded."""
        if self.kind == CorrectionKind.REVOKED and self.award is not None:
            return self.award.revocation_reason
        return self.because
