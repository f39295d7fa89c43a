"""`manage.py poll_accredible_credentials`: what was published, expired or extended at Accredible itself."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from badges_plugin.distribution.accredible.configurations import ensure_configured
from badges_plugin.distribution.accredible.events import poll
from badges_plugin.distribution.accredible.models import AccredibleApiConfig
from badges_plugin.distribution.failures import DeliveryFailure


class Command(BaseCommand):
    help = "Take over the states of credentials that were changed at Accredible. Run it regularly."

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_configured()
        failed = 0
        for api_config in AccredibleApiConfig.objects.order_by("name", "pk"):
            try:
                result = poll(api_config)
            except DeliveryFailure as failure:
                failed += 1
                self.stderr.write(f"{api_config}: {failure.reason}")
                continue
            self.stdout.write(f"{api_config}: {result.seen} credentials seen, {result.changed} badges changed")
        if failed:
            raise CommandError(f"{failed} API configurations could not be polled.")
