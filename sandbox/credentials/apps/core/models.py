"""Users and sites of the service."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.contrib.sites.models import Site
from django.db import models
from django.utils.translation import gettext_lazy as _


class SiteConfiguration(models.Model):
    """What the service knows of a site. The fields are the required ones of the real model.

    .. no_pii: This model has no PII.
    """

    site = models.OneToOneField(Site, on_delete=models.CASCADE)
    platform_name = models.CharField(_("platform name"), max_length=255, null=True)  # noqa: DJ001
    theme_name = models.CharField(_("theme name"), max_length=255, default="openedx")
    lms_url_root = models.URLField(_("LMS base URL"))
    catalog_api_url = models.URLField(_("catalog API URL"))

    def __str__(self) -> str:
        return self.site.name


class User(AbstractUser):
    """A learner or a member of staff.

    ``lms_user_id`` is the user's id in the LMS. It is not unique: two rows may have the same.

    .. pii: Stores e-mail, full name, first name, last name and user name of a user.
    .. pii_types: email_address, name, username
    .. pii_retirement: retained
    """

    full_name = models.CharField(_("full name"), max_length=255, blank=True, null=True, db_index=True)  # noqa: DJ001
    lms_user_id = models.IntegerField(null=True, db_index=True)

    class Meta:
        get_latest_by = "date_joined"

    def get_full_name(self) -> str:
        return self.full_name or super().get_full_name()
