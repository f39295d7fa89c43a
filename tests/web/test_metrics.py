"""Numbers for Prometheus: who may read them, that they are right, and that they cost no more on a large site."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from badges_plugin import counting, vitals
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.models import BadgeAward, ConsumerGroup, EventCount, FailedEvent, PartitionLag, RunningProcess
from badges_plugin.web.metrics.checks import check_library, check_settings
from badges_plugin.web.metrics.numbers import COUNTERS, NUMBERS, PARTS
from tests.factories import make_template, make_user, requires_course, send_passing

prometheus = pytest.importorskip("prometheus_client.parser", reason="prometheus_client is not in this environment")

pytestmark = pytest.mark.django_db

ADDRESS = "/badges/metrics/"
TOKEN = "a-token-of-no-use"
ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "docs" / "operations" / "monitoring"
TABLE = re.compile(r"^``(badges_\w+)``", re.MULTILINE)
BEARER: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}


def switch_on(settings: Any, **config: Any) -> None:
    settings.BADGES_CONFIG = {"metrics": {"enabled": True, **config}}


@pytest.mark.parametrize(
    ("config", "request_has", "status"),
    [
        (None, BEARER, 404),  # off by default
        ({"enabled": False, "token": TOKEN}, BEARER, 404),
        ({"token": TOKEN}, BEARER, 200),
        ({"token": TOKEN}, {"HTTP_AUTHORIZATION": f"bearer  {TOKEN} "}, 200),
        ({"token": TOKEN}, {}, 401),
        ({"token": TOKEN}, {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}x"}, 401),
        ({"token": TOKEN}, {"HTTP_AUTHORIZATION": "Bearer "}, 401),
        ({"token": TOKEN}, {"HTTP_AUTHORIZATION": "Bearer \xe9"}, 401),
        ({"token": TOKEN}, {"HTTP_AUTHORIZATION": f"Basic {TOKEN}"}, 401),
        ({"networks": ["10.0.0.0/8"]}, {"REMOTE_ADDR": "10.1.2.3"}, 200),
        ({"networks": ["10.0.0.0/8"]}, {"REMOTE_ADDR": "::ffff:10.1.2.3"}, 200),
        ({"networks": ["fd00::/8", "10.0.0.0/8"]}, {"REMOTE_ADDR": "fd00::7"}, 200),
        ({"networks": ["10.0.0.0/8"]}, {"REMOTE_ADDR": "192.0.2.1"}, 403),
        ({"networks": ["10.0.0.0/8"]}, {"REMOTE_ADDR": ""}, 403),  # a Unix socket
        # The address is the proxy's, whoever asked it; and an empty token is no token.
        ({"networks": ["10.0.0.0/8"]}, {"REMOTE_ADDR": "10.1.2.3", "HTTP_X_FORWARDED_FOR": "192.0.2.1"}, 403),
        ({"networks": ["10.0.0.0/8"]}, {"HTTP_AUTHORIZATION": "Bearer "}, 403),
        ({"token": TOKEN, "networks": ["10.0.0.0/8"]}, {"REMOTE_ADDR": "192.0.2.1", **BEARER}, 200),
        # What cannot be used is off; a check tells.
        ({}, BEARER, 404),
        ({"token": "short"}, {"HTTP_AUTHORIZATION": "Bearer short"}, 404),
        ({"networks": "10.0.0.0/8"}, {"REMOTE_ADDR": "10.1.2.3"}, 404),
        ({"networks": ["10.0.0.1/8"]}, {"REMOTE_ADDR": "10.1.2.3"}, 404),
        ({"tokens": TOKEN}, BEARER, 404),
    ],
)
def test_who_may_read_the_metrics(
    settings: Any, config: Mapping[str, Any] | None, request_has: Mapping[str, Any], status: int
) -> None:
    settings.BADGES_CONFIG = {} if config is None else {"metrics": {"enabled": True, **config}}
    response = Client(**request_has).get(ADDRESS)
    assert response.status_code == status
    assert ("badges_processes" in response.content.decode()) is (status == 200)
    assert ("WWW-Authenticate" in response) is (status == 401)
    assert [each.id for each in check_settings(None)] == (
        ["badges_web.E021"] if status == 404 and config is not None and config.get("enabled", True) else []
    )
    assert check_library(None) == []


def read(settings: Any) -> dict[tuple[str, ...], float]:
    """Return the numbers by name and labels, as Prometheus reads them."""
    switch_on(settings, token=TOKEN)
    response = Client(**BEARER).get(ADDRESS)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")
    families = list(prometheus.text_string_to_metric_families(response.content.decode()))
    assert {(each.name, each.type) for each in families} == {
        (name.removesuffix("_total"), "counter" if name in COUNTERS else "gauge") for name in NUMBERS
    }
    return {
        (sample.name, *(sample.labels[label] for label in NUMBERS[sample.name].labels)): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_site_where_nothing_happened_yet(settings: Any) -> None:
    found = read(settings)
    assert {name[1] for name in found if name[0] == "badges_metrics_part_read"} == set(PARTS)
    assert {value for name, value in found.items() if name[0] != "badges_metrics_part_read"} == {0}
    assert found["badges_processes", "consumer"] == 0  # an alert can be made of what is not there


def test_the_numbers_are_those_of_the_site(settings: Any) -> None:
    now = timezone.now()
    template = make_template()
    requires_course(template)
    send_passing(make_user())
    award = BadgeAward.objects.get()
    BadgeAward.objects.update(publish_due_at=now - timedelta(seconds=70), expires_at=now - timedelta(seconds=1))
    # Its rest is over, as after any answer that asked to slow down.
    works = Channel.objects.create(backend="credly", account="a", rest_until=now - timedelta(seconds=200))
    rests = Channel.objects.create(backend="credly", account="b", failures=6, rest_until=now + timedelta(minutes=1))
    paused = Channel.objects.create(backend="accredible", account="c", paused_reason="401")
    deliveries = [(works, state) for state in ("pending", "sending", "failed", "done")]
    for number, (channel, state) in enumerate([*deliveries, (rests, "pending"), (paused, "pending")]):
        delivery = Delivery.objects.create(
            award=award,
            backend=f"x{number}",
            channel=channel,
            action="issue",
            state=state,
            # Only the first only needs a worker.
            next_attempt_at=now - timedelta(seconds=100 * (number + 1)),
        )
        Delivery.objects.filter(pk=delivery.pk).update(created=now - timedelta(hours=9 - number))
    for number, cause in enumerate(("", "", "future")):
        FailedEvent.objects.create(fingerprint=str(number), cause=cause)
    FailedEvent.objects.create(fingerprint="decided", state=FailedEvent.State.DISMISSED)
    group = ConsumerGroup.objects.create(bus="kafka", topic="dev-t", group="g", seen_at=now)
    vitals.keep_lag(
        group, [PartitionLag(consumer_group=group, partition=n, messages=n, seconds=n) for n in (0, 7)], now
    )
    EventCount.objects.create(consumer_group=group, outcome="applied", total=41)
    for name, beat_at in (("one", now), ("two", now - timedelta(minutes=9))):
        RunningProcess.objects.create(kind="worker", name=name, started_at=now, beat_at=beat_at)

    found = read(settings)
    group_labels = ("kafka", "dev-t", "g")
    whole = {name: value for name, value in found.items() if "seconds" not in name[0]}
    wanted = {
        ("badges_consumer_lag_messages", *group_labels, "0"): 0,
        ("badges_consumer_lag_messages", *group_labels, "7"): 7,
        ("badges_events_total", *group_labels, "applied"): 41,
        ("badges_processes", "worker"): 1,
        ("badges_failed_events", "error"): 2,
        ("badges_failed_events", "future"): 1,
        ("badges_failed_events", "name_taken"): 0,
        ("badges_deliveries", "pending"): 3,
        ("badges_deliveries", "sending"): 1,
        ("badges_deliveries", "failed"): 1,
        ("badges_deliveries_on_hold",): 1,
        ("badges_account_paused", "accredible", "c"): 1,
        ("badges_account_resting", "credly", "b"): 1,
        ("badges_account_failures", "credly", "b"): 6,
        ("badges_account_paused", "credly", "a"): 0,
        ("badges_announcements_waiting",): 1,
        ("badges_expired_awards_waiting",): 1,
    }
    assert {name: whole.get(name) for name in wanted} == wanted
    seconds = {
        ("badges_consumer_lag_seconds", *group_labels, "7"): 7,
        ("badges_delivery_oldest_seconds", "pending"): 9 * 3600,
        ("badges_delivery_oldest_seconds", "failed"): 7 * 3600,
        ("badges_delivery_overdue_seconds",): 100,
        ("badges_announcement_overdue_seconds",): 70,
    }
    assert {name: found[name] for name in seconds} == {
        name: pytest.approx(value, abs=5) for name, value in seconds.items()
    }


def test_what_cannot_be_read_does_not_hide_the_rest(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(execute: Any, sql: str, *rest: Any) -> Any:
        if "badges_distribution_delivery" in sql:
            raise DatabaseError("gone")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse):
        found = read(settings)
    assert found["badges_metrics_part_read", "deliveries"] == 0
    assert found["badges_metrics_part_read", "accounts"] == 1
    assert ("badges_deliveries", "pending") not in found
    assert "without those of deliveries" in caplog.text


def test_no_table_is_counted_beyond_a_bound(settings: Any) -> None:
    with CaptureQueriesContext(connection) as captured:
        read(settings)
    asked = [each["sql"] for each in captured.captured_queries if "badges_" in each["sql"]]
    small = ("consumergroup", "partitionlag", "eventcount", "runningprocess", "badges_distribution_channel")
    of_large = [sql for sql in asked if not any(table in sql.partition(" WHERE ")[0] for table in small)]
    assert len(of_large) > 10
    assert [sql for sql in of_large if f"LIMIT {counting.MOST + 1}" not in sql and "LIMIT 1" not in sql] == []


def expressions(path: Path) -> list[str]:
    """Return what a file asks Prometheus."""
    if path.suffix == ".json":
        return [target["expr"] for panel in json.loads(path.read_text())["panels"] for target in panel["targets"]]
    return [rule["expr"] for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("name", ["alerts.yml", "dashboard.json"])
def test_the_examples_ask_for_numbers_that_there_are(name: str) -> None:
    asked = expressions(MONITORING / name)
    assert len(asked) > 15
    for expression in asked:
        for metric, labels in re.findall(r"\b(badges_\w+)(?:\{([^}]*)\})?", expression):
            assert metric in NUMBERS, expression
            assert set(re.findall(r"(\w+)=", labels)) <= set(NUMBERS[metric].labels), expression
        known = {label for metric in re.findall(r"badges_\w+", expression) for label in NUMBERS[metric].labels}
        by = {label.strip() for labels in re.findall(r"by \(([^)]*)\)", expression) for label in labels.split(",")}
        assert by <= known, expression


def test_each_number_is_explained_and_shown() -> None:
    asked = " ".join(expressions(MONITORING / "dashboard.json") + expressions(MONITORING / "alerts.yml"))
    assert [name for name in NUMBERS if not re.search(rf"\b{name}\b", asked)] == []
    assert TABLE.findall((ROOT / "docs" / "howto" / "monitor.rst").read_text(encoding="utf-8")) == list(NUMBERS)


def test_prometheus_itself_takes_the_alert_rules() -> None:
    if shutil.which("promtool") is None and os.environ.get("BADGES_REQUIRE_SERVICES") != "1":
        pytest.skip("apt-get install prometheus")
    for command in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]):
        run = subprocess.run(["promtool", *command], cwd=MONITORING, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
