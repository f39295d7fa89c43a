"""What ``badges_doctor`` says about Credly: whether it answers, and takes our keys."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from badges_plugin.distribution.accounts.doctor import Probe
from badges_plugin.distribution.credly.checks import CLOSE_WEBHOOK, OPEN_WEBHOOK
from badges_plugin.distribution.credly.conf import config
from badges_plugin.distribution.credly.models import CredlyOrganization
from badges_plugin.distribution.credly.organizations import client_for
from badges_plugin.doctor import Finding, Reach, register


def connect() -> None:
    """Called once badges are switched on."""
    register("credly", organizations, reach=Reach.NETWORK)
    register("credly webhook", webhook, reach=Reach.DATABASE)


def webhook() -> Iterator[Finding]:
    """Nobody but Credly can post notifications."""
    if config().webhook_secret:
        yield Finding.ok("Credly's webhook has a secret.")
    elif config().organizations or CredlyOrganization.objects.exists():
        yield Finding.warning(OPEN_WEBHOOK, CLOSE_WEBHOOK)


def organizations() -> Iterator[Finding]:
    """Credly knows each organization by its key."""
    rows = list(CredlyOrganization.objects.order_by("pk"))
    unknown = set(config().organizations) - {row.uuid for row in rows}
    for uuid in sorted(map(str, unknown)):
        yield Finding.warning(
            f"Organization {uuid} is in the settings but was never synchronized.",
            "Run manage.py sync_credly_badge_templates.",
        )
    probe = Probe(
        provider="Credly",
        address=config().api_base_url,
        address_setting="CREDLY_API_BASE_URL",
        key_advice="Enter its API key in the admin (Credly organizations) or in BADGES_CONFIG; "
        "USE_SANDBOX must fit the key.",
        refusal_advice="Check the organization's id in the admin.",
    )
    for row in rows:
        yield probe.examine(f"organization {row.uuid}", partial(_ask, row))


def _ask(row: CredlyOrganization) -> None:
    client_for(row).organization()
