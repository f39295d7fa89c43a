"""``manage.py poll_accredible_credentials``: what was published, expired or extended at Accredible itself."""

from __future__ import annotations

from typing import Any

from badges_plugin.command_line import BadgesCommand
from badges_plugin.distribution.accounts.commands import for_each
from badges_plugin.distribution.accredible.configurations import ensure_configured
from badges_plugin.distribution.accredible.events import poll
from badges_plugin.distribution.accredible.models import AccredibleApiConfig


class Command(BadgesCommand):
    help = "Take over the states of credentials that were changed at Accredible. Run it regularly."

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_configured()
        for_each(self, list(AccredibleApiConfig.objects.order_by("name", "pk")), _poll)


def _poll(api_config: AccredibleApiConfig) -> str:
    result = poll(api_config)
    return f"{result.seen} credentials seen, {result.changed} badges changed"
