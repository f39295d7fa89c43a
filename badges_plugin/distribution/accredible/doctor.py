"""What ``badges_doctor`` says about Accredible: whether it answers, and takes our keys."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from badges_plugin.distribution.accounts.doctor import Probe
from badges_plugin.distribution.accredible.conf import config, spelled
from badges_plugin.distribution.accredible.configurations import client_for
from badges_plugin.distribution.accredible.models import AccredibleApiConfig
from badges_plugin.doctor import Finding, Reach, register


def connect() -> None:
    """Called once badges are switched on."""
    register("accredible", configurations, reach=Reach.NETWORK)


def configurations() -> Iterator[Finding]:
    """Accredible takes the key of each API configuration."""
    rows = list(AccredibleApiConfig.objects.order_by("pk"))
    known = {spelled(row.name) for row in rows}
    for name in sorted(name for name in config().api_keys if spelled(name) not in known):
        yield Finding.warning(
            f"API configuration {name!r} is in the settings but was never synchronized.",
            "Run manage.py sync_accredible_badge_templates.",
        )
    probe = Probe(
        provider="Accredible",
        address=config().api_root,
        address_setting="ACCREDIBLE_API_BASE_URL",
        key_advice="Enter its API key in the admin or in BADGES_CONFIG; USE_SANDBOX and USE_EU must fit the key.",
        refusal_advice="Check at Accredible what the key is allowed to do.",
    )
    for row in rows:
        yield probe.examine(f"API configuration {row.name!r}", partial(_ask, row))


def _ask(row: AccredibleApiConfig) -> None:
    client_for(row).check()
