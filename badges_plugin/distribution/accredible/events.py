"""Apply changes at Accredible here. Accredible sends no events, so it is asked for changed credentials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from badges_plugin.database import by_key
from badges_plugin.distribution.accredible.client import client_for
from badges_plugin.distribution.accredible.data import CredentialPayload, CredentialState
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleBadge, AccredibleGroup
from badges_plugin.times import site_day

# The period of a first poll, and the overlap of later ones. The search knows days only, its index lags, and a poll may
# overwrite what a worker records meanwhile with what it read before: the next poll corrects it.
_FIRST_LOOK = timedelta(days=30)
_OVERLAP = timedelta(days=1)

_FINAL = (CredentialState.DELETED,)


@dataclass(slots=True)
class PollResult:
    """The numbers of changed credentials that were seen, and of badges with another state now."""

    seen: int = 0
    changed: int = 0

    def __str__(self) -> str:
        return f"{self.seen} credentials seen, {self.changed} badges changed"


def poll(api_config: AccredibleApiConfig) -> PollResult:
    """Copy the states of credentials that were changed at Accredible.

    Raises the failures of the contract; the next poll then begins where this one did.
    """
    now = timezone.now()
    since = (api_config.polled_until or now - _FIRST_LOOK) - _OVERLAP
    client, result = client_for(api_config), PollResult()
    for group in AccredibleGroup.objects.filter(api_config=api_config).order_by("pk"):
        query: dict[str, str | int] = {
            "group.id": group.group_id,
            # In their time zone; the overlap is longer than any difference.
            "updated_at[gte]": since.astimezone(UTC).date().isoformat(),
        }
        for payload in client.credentials(query):
            result.seen += 1
            result.changed += _set_state(group, payload, now)
    AccredibleApiConfig.objects.filter(pk=api_config.pk).update(polled_until=now)
    return result


def _set_state(group: AccredibleGroup, payload: CredentialPayload, now: datetime) -> int:
    state = payload.state(site_day(now))
    if state is CredentialState.UNKNOWN:
        return 0
    # By key: with the group as a condition of the update, MariaDB would lock the host's credential, which an event that
    # awards the badge again locks while it waits for our row.
    badges = by_key(AccredibleBadge.objects.filter(external_id=payload.id, credential_id=group.pk))
    return badges.exclude(state__in=(*_FINAL, state)).update(state=state)
