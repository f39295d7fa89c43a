"""What `badges_doctor` says about Credly: whether it answers, and takes our keys."""

from __future__ import annotations

from collections.abc import Iterator

from badges_plugin.distribution.credly.conf import config
from badges_plugin.distribution.credly.models import CredlyOrganization
from badges_plugin.distribution.credly.organizations import client_for
from badges_plugin.distribution.failures import DeliveryFailure, RejectedKey, TransientFailure
from badges_plugin.doctor import Finding, Reach, register


def connect() -> None:
    """Called once badges are switched on."""
    register("credly", organizations, reach=Reach.NETWORK)


def organizations() -> Iterator[Finding]:
    """Credly knows each organization by its key."""
    rows = list(CredlyOrganization.objects.order_by("pk"))
    unknown = set(config().organizations) - {row.uuid for row in rows}
    for uuid in sorted(map(str, unknown)):
        yield Finding.warning(
            f"Organization {uuid} is in the settings but was never synchronized.",
            "Run manage.py sync_credly_badge_templates.",
        )
    for row in rows:
        yield _examine(row)


def _examine(row: CredlyOrganization) -> Finding:
    try:
        client_for(row).organization()
    except RejectedKey as failure:
        return Finding.error(
            f"Credly does not take the key of organization {row.uuid}: {failure.reason}",
            "Enter its API key in the admin (Credly organizations) or in BADGES_CONFIG; USE_SANDBOX must fit the key.",
        )
    except TransientFailure as failure:
        return Finding.error(
            f"Credly cannot be reached at {config().api_base_url}: {failure.reason}",
            "Check the network, the firewall and CREDLY_API_BASE_URL. Deliveries wait and are not lost.",
        )
    except DeliveryFailure as failure:
        return Finding.error(
            f"Credly refuses to show organization {row.uuid}: {failure.reason}",
            "Check the organization's id in the admin.",
        )
    return Finding.ok(f"Credly knows organization {row.uuid}.")
