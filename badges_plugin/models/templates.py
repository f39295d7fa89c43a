"""Badge templates: what can be earned."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.contrib.sites.models import Site
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from badges_plugin.host import AbstractCredential
from badges_plugin.models.configuration import ConfigurationModel
from badges_plugin.models.records import Records
from badges_plugin.setting_values import MAX_DAYS


class BadgeTemplate(ConfigurationModel, AbstractCredential):
    """A badge that learners can earn, whatever carries it to them.

    A backend that keeps more about its templates inherits from this model (multi-table); the row here is
    always complete for the core. ``is_active`` comes from the host: only active templates are processed.

    .. no_pii: This model has no PII.
    """

    ORIGIN = "openedx"
    template_path = "pk"

    # 32 bits: the host keeps it in UserCredential.credential_id, a PositiveIntegerField.
    id = models.AutoField(primary_key=True)
    # The host's field, declared again for its related_name: the host's built-in badges app has a model of the
    # same name, and both would claim Site.badgetemplate_set.
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="+", verbose_name=_("site"))
    uuid = models.UUIDField(_("UUID"), unique=True, default=uuid.uuid4, help_text=_("Identity of the badge template."))
    name = models.CharField(_("name"), max_length=255)
    description = models.TextField(_("description"), blank=True)
    icon = models.URLField(_("icon"), max_length=500, blank=True, help_text=_("URL of the badge’s image."))
    origin = models.CharField(
        _("origin"),
        max_length=32,
        default=ORIGIN,
        db_index=True,
        editable=False,
        help_text=_("Open edX itself, or the distribution backend that the template comes from."),
    )
    can_be_reawarded = models.BooleanField(
        _("can be earned again"),
        default=True,
        help_text=_(
            "Whether a learner whose badge was revoked can earn it again. One that expired can always be renewed."
        ),
    )
    in_order = models.BooleanField(
        _("in order"),
        default=False,
        help_text=_("Whether the groups must be fulfilled one after another, in the order of their position."),
    )
    valid_days = models.PositiveIntegerField(
        _("valid for (days)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_DAYS)],
        help_text=_(
            "How long the badge is valid after it was earned. Empty: it does not expire. "
            "A change applies to badges that are awarded from now on."
        ),
    )
    renewal_days = models.PositiveIntegerField(
        _("renewal opens (days before the end)"),
        default=0,
        blank=True,
        validators=[MaxValueValidator(MAX_DAYS)],
        help_text=_(
            "What learners do from that day on counts toward the next award. "
            "Zero: only what they do after the end counts."
        ),
    )

    is_signed_here = models.BooleanField(
        _("also signed by this site"),
        default=False,
        help_text=_(
            "Whether learners also get the badge as an Open Badge that this site signs itself, besides the one at the "
            "provider. A change applies to badges that are awarded from now on."
        ),
    )

    is_given_by_staff = models.BooleanField(
        _("given by staff"),
        default=False,
        help_text=_(
            "Whether staff give this badge by hand, so that it needs no requirements. If it has some, learners can "
            "also earn it."
        ),
    )

    history = Records(left_out=("created", "modified", "uuid", "origin"))

    class Meta:
        verbose_name = _("badge template")
        verbose_name_plural = _("badge templates")

    def __str__(self) -> str:
        return self.name

    def expires_at(self, awarded_at: datetime) -> datetime | None:
        """Return when a badge that is awarded at some instant ends; None if it does not."""
        return awarded_at + timedelta(days=self.valid_days) if self.valid_days else None

    def renewal_opens_at(self, expires_at: datetime) -> datetime:
        """Return from when on a learner's deeds count toward the award after the one that ends then."""
        return expires_at - timedelta(days=self.renewal_days)

    def clean(self) -> None:
        """Refuse an active template that nobody could ever complete, and a renewal that opens before the award."""
        super().clean()
        self.renewal_days = self.renewal_days or 0  # an emptied field of a form
        self._refuse_endless_renewal()
        if self.is_active and not self.is_given_by_staff and not (self.pk and self.requirements.exists()):
            raise ValidationError(
                {"is_active": _("A badge template without requirements cannot be active: add requirements first.")}
            )

    def _refuse_endless_renewal(self) -> None:
        if not self.renewal_days:
            return
        if self.valid_days is None:
            raise ValidationError(
                {"renewal_days": _("A badge that does not expire has no renewal. Set how long it is valid.")}
            )
        if self.renewal_days >= self.valid_days:
            raise ValidationError(
                {"renewal_days": _("The renewal must open after the award: use fewer days than the badge is valid.")}
            )
