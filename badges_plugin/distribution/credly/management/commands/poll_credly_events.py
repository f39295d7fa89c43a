"""`manage.py poll_credly_events`: what webhooks have missed, for example while this service was down."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from badges_plugin.distribution.credly.events import poll
from badges_plugin.distribution.credly.models import CredlyOrganization
from badges_plugin.distribution.credly.organizations import ensure_configured
from badges_plugin.distribution.failures import DeliveryFailure


class Command(BaseCommand):
    help = "Apply the events at Credly that no webhook has brought. Run it regularly, and after downtime."

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_configured()
        failed = 0
        for organization in CredlyOrganization.objects.order_by("name", "pk"):
            try:
                result = poll(organization)
            except DeliveryFailure as failure:
                failed += 1
                self.stderr.write(f"{organization}: {failure.reason}")
                continue
            self.stdout.write(
                f"{organization}: {result.seen} events seen, {result.applied} applied, {result.waiting} left for later"
            )
        if failed:
            raise CommandError(f"{failed} organizations could not be polled.")
