"""The URLs of the desk, below ``badges/desk/``."""

from __future__ import annotations

from django.urls import URLPattern, path

from badges_plugin.web.desk.badge import activating, copying, form
from badges_plugin.web.desk.badge import page as badge_page

urlpatterns: list[URLPattern] = [
    path("badges/new/", form.new_badge, name="desk_new_badge"),
    path("badges/find/", form.find, name="desk_find"),
    path("badges/<int:template_id>/change/", form.change_badge, name="desk_change_badge"),
    path("badges/<int:template_id>/", badge_page.badge, name="desk_badge"),
    path("badges/<int:template_id>/copy/", copying.copy_badge, name="desk_copy_badge"),
    path("badges/<int:template_id>/activate/", activating.activate, name="desk_activate_badge"),
    path("badges/<int:template_id>/deactivate/", activating.deactivate, name="desk_deactivate_badge"),
]
