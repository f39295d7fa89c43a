"""What the file of deliveries says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from badges_plugin.admin.exporting import Export
from badges_plugin.distribution import registry
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.reasons import localized
from badges_plugin.distribution.retry import State
from badges_plugin.host import User


def _deliveries(keys: Sequence[int]) -> Iterator[tuple[User, Sequence[object]]]:
    found = Delivery.objects.select_related("award__progress__user", "award__progress__template").in_bulk(keys)
    for key in keys:
        if key in found:
            row = found[key]
            due = row.next_attempt_at if row.state in (State.PENDING, State.SENDING) else None
            sent = (registry.name_of(row.backend), row.action, row.state, localized(row.last_error), row.attempts, due)
            yield row.award.user, (row.award.template.name, *sent, row.settled_at, row.external_id)


DELIVERIES = Export(
    "deliveries",
    (
        "badge",
        "provider",
        "action",
        "state",
        "reason",
        "attempts",
        "next_attempt_at",
        "settled_at",
        "id_at_provider",
    ),
    _deliveries,
)
