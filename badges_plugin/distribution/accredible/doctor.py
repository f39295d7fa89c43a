"""What `badges_doctor` says about Accredible: whether it answers, and takes our keys."""

from __future__ import annotations

from collections.abc import Iterator

from badges_plugin.distribution.accredible.conf import config
from badges_plugin.distribution.accredible.configurations import client_for
from badges_plugin.distribution.accredible.models import AccredibleApiConfig
from badges_plugin.distribution.failures import DeliveryFailure, RejectedKey, TransientFailure
from badges_plugin.doctor import Finding, Reach, register


def connect() -> None:
    """Called once badges are switched on."""
    register("accredible", configurations, reach=Reach.NETWORK)


def configurations() -> Iterator[Finding]:
    """Accredible takes the key of each API configuration."""
    rows = list(AccredibleApiConfig.objects.order_by("pk"))
    for name in sorted(set(config().api_keys) - {row.name for row in rows}):
        yield Finding.warning(
            f"API configuration {name!r} is in the settings but was never synchronized.",
            "Run manage.py sync_accredible_badge_templates.",
        )
    for row in rows:
        yield _examine(row)


def _examine(row: AccredibleApiConfig) -> Finding:
    try:
        client_for(row).check()
    except RejectedKey as failure:
        return Finding.error(
            f"Accredible does not take the key of API configuration {row.name!r}: {failure.reason}",
            "Enter its API key in the admin or in BADGES_CONFIG; USE_SANDBOX and USE_EU must fit the key.",
        )
    except TransientFailure as failure:
        return Finding.error(
            f"Accredible cannot be reached at {config().api_root}: {failure.reason}",
            "Check the network, the firewall and ACCREDIBLE_API_BASE_URL. Deliveries wait and are not lost.",
        )
    except DeliveryFailure as failure:
        return Finding.error(
            f"Accredible refuses to show the groups of API configuration {row.name!r}: {failure.reason}",
            "Check at Accredible what the key is allowed to do.",
        )
    return Finding.ok(f"Accredible takes the key of API configuration {row.name!r}.")
