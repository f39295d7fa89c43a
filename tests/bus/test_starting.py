"""A consumer's process is ready before its first event: nothing is left over, and memory that stays is left alone."""

from __future__ import annotations

import gc

import pytest
from django.db import OperationalError

from badges_plugin import garbage, ruleset
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


@pytest.fixture(autouse=True)
def collector(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Collector:
    collector = Collector(getattr(request, "param", (700, 10, 10)))
    monkeypatch.setattr(garbage, "gc", collector)
    return collector


def _fail(*_: object) -> bool:
    raise OperationalError(2006, "Server has gone away")


@pytest.mark.parametrize(
    ("collector", "told"),
    [
        ((700, 10, 10), [("threshold", 10_000, 10, 10)]),
        ((50_000, 5, 5), [("threshold", 50_000, 5, 5)]),
        ((0, 10, 10), []),
    ],
    indirect=["collector"],
)
def test_what_stays_is_left_alone_once_the_ruleset_is_there(
    collector: Collector, told: list[tuple[object, ...]]
) -> None:
    make_template()
    assert not _compiled()
    starting.get_ready(StopRequest())
    assert collector.told == [("collect", True), ("freeze", True), *told]


def test_a_command_looks_for_garbage_as_before_when_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    before = gc.get_threshold()
    with garbage.rare_collections():
        inside = gc.get_threshold()
    assert (inside[0], inside[1:]) == (garbage.OBJECTS_BETWEEN_COLLECTIONS, before[1:])
    assert gc.get_threshold() == before


@pytest.mark.parametrize("failing", ["api.publish_pending", "current_ruleset"])
def test_an_error_keeps_no_consumer_from_starting(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, failing: str
) -> None:
    monkeypatch.setattr(f"badges_plugin.consumers.starting.{failing}", _fail)
    starting.get_ready(StopRequest())
    assert ("freeze",) in [told[:1] for told in collector.told]
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1
