"""The names of a group's consumers, on a real Redis: the dead are forgotten, with nothing that was given to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from redis import Redis

from badges_plugin.consumers.applying import Applier
from badges_plugin.consumers.config import ConsumerConfig
from badges_plugin.consumers.redis_loop import Reader
from badges_plugin.consumers.redis_stream import Entry, GroupStream
from badges_plugin.consumers.running import StopRequest
from badges_plugin.doctor import Level, redis_probe
from badges_plugin.models import FailedEvent

pytestmark = [pytest.mark.bus, pytest.mark.services]

GROUP = "credentials"
IDLE = 0.2


class NotingStream(GroupStream):
    """Notes how long each read of new entries may wait in Redis, and how many it returned."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.reads: list[tuple[float, int]] = []

    def next_new(self, *, wait: float = 0, count: int) -> list[Entry]:
        entries = super().next_new(wait=wait, count=count)
        self.reads.append((wait, len(entries)))
        return entries


class Clock:
    """Stands still but for the pauses, in which something happens."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.pauses: list[float] = []
        self._meanwhile = meanwhile

    def monotonic(self) -> float:
        return 1000.0 + sum(self.pauses)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._meanwhile()


@pytest.fixture
def client(service: Callable[[str], Mapping[str, str]], request: pytest.FixtureRequest) -> Iterator[Any]:
    client: Any = Redis.from_url(service("redis")["EVENT_BUS_REDIS_CONNECTION_URL"])
    client.flushdb()
    yield client
    client.close()


@pytest.fixture
def stream(client: Any) -> GroupStream:
    stream = GroupStream(client, "topic", GROUP, "living")
    stream.ensure_group()
    return stream


def names(client: Any) -> set[str]:
    return {info["name"].decode() for info in client.xinfo_consumers("topic", GROUP)}


def wait_until_idle(client: Any, *consumers: str) -> None:
    """Until Redis itself says that it has not heard of them for so long."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        idle = {info["name"].decode(): info["idle"] for info in client.xinfo_consumers("topic", GROUP)}
        if all(idle[consumer] >= IDLE * 1000 for consumer in consumers):
            return
        time.sleep(0.02)
    raise AssertionError(f"{consumers} are not idle")


def test_f8_only_those_are_forgotten_that_are_idle_and_have_nothing_pending(client: Any, stream: GroupStream) -> None:
    client.xadd("topic", {"x": "y"})
    client.xreadgroup(GROUP, "dead with an entry", {"topic": ">"})
    for name in ("dead", "dead\n\xff", "living", "also living"):
        client.xgroup_createconsumer("topic", GROUP, name)
    wait_until_idle(client, "dead with an entry", "dead", "dead\n\xff", "living", "also living")
    GroupStream(client, "topic", GROUP, "also living").show_activity()  # though there is nothing to read

    assert sorted(stream.remove_idle(IDLE)) == ["dead", "dead\n\xff"]
    assert names(client) == {"dead with an entry", "living", "also living"}
    assert client.xpending("topic", GROUP)["pending"] == 1
    assert stream.remove_idle(IDLE) == []


def reader(stream: GroupStream, stop: StopRequest) -> Reader:
    config = ConsumerConfig(poll_timeout=0.01, forget_idle=IDLE, kafka={})
    return Reader(stream, config, stop, claim_idle=0.02)


@pytest.mark.django_db
def test_f8_what_was_given_to_the_dead_is_handled_before_they_are_forgotten(client: Any, stream: GroupStream) -> None:
    client.xadd("topic", {"x": "no event"})
    client.xreadgroup(GROUP, "dead", {"topic": ">"})
    wait_until_idle(client, "dead")
    stop = StopWhen(lambda: names(client) == {"living"})
    reader(stream, stop).run()

    assert client.xpending("topic", GROUP)["pending"] == 0
    assert stop.asked < StopWhen.MOST


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "comes_later", "pauses"),
    [
        (1, 0, 1),  # a quiet site: one short wait, and one look whether there is more
        (1, 2, 1),
        (4, 1, 0),  # a full batch waits for nothing
    ],
)
def test_a_batch_that_is_not_full_waits_once_and_not_in_redis(
    client: Any, monkeypatch: pytest.MonkeyPatch, given: int, comes_later: int, pauses: int
) -> None:
    clock = Clock(lambda: [client.xadd("topic", {"x": "later"}) for _ in range(comes_later)])
    monkeypatch.setattr("badges_plugin.consumers.redis_loop.time", clock)
    stream = NotingStream(client, "topic", GROUP, "living")
    for number in range(given):
        client.xadd("topic", {"x": str(number)})
    done = given + (comes_later if pauses else 0)
    config = ConsumerConfig(batch_size=4, batch_milliseconds=10, poll_timeout=0.01, kafka={})
    monkeypatch.setattr(Applier, "batch_size", config.batch_size)  # which begins with one
    Reader(stream, config, StopWhen(lambda: FailedEvent.objects.count() >= done), claim_idle=60.0).run()

    assert clock.pauses == [pytest.approx(0.01)] * pauses
    assert stream.reads == ([(0.01, given), (0, comes_later)] if pauses else [(0.01, given)])


