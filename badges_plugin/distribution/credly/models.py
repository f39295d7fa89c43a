"""Organizations at Credly, their badge templates, our badges there, and the events that were applied."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from badges_plugin.distribution.accounts.models import Account, MirroredTemplate, ProviderBadge
from badges_plugin.distribution.credly.conf import config
from badges_plugin.distribution.credly.data import BadgeState, TemplateState

ORIGIN = "credly"


class CredlyOrganization(Account):
    """An organization at Credly whose badges are issued here.

    .. no_pii: This model has no PII.
    """

    identity: ClassVar[str] = "uuid"

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(_("organization ID"), unique=True, help_text=_("The ID of the organization at Credly."))
    name = models.CharField(_("name"), max_length=255, blank=True, help_text=_("Filled in by Credly."))

    class Meta:
        verbose_name = _("Credly organization")
        verbose_name_plural = _("Credly organizations")

    def __str__(self) -> str:
        return self.name or str(self.uuid)

    @classmethod
    def add_configured(cls) -> None:
        for uuid in config().organizations:
            cls.objects.get_or_create(uuid=uuid)

    @property
    def configured_key(self) -> str:
        return config().organizations.get(self.uuid, "")


class CredlyBadgeTemplate(MirroredTemplate):
    """A badge template at Credly: Credly decides on name, description, image and state, staff on the rest.

    .. no_pii: This model has no PII.
    """

    provider: ClassVar[str] = ORIGIN
    account_field: ClassVar[str] = "organization"

    organization = models.ForeignKey(
        CredlyOrganization, on_delete=models.PROTECT, related_name="badge_templates", verbose_name=_("organization")
    )
    state = models.CharField(
        _("state at Credly"), max_length=16, choices=TemplateState.choices, default=TemplateState.DRAFT, editable=False
    )
    as_of = models.DateTimeField(_("as of"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("Credly badge template")
        verbose_name_plural = _("Credly badge templates")

    @property
    def refusal(self) -> str:
        if self.state == TemplateState.DELETED:
            return gettext("Credly no longer has this template.")
        if self.state in (TemplateState.DRAFT, TemplateState.ARCHIVED):
            text = gettext(
                "Credly issues no badges of this template, because its state is “%s”. "
                "Publish it at Credly, then synchronize."
            )
            return text % TemplateState(self.state).label
        return ""


class CredlyBadge(ProviderBadge):
    """A learner's badge as it is at Credly: the latest one, if it was awarded more than once.

    ``url`` is where the learner accepts the badge. The rest of the row is the host's user credential, with which the
    core awards and revokes.

    .. pii: Links a user credential to the badge at Credly.
    .. pii_types: username, external_service
    .. pii_retirement: local_api
    """

    # Credly shows nothing before the learner has accepted the badge.
    PUBLIC_STATES: ClassVar[frozenset[str]] = frozenset({BadgeState.ACCEPTED})
    PENDING_STATES: ClassVar[frozenset[str]] = frozenset({BadgeState.PENDING})
    DECLINED_STATES: ClassVar[frozenset[str]] = frozenset({BadgeState.REJECTED})

    external_id = models.UUIDField(
        _("badge ID at Credly"), null=True, blank=True, db_index=True, help_text=_("Empty until Credly has issued it.")
    )
    state = models.CharField(
        _("state at Credly"), max_length=16, choices=BadgeState.choices, default=BadgeState.CREATED
    )
    state_time = models.DateTimeField(_("state since"), null=True, blank=True, editable=False)
    url = models.URLField(_("URL to accept the badge"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("Credly badge")
        verbose_name_plural = _("Credly badges")
        indexes = [models.Index(fields=("state",), name="credly_badge_state")]

    @property
    def standing_since(self) -> datetime | None:
        return self.state_time

    @property
    def external_uuid(self) -> UUID | None:
        """The badge's id at Credly, by the name that processing.rst uses for it."""
        return self.external_id

    @property
    def public_url(self) -> str:
        # ``url`` is private to the learner.
        return f"{config().base_url}badges/{self.external_id}/public_url" if super().public_url else ""


class CredlyEvent(models.Model):
    """An event of Credly that was applied, so that each is applied once, whether it came by webhook or by polling.

    .. no_pii: This model has no PII.
    """

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(_("event ID"), unique=True)
    organization = models.ForeignKey(
        CredlyOrganization, on_delete=models.CASCADE, related_name="events", verbose_name=_("organization")
    )
    event_type = models.CharField(_("event type"), max_length=64)
    occurred_at = models.DateTimeField(_("occurred"), null=True, blank=True)
    applied_at = models.DateTimeField(_("applied"), auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("Credly event")
        verbose_name_plural = _("Credly events")

    def __str__(self) -> str:
        return f"{self.event_type} {self.uuid}"


def builtin_twins() -> Q:
    """Select the built-in app's Credly templates that are active here: both keep Credly's id as ``uuid``."""
    active = CredlyBadgeTemplate.objects.filter(is_active=True)
    return Q(uuid__in=list(active.values_list("uuid", flat=True)))
