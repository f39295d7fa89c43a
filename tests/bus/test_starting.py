"""A consumer's process is ready before its first event: nothing is left over, and memory that stays is left alone."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest
from django.db import OperationalError

from badges_plugin import ruleset
from badges_plugin.consumers import starting
from badges_plugin.consumers.running import StopRequest
from badges_plugin.models import RulesetVersion
from tests.factories import make_template

pytestmark = [pytest.mark.bus, pytest.mark.django_db]


class Collector:
    """A garbage collector that notes what it was told, and whether the ruleset was compiled by then."""

    def __init__(self, threshold: tuple[int, int, int]) -> None:
        self.told: list[tuple[object, ...]] = []
        self._threshold = threshold

    def collect(self) -> None:
        self.told.append(("collect", _compiled()))

    def freeze(self) -> None:
        self.told.append(("freeze", _compiled()))

    def get_threshold(self) -> tuple[int, int, int]:
        return self._threshold

    def set_threshold(self, *threshold: int) -> None:
        self.told.append(("threshold", *threshold))


def _compiled() -> bool:
    last = ruleset.last_ruleset()
    return last is not None and last.token == RulesetVersion.current()


def _fail(*_: object) -> bool:
    raise OperationalError(2006, "Server has gone away")


@pytest.mark.parametrize(
    ("threshold", "told"),
    [
        ((700, 10, 10), [("threshold", 10_000, 10, 10)]),
        ((50_000, 5, 5), [("threshold", 50_000, 5, 5)]),
        ((0, 10, 10), []),
    ],
)
def test_what_stays_is_left_alone_once_the_ruleset_is_there(
    monkeypatch: pytest.MonkeyPatch, threshold: tuple[int, int, int], told: list[tuple[object, ...]]
) -> None:
    make_template()
    collector = Collector(threshold)
    monkeypatch.setattr(starting, "gc", collector)
    assert not _compiled()
    starting.get_ready(StopRequest())
    assert collector.told == [("collect", True), ("freeze", True), *told]


@pytest.mark.parametrize("failing", ["api.publish_pending", "current_ruleset"])
def test_an_error_keeps_no_consumer_from_starting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, failing: str
) -> None:
    called: list[Callable[..., object]] = []
    monkeypatch.setattr(f"badges_plugin.consumers.starting.{failing}", _fail)
    monkeypatch.setattr(starting, "_spare_collections", lambda: called.append(gc.freeze))
    starting.get_ready(StopRequest())
    assert len(called) == 1
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1


def test_a_consumer_that_is_to_stop_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "current_ruleset", _fail)
    monkeypatch.setattr(starting, "_spare_collections", lambda: None)
    stop = StopRequest()
    stop.make()
    starting.get_ready(stop)
