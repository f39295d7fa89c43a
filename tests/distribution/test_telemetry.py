"""What the monitoring that edx-django-utils is configured with hears of batches, deliveries and chores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from django.utils import timezone
from edx_django_utils import monitoring

from badges_plugin.consumers.applying import Applier
from badges_plugin.consumers.config import ConsumerConfig
from badges_plugin.consumers.lag import Lag
from badges_plugin.consumers.lag_watch import LagWatch
from badges_plugin.consumers.running import StopRequest
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.housekeeping import Chore, Housekeeping
from badges_plugin.distribution.worker import Worker
from badges_plugin.models import BadgeTemplate
from tests.core.test_deferred import ahead, message_of
from tests.core.test_vitals import a_group, measured_by
from tests.distribution.fakes import Provider
from tests.factories import make_user, passing_data, send_passing, user_data

if not hasattr(getattr(monitoring, "TelemetryBackend", None), "create_span"):
    pytest.skip("spans of edx-django-utils go to New Relic only", allow_module_level=True)


class Recorder(monitoring.TelemetryBackend):  # type: ignore[misc]  # edx-django-utils has no types
    """Keeps spans with their attributes, and which of them a span was in."""

    spans: ClassVar[list[tuple[str, dict[str, Any]]]] = []
    _open: ClassVar[list[dict[str, Any]]] = []

    def set_attribute(self, key: str, value: object) -> None:
        if self._open:
            self._open[-1][key] = value

    @contextmanager
    def create_span(self, name: str) -> Iterator[None]:
        attributes: dict[str, Any] = {}
        self.spans.append((name, attributes))
        self._open.append(attributes)
        yield
        self._open.remove(attributes)

    def record_exception(self) -> None: ...
    def tag_root_span_with_error(self, exception: BaseException) -> None: ...
    def set_local_root_span_name(self, name: str, group: object = None, priority: object = None) -> None: ...


@pytest.fixture
def spans(settings: Any) -> list[tuple[str, dict[str, Any]]]:
    settings.OPENEDX_TELEMETRY = [f"{__name__}.Recorder"]
    Recorder.spans.clear()
    return Recorder.spans


def test_deliveries_and_chores(spans: list[Any], template: BadgeTemplate, provider: Provider) -> None:
    def fails(now: object) -> bool:
        raise ValueError(now)

    send_passing(make_user())
    spans.clear()
    chores = Housekeeping([Chore("a chore", lambda now: False, every=60), Chore("another", fails, every=60)])
    Worker(config(), concurrency=1, interval=0.01, housekeeping=chores).run(once=True)

    said = dict(spans)
    assert said["badges.deliver"] == {
        "badges_delivery_backend": "fake", "badges_delivery_action": "issue", "badges_delivery_number": 1,
    }  # fmt: skip
    assert said["badges.record_deliveries"]["badges_delivery_outcomes"] == "1 done"
    named = [attributes["badges_chore"] for name, attributes in spans if name == "badges.chore"]
    assert named == ["a chore", "another"]


@pytest.mark.django_db
def test_a_batch(spans: list[Any]) -> None:
    message = message_of(passing_data(user_data(make_user())), ahead(minutes=-1))
    spans.clear()
    Applier(ConsumerConfig(kafka={}), StopRequest()).apply_or_store([message])
    attributes = dict(spans)["badges.apply_batch"]
    assert attributes["badges_batch_size"] == 1
    assert attributes["badges_batch_outcomes"] == "1 unmatched"


@pytest.mark.django_db
def test_how_far_a_group_is_behind(spans: list[Any], settings: Any) -> None:
    settings.EVENT_BUS_CONSUMER = "badges_plugin.consumers.kafka.KafkaConsumer"
    now = timezone.now()
    a_group(due_at=now)
    watch = LagWatch(lambda *names: [Lag(0, 4, now), Lag(1, 5, None)])
    with monitoring.function_trace("a chore"):
        measured_by(watch, now)
    assert dict(spans)["a chore"] == {"badges_lag_messages": 9, "badges_lag_seconds": 0}
