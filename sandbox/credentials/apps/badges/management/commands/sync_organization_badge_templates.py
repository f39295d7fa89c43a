"""A command of the built-in app: it comes before a plugin's command of the same name, as its app does."""

from __future__ import annotations

from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("arguments", nargs="*")
        parser.add_argument("--organization_id", "--api_config_id", "--site_id")

    def handle(self, **_options: Any) -> NoReturn:
        raise CommandError("This is the command of the service's built-in badges, not the plugin's.")
