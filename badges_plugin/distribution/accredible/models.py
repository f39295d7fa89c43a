"""What we keep of Accredible: API configurations, groups, and what became of our badges there."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from badges_plugin.distribution.accounts.models import Account
from badges_plugin.distribution.accredible.conf import config
from badges_plugin.distribution.accredible.data import CredentialState
from badges_plugin.host import UserCredential
from badges_plugin.models import BadgeTemplate

ORIGIN = "accredible"


class AccredibleApiConfig(Account):
    """An API key at Accredible, of an account or of a department, and the groups that it opens.

    The settings know it by the configuration's name.

    .. no_pii: This model has no PII.
    """

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(_("name"), max_length=255, unique=True, help_text=_("Yours to choose."))

    class Meta:
        verbose_name = _("Accredible API configuration")
        verbose_name_plural = _("Accredible API configurations")

    def __str__(self) -> str:
        return self.name

    @property
    def configured_key(self) -> str:
        return config().key_of(self.name)


class AccredibleGroup(BadgeTemplate):
    """A group at Accredible as a badge template: Accredible decides on names and description, staff on the rest.

    .. no_pii: This model has no PII.
    """

    # Named, because the host's built-in app has a model of the same name.
    badgetemplate_ptr = models.OneToOneField(
        BadgeTemplate,
        on_delete=models.CASCADE,
        parent_link=True,
        primary_key=True,
        related_name="accredible_badges_group",
    )
    api_config = models.ForeignKey(
        AccredibleApiConfig, on_delete=models.PROTECT, related_name="groups", verbose_name=_("API configuration")
    )
    group_id = models.PositiveBigIntegerField(_("group id at Accredible"))
    course_name = models.CharField(
        _("course name"), max_length=255, blank=True, help_text=_("What credentials of the group are called.")
    )

    is_gone = models.BooleanField(
        _("gone"), default=False, editable=False, help_text=_("Whether Accredible no longer shows it to this key.")
    )

    class Meta:
        verbose_name = _("Accredible group")
        verbose_name_plural = _("Accredible groups")
        constraints = [
            # Two keys may open the same group; then it is two badge templates.
            models.UniqueConstraint(fields=("api_config", "group_id"), name="accredible_group_once"),
        ]

    def save(self, *args: object, **kwargs: object) -> None:
        """Save the group. Its origin is Accredible's whoever creates it."""
        self.origin = ORIGIN
        super().save(*args, **kwargs)

    @property
    def refusal(self) -> str:
        """Why Accredible issues nothing of this group; empty when it does."""
        return gettext("Accredible no longer has this group, or does not show it to this key.") if self.is_gone else ""


class AccredibleBadge(UserCredential):
    """A learner's badge as it stands at Accredible: the latest one, if it was awarded more than once.

    The rest of the row is the host's user credential, with which the core awards and revokes.

    .. pii: Links a user credential to the credential at Accredible.
    .. pii_types: username, external_service
    .. pii_retirement: local_api
    """

    STATES = [
        (CredentialState.CREATED.value, _("not at Accredible yet")),
        (CredentialState.PUBLISHED.value, _("published")),
        (CredentialState.UNPUBLISHED.value, _("not published")),
        (CredentialState.EXPIRED.value, _("expired")),
        (CredentialState.DELETED.value, _("deleted")),
        (CredentialState.UNKNOWN.value, _("unknown")),
    ]

    # Named, because the host's built-in app has a model of the same name.
    usercredential_ptr = models.OneToOneField(
        UserCredential,
        on_delete=models.CASCADE,
        parent_link=True,
        primary_key=True,
        related_name="accredible_badges_accrediblebadge",
    )
    external_id = models.CharField(
        _("credential id at Accredible"),
        max_length=64,
        blank=True,
        db_index=True,
        help_text=_("Empty until Accredible has issued it."),
    )
    state = models.CharField(
        _("state at Accredible"), max_length=16, choices=STATES, default=CredentialState.CREATED.value
    )
    issued_at = models.DateTimeField(_("issued at"), null=True, blank=True)
    credential_url = models.URLField(_("address of the credential"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("Accredible badge")
        verbose_name_plural = _("Accredible badges")

    def __str__(self) -> str:
        return str(self.uuid)
