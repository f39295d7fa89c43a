"""What we keep of Credly: organizations, their templates, and what became of our badges there."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from badges_plugin.distribution.accounts.models import Account
from badges_plugin.distribution.credly.conf import config
from badges_plugin.distribution.credly.data import BadgeState, TemplateState
from badges_plugin.host import UserCredential
from badges_plugin.models import BadgeTemplate

ORIGIN = "credly"


class CredlyOrganization(Account):
    """An organization at Credly whose badges are issued here.

    .. no_pii: This model has no PII.
    """

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(_("organization ID"), unique=True, help_text=_("The id of the organization at Credly."))
    name = models.CharField(_("name"), max_length=255, blank=True, help_text=_("Filled in by Credly."))

    class Meta:
        verbose_name = _("Credly organization")
        verbose_name_plural = _("Credly organizations")

    def __str__(self) -> str:
        return self.name or str(self.uuid)

    @property
    def configured_key(self) -> str:
        return config().organizations.get(self.uuid, "")


class CredlyBadgeTemplate(BadgeTemplate):
    """A badge template that belongs to Credly: Credly decides on name, description, image and state, staff on the rest.

    .. no_pii: This model has no PII.
    """

    STATES = [
        (TemplateState.DRAFT.value, _("draft")),
        (TemplateState.ACTIVE.value, _("active")),
        (TemplateState.ARCHIVED.value, _("archived")),
        (TemplateState.DELETED.value, _("deleted")),
        (TemplateState.UNKNOWN.value, _("unknown")),
    ]

    # Named, because the host's built-in app has a model of the same name.
    badgetemplate_ptr = models.OneToOneField(
        BadgeTemplate,
        on_delete=models.CASCADE,
        parent_link=True,
        primary_key=True,
        related_name="credly_badges_template",
    )
    organization = models.ForeignKey(
        CredlyOrganization, on_delete=models.PROTECT, related_name="badge_templates", verbose_name=_("organization")
    )
    state = models.CharField(
        _("state at Credly"), max_length=16, choices=STATES, default=TemplateState.DRAFT.value, editable=False
    )
    as_of = models.DateTimeField(_("as of"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("Credly badge template")
        verbose_name_plural = _("Credly badge templates")

    def save(self, *args: object, **kwargs: object) -> None:
        """Save the template. Its origin is Credly's whoever creates it."""
        self.origin = ORIGIN
        super().save(*args, **kwargs)

    @property
    def refusal(self) -> str:
        """Why Credly issues no badges of this template; empty when it does."""
        if self.state == TemplateState.DELETED.value:
            return gettext("Credly no longer has this template.")
        if self.state in (TemplateState.DRAFT.value, TemplateState.ARCHIVED.value):
            text = gettext(
                "Credly issues no badges of this template, its state is “%s”. Publish it there, then synchronize."
            )
            return text % self.state
        return ""


class CredlyBadge(UserCredential):
    """A learner's badge as it stands at Credly: the latest one, if it was awarded more than once.

    The rest of the row is the host's user credential, with which the core awards and revokes.

    .. pii: Links a user credential to the badge at Credly.
    .. pii_types: username, external_service
    .. pii_retirement: local_api
    """

    STATES = [
        (BadgeState.CREATED.value, _("not at Credly yet")),
        (BadgeState.PENDING.value, _("pending")),
        (BadgeState.ACCEPTED.value, _("accepted")),
        (BadgeState.REJECTED.value, _("rejected")),
        (BadgeState.REVOKED.value, _("revoked")),
        (BadgeState.DELETED.value, _("deleted")),
        (BadgeState.UNKNOWN.value, _("unknown")),
    ]

    # Named, because the host's built-in app has a model of the same name.
    usercredential_ptr = models.OneToOneField(
        UserCredential,
        on_delete=models.CASCADE,
        parent_link=True,
        primary_key=True,
        related_name="credly_badges_credlybadge",
    )
    issued_badge_id = models.UUIDField(
        _("badge id at Credly"), null=True, blank=True, db_index=True, help_text=_("Empty until Credly has issued it.")
    )
    state = models.CharField(_("state at Credly"), max_length=16, choices=STATES, default=BadgeState.CREATED.value)
    state_time = models.DateTimeField(_("state since"), null=True, blank=True, editable=False)
    issued_at = models.DateTimeField(_("issued at"), null=True, blank=True)
    accept_badge_url = models.URLField(_("address to accept the badge"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("Credly badge")
        verbose_name_plural = _("Credly badges")

    def __str__(self) -> str:
        return str(self.uuid)

    @property
    def external_uuid(self) -> UUID | None:
        """The badge's id at Credly, by the name that processing.rst uses for it."""
        return self.issued_badge_id


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
