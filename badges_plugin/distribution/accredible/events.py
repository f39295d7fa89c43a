"""What happened at Accredible, applied here. Accredible tells nobody, so it is asked what was changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from badges_plugin.database import by_key
from badges_plugin.distribution.accredible.configurations import client_for
from badges_plugin.distribution.accredible.data import CredentialRecord, CredentialState
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleBadge, AccredibleGroup
from badges_plugin.times import site_day

# How far back a first poll looks, and how much a later one looks again at. The search knows days only, its index lags,
# and what a worker records during a poll may be overwritten by what the poll read before: the next one sees it again.
_FIRST_LOOK = timedelta(days=30)
_OVERLAP = timedelta(days=1)

_FINAL = (CredentialState.DELETED.value,)


@dataclass(slots=True)
class PollResult:
    """How many changed credentials were seen, and how many badges have another state now."""

    seen: int = 0
    changed: int = 0


def poll(api_config: AccredibleApiConfig) -> PollResult:
    """Take over the states of credentials that were changed at Accredible.

    Raises the failures of ``badges_plugin.distribution.exceptions``; the next poll then begins where this one did.
    """
    now = timezone.now()
    since = (api_config.polled_until or now - _FIRST_LOOK) - _OVERLAP
    client, result = client_for(api_config), PollResult()
    for group in AccredibleGroup.objects.filter(api_config=api_config).order_by("pk"):
        query: dict[str, str | int] = {
            "group.id": group.group_id,
            # Of an instant of theirs; the overlap is longer than zones differ.
            "updated_at[gte]": since.astimezone(UTC).date().isoformat(),
        }
        for record in client.credentials(query):
            result.seen += 1
            result.changed += _set_state(group, record, now)
    AccredibleApiConfig.objects.filter(pk=api_config.pk).update(polled_until=now)
    return result


def _set_state(group: AccredibleGroup, record: CredentialRecord, now: datetime) -> int:
    state = record.state(site_day(now))
    if state is CredentialState.UNKNOWN:
        return 0
    # By key: as a condition of the update, MariaDB would lock the host's credential for the group, which an event that
    # awards the badge again holds while it waits for ours.
    badges = by_key(AccredibleBadge.objects.filter(external_id=record.id, credential_id=group.pk))
    return badges.exclude(state__in=(*_FINAL, state.value)).update(state=state.value)
