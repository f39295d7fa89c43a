"""``manage.py poll_credly_events``: what webhooks have missed, for example while this service was down."""

from __future__ import annotations

from typing import Any

from badges_plugin.command_line import BadgesCommand
from badges_plugin.distribution.accounts.commands import for_each
from badges_plugin.distribution.credly.events import poll
from badges_plugin.distribution.credly.models import CredlyOrganization
from badges_plugin.distribution.credly.organizations import ensure_configured


class Command(BadgesCommand):
    help = "Apply the events at Credly that no webhook has brought. Run it regularly, and after downtime."

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_configured()
        for_each(self, list(CredlyOrganization.objects.order_by("name", "pk")), _poll)


def _poll(organization: CredlyOrganization) -> str:
    result = poll(organization)
    return f"{result.seen} events seen, {result.applied} applied, {result.waiting} left for later"
