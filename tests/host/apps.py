"""Add the site configuration, without which the service does not work, to the test database of a real checkout."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.db.models.signals import post_migrate


class HostTestsConfig(AppConfig):
    name = "tests.host"
    label = "host_tests"

    def ready(self) -> None:
        # After the sites app has made its default site; again whenever a test has flushed the tables.
        post_migrate.connect(_configure_site, sender=apps.get_app_config("core"))


def _configure_site(*, using: str, **_kwargs: Any) -> None:
    apps.get_model("core", "SiteConfiguration").objects.using(using).get_or_create(
        site_id=settings.SITE_ID,
        defaults={
            "platform_name": "Test platform",
            "lms_url_root": "http://lms.test",
            "catalog_api_url": "http://catalog.test/api/v1/",
        },
    )
