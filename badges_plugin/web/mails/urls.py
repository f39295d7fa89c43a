"""The URLs about mails, below ``badges/mails/``; none while the pages are switched off."""

from __future__ import annotations

from django.urls import URLPattern, path

from badges_plugin.web.conf import usable_pages
from badges_plugin.web.mails.views import mails, off

urlpatterns: list[URLPattern] = []
if usable_pages().enabled:
    urlpatterns = [
        path("", mails, name="mails"),
        path("off/<str:token>/", off, name="mails_off"),
    ]
