"""Accredible in the admin: API configurations, their groups, and the badges as they stand at Accredible."""

from __future__ import annotations

from django.contrib import admin

from badges_plugin import conf
from badges_plugin.distribution.accredible.admin.badges import AccredibleBadgeAdmin
from badges_plugin.distribution.accredible.admin.configurations import AccredibleApiConfigAdmin
from badges_plugin.distribution.accredible.admin.templates import AccredibleGroupAdmin
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleBadge, AccredibleGroup

if conf.is_enabled():
    admin.site.register(AccredibleApiConfig, AccredibleApiConfigAdmin)
    admin.site.register(AccredibleGroup, AccredibleGroupAdmin)
    admin.site.register(AccredibleBadge, AccredibleBadgeAdmin)