@pytest.mark.django_db
@pytest.mark.parametrize("of", ["living", "dead"])
def test_entries_are_handled_and_acknowledged_together_also_those_whose_content_is_gone(
    client: Any, stream: GroupStream, of: str, caplog: pytest.LogCaptureFixture
) -> None:
    ids = [client.xadd("topic", {"x": str(number)}) for number in range(10)]
    client.xreadgroup(GROUP, of, {"topic": ">"}, count=9)
    client.xdel("topic", ids[4])
    wait_until_idle(client, of)
    client.config_resetstat()
    reader(stream, StopWhen(lambda: FailedEvent.objects.count() == 9)).run()

    assert client.xpending("topic", GROUP)["pending"] == 0
    assert FailedEvent.objects.values("position").distinct().count() == 9
    assert caplog.text.count(f"{ids[4].decode()}) was removed from the stream before it was processed") == 1
    # Batches of 1, 2, 4, ..., and the end of the own entries or of the claimed ones between them.
    assert client.info("commandstats")["cmdstat_xack"]["calls"] <= 6


def test_a_claim_is_kept_for_all_entries_at_once(client: Any, stream: GroupStream) -> None:
    for number in range(3):
        client.xadd("topic", {"x": str(number)})
    entries = stream.next_new(wait=0.01, count=10)
    assert len(entries) == 3
    wait_until_idle(client, "living")
    stream.keep(entries)
    assert list(GroupStream(client, "topic", GROUP, "other").claim_idle(IDLE, count=lambda: 10)) == []
    stream.acknowledge(entries)
    assert client.xpending("topic", GROUP)["pending"] == 0


def test_f8_a_redis_that_allows_no_scripts_keeps_the_names_and_the_consumer_goes_on(
    client: Any, stream: GroupStream, caplog: pytest.LogCaptureFixture
) -> None:
    client.xgroup_createconsumer("topic", GROUP, "dead")
    wait_until_idle(client, "dead")
    client.execute_command("ACL", "SETUSER", "default", "-eval")
    try:
        reader(stream, StopWhen(lambda: "are not removed" in caplog.text)).run()
    finally:
        client.execute_command("ACL", "SETUSER", "default", "+eval")

    assert names(client) == {"dead", "living"}
    assert caplog.text.count("are not removed") == 1


def test_f4_the_doctor_says_what_was_trimmed_before_the_group_was_given_it(
    client: Any, stream: GroupStream, service: Callable[[str], Mapping[str, str]], settings: Any
) -> None:
    settings.EVENT_BUS_REDIS_CONNECTION_URL = service("redis")["EVENT_BUS_REDIS_CONNECTION_URL"]
    settings.EVENT_BUS_TOPIC_PREFIX = ""
    for _ in range(5):
        client.xadd("topic", {"x": "y"})
    client.xreadgroup(GROUP, "living", {"topic": ">"}, count=1)
    client.xtrim("topic", maxlen=2, approximate=False)

    found = list(redis_probe.examine("topic", GROUP))
    assert [each.what for each in found if each.level is Level.ERROR] == [
        f"2 events were trimmed from the stream before they were delivered to group {GROUP}."
    ]
    assert stream.skip_trimmed() == 2
    assert {each.level for each in redis_probe.examine("topic", GROUP)} == {Level.OK}
    [missing] = redis_probe.examine("topic", "somebodys")
    assert (missing.level, missing.what) == (
        Level.ERROR,
        f"The stream topic has no consumer group somebodys; it has {GROUP}.",
    )
    assert "consume_events -t topic -g somebodys" in missing.advice


class StopWhen(StopRequest):
    """Asks to stop once something is so, and in any case after very many turns."""

    MOST = 2000

    def __init__(self, is_so: Callable[[], bool]) -> None:
        super().__init__()
        self._is_so = is_so
        self.asked = 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.asked > self.MOST or self._is_so()
