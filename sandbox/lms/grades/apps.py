"""The app's configuration; the label is the platform's."""

from __future__ import annotations

from django.apps import AppConfig


class GradesConfig(AppConfig):
    name = "sandbox.lms.grades"
    label = "grades"
    default_auto_field = "django.db.models.BigAutoField"
