"""Every number that is served, and the bounded queries that it is read with.

Labels have few values: partitions, accounts, states and outcomes. None names a learner, a badge or a process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from badges_plugin import vitals
from badges_plugin.counting import MOST, count_up_to
from badges_plugin.distribution import attention, monitored
from badges_plugin.models import BadgeAward, FailedEvent
from badges_plugin.web.notes import MailNote, MailState


@dataclass(frozen=True)
class Number:
    """What a number says, and the names of its labels."""

    help: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    """The value of a number; ``labels`` are values in the order of its labels."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


_GROUP = ("bus", "topic", "group")
_BOUND = f"counted up to {MOST}; one more stands for any larger number"

NUMBERS = {
    "badges_consumer_lag_messages": Number("Events that wait for a consumer group.", (*_GROUP, "partition")),
    "badges_consumer_lag_seconds": Number("How long the oldest of them has waited.", (*_GROUP, "partition")),
    "badges_consumer_lag_measured_seconds": Number("Time since a worker last measured the lag.", _GROUP),
    "badges_events_total": Number("Events that consumers have handled, by what became of them.", (*_GROUP, "outcome")),
    "badges_processes": Number("Processes that have reported within three minutes.", ("kind",)),
    "badges_process_report_seconds": Number("Time since the last report of any process of the kind.", ("kind",)),
    "badges_failed_events": Number(f"Failed events that nobody has decided about, {_BOUND}.", ("cause",)),
    "badges_deliveries": Number(f"Deliveries that are not settled, each state {_BOUND}.", ("state",)),
    "badges_delivery_oldest_seconds": Number("Time since the oldest of them was queued.", ("state",)),
    "badges_delivery_overdue_seconds": Number("How long a delivery has been due that only needs a worker."),
    "badges_deliveries_on_hold": Number(f"Deliveries that wait for an account whose key is rejected, {_BOUND}."),
    "badges_account_paused": Number("1 while the key of an account at a provider is rejected.", ("backend", "account")),
    "badges_account_resting": Number("1 while nothing is sent to an account, for a time.", ("backend", "account")),
    "badges_account_failures": Number("Failures in a row of an account at a provider.", ("backend", "account")),
    "badges_announcements_waiting": Number(f"Awards and revocations that are not published yet, {_BOUND}."),
    "badges_announcement_overdue_seconds": Number("How long the first of them has been due."),
    "badges_expired_awards_waiting": Number(f"Awards whose time is over and that have not been ended, {_BOUND}."),
    "badges_mails_waiting": Number(f"Mails to learners that are not sent yet, {_BOUND}."),
    "badges_mail_overdue_seconds": Number("How long the first of them has been due."),
    "badges_metrics_part_read": Number("1 if these metrics could be read from the database.", ("part",)),
}
COUNTERS = frozenset({"badges_events_total"})


def _age(since: datetime | None, now: datetime) -> float:
    """Return the seconds since then; 0 if there is nothing, or it lies ahead."""
    return max((now - since).total_seconds(), 0.0) if since is not None else 0.0


def _lag(now: datetime) -> Iterator[Sample]:
    for each in vitals.group_lags(now):
        group = (each.name.bus, each.name.topic, each.name.group)
        if each.measured_at is not None:
            yield Sample("badges_consumer_lag_measured_seconds", _age(each.measured_at, now), group)
        for row in each.partitions:
            labels = (*group, str(row.partition))
            if row.messages is not None:
                yield Sample("badges_consumer_lag_messages", row.messages, labels)
            if row.seconds is not None:
                yield Sample("badges_consumer_lag_seconds", row.seconds, labels)


def _events(now: datetime) -> Iterator[Sample]:
    for name, outcome, total in vitals.event_counts():
        yield Sample("badges_events_total", total, (name.bus, name.topic, name.group, outcome))


def _processes(now: datetime) -> Iterator[Sample]:
    for each in vitals.running(now):
        yield Sample("badges_processes", each.number, (each.kind.value,))
        if each.last_report is not None:
            yield Sample("badges_process_report_seconds", _age(each.last_report, now), (each.kind.value,))


def _failed_events(now: datetime) -> Iterator[Sample]:
    # No more rows than are counted: a rare cause would have to be looked for among all of them.
    rows = FailedEvent.objects.filter(state=FailedEvent.State.FAILED).order_by().values_list("cause", flat=True)
    counted = Counter(rows[: MOST + 1])
    for cause in ("", *(value for value, _ in FailedEvent.CAUSES)):
        yield Sample("badges_failed_events", counted[cause], (cause or "error",))


def _deliveries(now: datetime) -> Iterator[Sample]:
    oldest = monitored.oldest()
    for state, number in monitored.unsettled().items():
        yield Sample("badges_deliveries", number, (state.value,))
        yield Sample("badges_delivery_oldest_seconds", _age(oldest.get(state), now), (state.value,))
    yield Sample("badges_delivery_overdue_seconds", _age(monitored.due_since(now), now))
    yield Sample("badges_deliveries_on_hold", attention.on_hold())


def _accounts(now: datetime) -> Iterator[Sample]:
    for each in monitored.accounts(now):
        labels = (each.backend, each.account)
        yield Sample("badges_account_paused", each.is_paused, labels)
        yield Sample("badges_account_resting", each.is_resting, labels)
        yield Sample("badges_account_failures", each.failures, labels)


def _awards(now: datetime) -> Iterator[Sample]:
    waiting = BadgeAward.objects.filter(publish_due_at__isnull=False)
    first = waiting.order_by("publish_due_at").values_list("publish_due_at", flat=True).first()
    yield Sample("badges_announcements_waiting", count_up_to(waiting))
    yield Sample("badges_announcement_overdue_seconds", _age(first, now))
    expired = BadgeAward.objects.filter(revoked_at=None, expires_at__lte=now)
    yield Sample("badges_expired_awards_waiting", count_up_to(expired))


def _mails(now: datetime) -> Iterator[Sample]:
    waiting = MailNote.objects.filter(state=MailState.WAITING)
    first = waiting.order_by("due_at").values_list("due_at", flat=True).first()
    yield Sample("badges_mails_waiting", count_up_to(waiting))
    yield Sample("badges_mail_overdue_seconds", _age(first, now))


PARTS: dict[str, Callable[[datetime], Iterator[Sample]]] = {
    "lag": _lag,
    "events": _events,
    "processes": _processes,
    "failed_events": _failed_events,
    "deliveries": _deliveries,
    "accounts": _accounts,
    "awards": _awards,
    "mails": _mails,
}
