"""From an organization to a client that speaks for it."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from badges_plugin.distribution.conf import config as distribution_config
from badges_plugin.distribution.credly.client import CredlyClient
from badges_plugin.distribution.credly.conf import config
from badges_plugin.distribution.credly.models import CredlyOrganization
from badges_plugin.distribution.http import Timeouts
from badges_plugin.distribution.rate_limit import RateLimiter


def client_for(organization: CredlyOrganization) -> CredlyClient:
    """A client with the organization's own key. Raises RejectedKey when there is none to use."""
    return make_client(organization.uuid, organization.api_key)


def make_client(organization: UUID, api_key: str) -> CredlyClient:
    """A client for a key that need not be stored."""
    settings = config()
    pace = settings.requests_per_minute
    return CredlyClient(
        settings.api_base_url,
        organization,
        api_key,
        timeouts=Timeouts.within(distribution_config().request_timeout),
        limiter=_limiter(organization, pace) if pace else None,
    )


def ensure_configured() -> list[CredlyOrganization]:
    """Organizations that are named in the settings alone get a row, so that they can be synchronized."""
    return [CredlyOrganization.objects.get_or_create(uuid=uuid)[0] for uuid in config().organizations]


@lru_cache(maxsize=1024)
def _limiter(organization: UUID, per_minute: float) -> RateLimiter:
    """One limiter for all threads of the process that speak for the organization."""
    return RateLimiter(per_minute)
