"""API configurations of Accredible, groups, and our badges there."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from badges_plugin.distribution.accounts.models import Account, MirroredTemplate, ProviderBadge
from badges_plugin.distribution.accredible.conf import config, spelled
from badges_plugin.distribution.accredible.data import CredentialState

ORIGIN = "accredible"


class AccredibleApiConfig(Account):
    """An API key at Accredible, of an account or of a department, which gives access to groups.

    The settings refer to it by the configuration's name.

    .. no_pii: This model has no PII.
    """

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(
        _("name"),
        max_length=255,
        unique=True,
        help_text=_("A name of your choice. BADGES_CONFIG refers to the configuration by it."),
    )

    class Meta:
        verbose_name = _("Accredible API configuration")
        verbose_name_plural = _("Accredible API configurations")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def add_configured(cls) -> None:
        known = {spelled(name) for name in cls.objects.values_list("name", flat=True)}
        for name in config().api_keys:
            if spelled(name) not in known:
                cls.objects.get_or_create(name=name)

    @property
    def configured_key(self) -> str:
        return config().key_of(self.name)


class AccredibleGroup(MirroredTemplate):
    """A group at Accredible as a badge template: Accredible decides on names and description, staff on the rest.

    .. no_pii: This model has no PII.
    """

    provider: ClassVar[str] = ORIGIN
    account_field: ClassVar[str] = "api_config"

    api_config = models.ForeignKey(
        AccredibleApiConfig, on_delete=models.PROTECT, related_name="groups", verbose_name=_("API configuration")
    )
    group_id = models.PositiveBigIntegerField(_("group ID at Accredible"))
    course_name = models.CharField(
        _("course name"), max_length=255, blank=True, help_text=_("The title of the group's credentials.")
    )
    is_gone = models.BooleanField(
        _("gone"), default=False, editable=False, help_text=_("Accredible no longer shows the group to this key.")
    )

    class Meta:
        verbose_name = _("Accredible group")
        verbose_name_plural = _("Accredible groups")
        constraints = [
            # Two keys may give access to the same group; then it is two badge templates.
            models.UniqueConstraint(fields=("api_config", "group_id"), name="accredible_group_once"),
        ]

    @property
    def refusal(self) -> str:
        return gettext("Accredible no longer has this group, or does not show it to this key.") if self.is_gone else ""


class AccredibleBadge(ProviderBadge):
    """A learner's badge as it is at Accredible: the latest one, if it was awarded more than once.

    ``url`` is the page of the credential. The rest of the row is the host's user credential, with which the core awards
    and revokes.

    .. pii: Links a user credential to the credential at Accredible.
    .. pii_types: username, external_service
    .. pii_retirement: local_api
    """

    PUBLIC_STATES: ClassVar[frozenset[str]] = frozenset({CredentialState.PUBLISHED, CredentialState.EXPIRED})

    external_id = models.CharField(
        _("credential ID at Accredible"),
        max_length=64,
        blank=True,
        db_index=True,
        help_text=_("Empty until Accredible has issued it."),
    )
    state = models.CharField(
        _("state at Accredible"), max_length=16, choices=CredentialState.choices, default=CredentialState.CREATED
    )
    url = models.URLField(_("URL of the credential"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("Accredible badge")
        verbose_name_plural = _("Accredible badges")
        indexes = [models.Index(fields=("state",), name="accredible_badge_state")]


def builtin_twins() -> Q:
    """Select the built-in app's groups that are active here: there, Accredible's id is the primary key."""
    active = AccredibleGroup.objects.filter(is_active=True)
    return Q(pk__in=list(active.values_list("group_id", flat=True)))
