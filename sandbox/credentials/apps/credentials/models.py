"""Credentials and who has them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from credentials.apps.credentials.constants import UserCredentialStatus
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.contrib.sites.models import Site
from django.db import models
from django.db.models.expressions import Combinable
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_extensions.db.fields import CreationDateTimeField, ModificationDateTimeField

if TYPE_CHECKING:
    Timestamp = models.DateTimeField[datetime | str | Combinable, datetime]


class TimeStampedModel(models.Model):
    """The real service takes this base from django-extensions, which has no types.

    The fields are the real ones: a plugin's migrations name them, and must come out the same in both.
    """

    created: Timestamp = CreationDateTimeField(_("created"))  # type: ignore[no-untyped-call]
    modified: Timestamp = ModificationDateTimeField(_("modified"))  # type: ignore[no-untyped-call]

    class Meta:
        abstract = True


class AbstractCredential(TimeStampedModel):
    """Something that can be given to a learner.

    .. no_pii: This model has no PII.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    is_active = models.BooleanField(default=False)

    class Meta:
        abstract = True


class UserCredential(TimeStampedModel):
    """A credential that was given to a learner.

    The content type is restricted by name to the service's own kinds. Validation (``full_clean``, forms, DRF)
    enforces it, the database does not: a plugin's kind can be saved, but not edited in the service's admin.

    .. pii: Stores the user name of a learner.
    .. pii_types: username
    .. pii_retirement: retained
    """

    AWARDED = UserCredentialStatus.AWARDED
    REVOKED = UserCredentialStatus.REVOKED

    STATUSES_CHOICES = (
        (AWARDED, _("awarded")),
        (REVOKED, _("revoked")),
    )

    credential_content_type = models.ForeignKey(
        ContentType,
        limit_choices_to={
            "model__in": ("coursecertificate", "programcertificate", "credlybadgetemplate", "accrediblegroup")
        },
        on_delete=models.CASCADE,
    )
    credential_id = models.PositiveIntegerField(db_index=True)
    credential = GenericForeignKey("credential_content_type", "credential_id")

    username = models.CharField(max_length=255, db_index=True)
    status = models.CharField(max_length=255, choices=STATUSES_CHOICES, default=AWARDED)
    uuid = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)

    class Meta:
        unique_together = (("username", "credential_content_type", "credential_id"),)

    def __str__(self) -> str:
        return f"{self.username}: {self.credential_content_type_id}/{self.credential_id} ({self.status})"

    def get_absolute_url(self) -> str:
        return reverse("credentials:render", kwargs={"uuid": self.uuid.hex})

    def revoke(self) -> None:
        self.status = self.REVOKED
        self.save()


class ProgramCertificate(AbstractCredential):
    """One credential of the service's own, to stand beside a plugin's.

    .. no_pii: This model has no PII.
    """

    program_uuid = models.UUIDField(db_index=True)
    title = models.CharField(max_length=255, blank=True)
    user_credentials = GenericRelation(
        UserCredential,
        content_type_field="credential_content_type",
        object_id_field="credential_id",
        related_query_name="program_credentials",
    )

    class Meta:
        unique_together = (("site", "program_uuid"),)

    def __str__(self) -> str:
        return f"ProgramCertificate: {self.program_uuid}"
