"""Credly in the admin: organizations, their templates, and the badges as they stand at Credly."""

from __future__ import annotations

from django.contrib import admin

from badges_plugin import conf
from badges_plugin.distribution.credly.admin.badges import CredlyBadgeAdmin
from badges_plugin.distribution.credly.admin.organizations import CredlyOrganizationAdmin
from badges_plugin.distribution.credly.admin.templates import CredlyBadgeTemplateAdmin
from badges_plugin.distribution.credly.models import CredlyBadge, CredlyBadgeTemplate, CredlyOrganization

if conf.is_enabled():
    admin.site.register(CredlyOrganization, CredlyOrganizationAdmin)
    admin.site.register(CredlyBadgeTemplate, CredlyBadgeTemplateAdmin)
    admin.site.register(CredlyBadge, CredlyBadgeAdmin)
