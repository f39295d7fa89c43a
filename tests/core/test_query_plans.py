"""Queries over tables that grow: on MySQL and MariaDB, an index serves each of them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badges_plugin import api, earlier, reading, retirement, weekly
from badges_plugin.consumers import deferred, retention
from badges_plugin.distribution import channels, checks, claims, purge
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.distribution.retry import RetryPolicy
from badges_plugin.doctor import database_probes
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeRequirement, FailedEvent, Fulfillment
from badges_plugin.processing import expiry, outbox
from badges_plugin.web.metrics.numbers import PARTS, Sample
from tests.factories import make_user
from tests.limits import Lower

pytestmark = [pytest.mark.mysql, pytest.mark.standin, pytest.mark.django_db(transaction=True)]

ROWS = 3000
COUNTED_SECONDS = 20.0
FEW = 1000
"""Rows that may be read or sorted whatever the size of the table."""
BEFORE = datetime(2025, 12, 1, tzinfo=UTC)
"""When nothing of what was inserted is due or old."""
NUMBERS = "/badges/desk/numbers/"
BIG = {model._meta.db_table for model in (BadgeProgress, Fulfillment, BadgeAward, Delivery, FailedEvent, User)}


def _read(read: Callable[[datetime], Iterator[Sample]]) -> list[Sample]:
    return list(read(BEFORE))


def work() -> dict[str, Callable[[], Any]]:
    """Everything that processes ask again and again."""
    return {
        "expiry": lambda: expiry.end_expired(BEFORE),
        "outbox": outbox.publish_pending,
        "old failed events": lambda: retention.purge_a_batch(BEFORE),
        "deferred events": lambda: deferred.retry_a_batch(BEFORE),
        "old deliveries": lambda: purge.purge_a_batch(BEFORE),
        "claims": lambda: claims.claim(10, worker="w", lease=30, now=BEFORE, policy=RetryPolicy()),
        "expired claims": lambda: claims.recover_expired(BEFORE),
        "undecided": lambda: earlier.undecided(BadgeRequirement.objects.order_by("pk")),
        "failed events": lambda: list(database_probes.failed_events()),
        "retained events": lambda: list(database_probes.retained_events()),
        "announcements": lambda: list(database_probes.announcements()),
        "future events": lambda: list(database_probes.clock()),
        "retired among others": lambda: retirement.retired_among(User.objects.order_by("pk")[:300]),
        "open accounts": lambda: channels.open_channels(BEFORE, RetryPolicy()),
        "accounts to probe": lambda: channels.probe_channels(BEFORE, RetryPolicy()),
        "the weeks of numbers": lambda: weekly.next_week(weekly.week_of(BEFORE)),
        "awards to check": lambda: reading.to_check(timezone.now()),
        "drafts with a problem": api.drafts_with_problems,
        "late deliveries": lambda: list(checks.deliveries()),
        **{f"metrics of {part}": partial(_read, read) for part, read in PARTS.items()},
        "old deliveries left": lambda: list(checks.old_deliveries()),
    }


def pages(client: Client, lower: Lower) -> dict[str, Callable[[], Any]]:
    """Lists of staff, with filters and searches, as of tables that are large."""
    lower("badges_plugin.admin.large", LARGE=1)
    lower("badges_plugin.admin.large", MOST=100)
    client.force_login(make_user(is_staff=True, is_superuser=True))
    queries = {
        "badges_plugin_badgeprogress": ("", "q=bench-100", "badge=held", "badge=nearly", "badge_name=bench"),
        "badges_plugin_badgeaward": ("", "q=bench-100", "state=held", "state=expired", "expiry=30", "badge_name=bench"),
        "badges_distribution_delivery": ("", "q=bench-100", "state__exact=failed", "in_doubt__exact=1", "q=0000000001"),
        "badges_plugin_failedevent": ("", "q=0:100", "state__exact=failed", "cause__exact=future", "topic=nothing"),
    }
    lower("badges_plugin.reading.numbers", LARGE=1)
    lower("badges_plugin.reading.funnel", SAMPLE=100)
    lower("badges_plugin.reading.funnel", MOST_REGISTERS=500)
    lower("badges_plugin.distribution.numbers", MOST=100)
    template = BadgeProgress.objects.values_list("template", flat=True)[0]
    numbers: dict[str, Callable[[], Any]] = {
        url: partial(client.get, url) for url in (NUMBERS, f"{NUMBERS}{template}/")
    }
    progress = BadgeProgress.objects.order_by("-pk")[0]
    award = progress.awards.get()
    told = [
        reverse("badges_web:desk_learners"),
        f"{reverse('badges_web:desk_learners')}?q=bench-10",
        reverse("badges_web:desk_learner", args=[progress.user_id]),
        reverse("badges_web:desk_award", args=[award.pk]),
        reverse("badges_web:desk_try"),
    ]
    numbers |= {url: partial(client.get, url) for url in told}
    return numbers | {
        f"{table}?{query}": lambda table=table, query=query: client.get(
            f"{reverse(f'admin:{table}_changelist')}?{query}"
        )
        for table, wanted in queries.items()
        for query in wanted
    }


def faults(asked: list[str]) -> list[str]:
    """Explain each SELECT; return those that read or sort more than a few rows of a big table."""
    found = []
    for sql in asked:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN FORMAT=TRADITIONAL {sql.replace('%', '%%')}", [])
            names = [column[0] for column in cursor.description]
            plan = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        # Without a condition, as many rows are read as are wanted. One that is sorted by no index is found below.
        is_bounded = "WHERE" not in sql and "LIMIT" in sql
        aliases = {name for name in BIG if name in sql} | set(re.findall(r" (U\d+|T\d+)\b", sql))
        for step in plan:
            is_big = step["table"] in aliases and int(str(step["rows"] or 0).split()[0]) > FEW
            scans = step["type"] in ("ALL", "index") and not is_bounded
            if is_big and (scans or "filesort" in (step["Extra"] or "")):
                found.append(f"{step['table']} {step['type']} {step['rows']} {step['Extra']}: {sql[:1500]}")
    return found


def settled_faults(asked: list[str]) -> list[str]:
    """Return the faults that remain: InnoDB counts the rows that were just inserted in the background."""
    until = time.monotonic() + COUNTED_SECONDS
    while (found := faults(asked)) and time.monotonic() < until:
        time.sleep(0.5)
    return found


def test_an_index_serves_every_query_that_grows(client: Client, monkeypatch: pytest.MonkeyPatch, lower: Lower) -> None:
    from sandbox.bench.tables import fill

    fill(ROWS, fulfillments=2)
    oldest = list(BadgeAward.objects.order_by("pk").values_list("pk", flat=True)[: ROWS // 5])
    BadgeAward.objects.filter(pk__in=oldest).update(ended_by="by_hand", revoked_at=BEFORE)
    broken = {}
    for name, call in {**work(), **pages(client, lower)}.items():
        with monkeypatch.context() as patches, CaptureQueriesContext(connection) as captured:
            if name in work():
                patches.setattr(timezone, "now", lambda: BEFORE)
            call()
        asked = [each["sql"] for each in captured.captured_queries if each["sql"].startswith("SELECT")]
        assert asked, name
        if found := settled_faults([sql for sql in asked if "FOR UPDATE" not in sql]):
            broken[name] = found
    assert not broken


def test_a_query_without_an_index_is_found() -> None:
    from sandbox.bench.tables import fill

    fill(ROWS, fulfillments=1)
    assert faults([str(BadgeAward.objects.filter(revocation_reason="x").query).replace("= x", "= 'x'")])
    assert faults([str(BadgeAward.objects.order_by("recorded_at").query)])


def rows_read(call: Callable[[], Any]) -> int:
    """Return how many rows and index entries a server read for a call, whatever it had planned."""
    with connection.cursor() as cursor:
        cursor.execute("FLUSH STATUS")
        call()
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
        return sum(int(value) for _name, value in cursor.fetchall())


def test_what_waits_for_closed_accounts_is_not_read_to_find_the_rest() -> None:
    from sandbox.bench.tables import fill

    fill(ROWS, fulfillments=1)
    closed = Channel.objects.get()
    closed.paused_reason = "HTTP 401"
    closed.save()
    few = list(Delivery.objects.order_by("-pk").values_list("pk", flat=True)[:600])
    Delivery.objects.update(state="pending", next_attempt_at=BEFORE)
    for number, start in enumerate((0, 300)):
        channel = Channel.objects.create(backend="credly", account=f"open {number}")
        later = BEFORE + timedelta(days=number + 1)
        Delivery.objects.filter(pk__in=few[start : start + 300]).update(channel=channel, next_attempt_at=later)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE TABLE {Delivery._meta.db_table}")
        cursor.fetchall()
    now = BEFORE + timedelta(days=3)
    claimed: list[Delivery] = []
    claim = partial(claims.claim, 10, worker="w", lease=30, now=now, policy=RetryPolicy())
    assert rows_read(lambda: claimed.extend(claim())) < FEW
    assert len(claimed) == 10
    assert {delivery.pk for delivery in claimed} <= set(few[:300])  # which were due first
