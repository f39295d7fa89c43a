"""From an API configuration to a client that speaks with its key."""

from __future__ import annotations

from functools import lru_cache

from badges_plugin.distribution.accredible.client import AccredibleClient
from badges_plugin.distribution.accredible.conf import config, spelled
from badges_plugin.distribution.accredible.models import AccredibleApiConfig
from badges_plugin.distribution.conf import config as distribution_config
from badges_plugin.distribution.http import Timeouts
from badges_plugin.distribution.rate_limit import RateLimiter


def client_for(api_config: AccredibleApiConfig) -> AccredibleClient:
    """A client with the configuration's own key. Raises RejectedKey when there is none to use."""
    return make_client(api_config.api_key)


def make_client(api_key: str) -> AccredibleClient:
    """A client for a key that need not be stored."""
    settings = config()
    pace = settings.requests_per_minute
    return AccredibleClient(
        settings.api_root,
        api_key,
        timeouts=Timeouts.within(distribution_config().request_timeout),
        limiter=_limiter(pace) if pace else None,
    )


def ensure_configured() -> list[AccredibleApiConfig]:
    """Configurations that are named in the settings alone get a row, so that they can be synchronized."""
    # The oldest, where there are several of a name.
    known = {spelled(row.name): row for row in AccredibleApiConfig.objects.order_by("-pk")}
    return [
        known.get(spelled(name)) or AccredibleApiConfig.objects.get_or_create(name=name)[0]
        for name in config().api_keys
    ]


@lru_cache(maxsize=8)
def _limiter(per_minute: float) -> RateLimiter:
    """One limiter for the whole process: Accredible counts requests by network address, not by key."""
    return RateLimiter(per_minute)
