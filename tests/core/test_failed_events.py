"""Failed events: another try, dismissal, and how long they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid1

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from edx_event_bus_redis.internal.message import RedisMessage
from openedx_events.event_bus.avro.serializer import AvroSignalSerializer, serialize_event_data_to_bytes
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

from badges_plugin.consumers.failures import store
from badges_plugin.consumers.problems import ReceiversFailed, Undecodable
from badges_plugin.consumers.redis_messages import message_from
from badges_plugin.consumers.redis_stream import Entry
from badges_plugin.consumers.reprocessing import NotReprocessable, process_again
from badges_plugin.models import BadgeAward, FailedEvent
from tests.factories import (
    PASSING,
    make_template,
    make_user,
    metadata,
    passing_data,
    requires_course,
    user_data,
)

pytestmark = pytest.mark.django_db

FAILED, PROCESSED, DISMISSED = FailedEvent.State.values


def stored(user: Any = None, **changes: Any) -> FailedEvent:
    """Store an event as a consumer does: a learner passes the course."""
    known = metadata()
    about = passing_data(user if user is not None else user_data())
    facts = {
        "fingerprint": uuid1().hex,
        "bus": "kafka",
        "topic": "dev-learning-badges-lifecycle",
        "group": "credentials",
        "position": "0:7",
        "event_id": str(known.id),
        "event_type": PASSING,
        "event_time": known.time,
        "metadata": known.to_json_data(),
        "payload": AvroSignalSerializer(COURSE_PASSING_STATUS_UPDATED).to_dict({"course_passing_status": about}),
        "raw": b"\x00\x00\x00\x00\x01raw",
        "reason": "ReceiversFailed: badges_plugin.handlers.handle_badging_event < ValueError",
        "error": "ValueError: Nia New",
    }
    return FailedEvent.objects.create(**{**facts, **changes})


def test_an_event_is_processed_again_with_its_own_identity() -> None:
    template = make_template()
    requires_course(template)
    failed = stored(user_data(make_user(username="ann")))
    process_again(failed)
    award = BadgeAward.objects.get(progress__user__username="ann")
    assert award.events[0]["id"] == failed.event_id
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == (PROCESSED, 1)


def test_an_event_that_was_dismissed_may_be_tried_all_the_same() -> None:
    failed = stored(state=DISMISSED)
    process_again(failed)
    failed.refresh_from_db()
    assert failed.state == PROCESSED


REFUSED: list[tuple[dict[str, Any], str]] = [
    # It never could be read, nor can it now.
    ({"payload": None, "metadata": {}}, "0 headers ce_type"),
    ({"payload": None, "metadata": {}, "bus": "redis"}, "no event id"),
    ({"state": PROCESSED}, "processed already"),
    ({"event_type": "org.example.gone.v1"}, "no event of its type"),
    # A real event type that no badge can depend on, and nobody here listens to.
    ({"event_type": "org.openedx.content_authoring.course.catalog_info.changed.v1"}, "nothing here receives"),
    ({"payload": {"course_passing_status": {"is_passing": True}}}, "cannot read it"),
    ({"metadata": {"id": "1"}}, "cannot read it"),
]


@pytest.mark.parametrize(("changes", "reason"), REFUSED)
def test_what_cannot_be_tried_is_refused_with_the_reason(changes: Mapping[str, Any], reason: str) -> None:
    failed = stored(**changes)
    with pytest.raises(NotReprocessable, match=reason):
        process_again(failed)
    failed.refresh_from_db()
    assert failed.attempts == 1
    assert failed.state == changes.get("state", FAILED)


def test_what_can_be_read_by_now_is_processed() -> None:
    requires_course(make_template())
    event = RedisMessage(
        "dev-learning-badges-lifecycle",
        serialize_event_data_to_bytes(
            {"course_passing_status": passing_data(user_data(make_user(username="ann")))}, COURSE_PASSING_STATUS_UPDATED
        ),
        metadata(),
    )
    message = message_from(Entry(b"1-0", event.to_binary_dict()), event.topic, "credentials")
    store(message, None, Undecodable("No such event type"))
    failed = FailedEvent.objects.get()
    assert failed.payload is None
    process_again(failed)
    assert BadgeAward.objects.get().user.username == "ann"


@pytest.mark.parametrize("debug", [False, True])  # with it, the signal passes on what a receiver raises
def test_an_event_that_fails_again_says_why(settings: Any, debug: bool) -> None:
    settings.DEBUG = debug
    failed = stored()

    def refuse(**kwargs: object) -> None:
        raise RuntimeError("about Nia New")

    COURSE_PASSING_STATUS_UPDATED.connect(refuse)
    try:
        with pytest.raises(ReceiversFailed):
            process_again(failed)
    finally:
        COURSE_PASSING_STATUS_UPDATED.disconnect(refuse)
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == (FAILED, 2)
    assert "RuntimeError" in failed.reason
    assert "Nia" not in failed.reason
    assert "about Nia New" in failed.error


def age(failed: FailedEvent, days: int) -> FailedEvent:
    FailedEvent.objects.filter(pk=failed.pk).update(updated_at=timezone.now() - timedelta(days=days))
    return failed


PURGES: list[tuple[list[str], list[str]]] = [
    # arguments; which of the rows below are left
    (["--older-than=30"], ["new processed", "new dismissed", "old failed", "new failed"]),
    (["--older-than=30", "--also-failed"], ["new processed", "new dismissed", "new failed"]),
    (["--older-than=0"], ["old failed", "new failed"]),
    (["--older-than=0", "--also-failed"], []),
    (
        ["--older-than=0", "--also-failed", "--dry-run"],
        ["old processed", "new processed", "old dismissed", "new dismissed", "old failed", "new failed"],
    ),
]


@pytest.mark.parametrize(("arguments", "left"), PURGES)
def test_old_ones_are_purged(arguments: list[str], left: list[str]) -> None:
    for state in (PROCESSED, DISMISSED, FAILED):
        age(stored(state=state, reason=f"old {state}"), 31)
        age(stored(state=state, reason=f"new {state}"), 29)
    out = StringIO()
    call_command("purge_failed_events", *arguments, stdout=out)
    assert list(FailedEvent.objects.order_by("pk").values_list("reason", flat=True)) == left
    deleted = 6 if "--dry-run" in arguments else 6 - len(left)
    assert out.getvalue().startswith(f"{deleted} failed events ")


@pytest.mark.parametrize("name", ["ann", "анна", 'a"nn'])
def test_a_retired_learner_is_forgotten(name: str) -> None:
    stored(user_data(username=name))
    stored(payload=None, metadata={}, raw=b"junk " + name.encode())
    kept = stored(user_data(username="anna-maria")), stored(payload=None, metadata={}, raw=b"\xff junk")
    call_command("purge_failed_events", username=name, dry_run=True, stdout=StringIO())
    assert FailedEvent.objects.count() == 4
    call_command("purge_failed_events", username=name, stdout=StringIO())
    assert list(FailedEvent.objects.order_by("pk")) == list(kept)


@pytest.mark.parametrize(
    "arguments", [[], ["--older-than=-1"], ["--older-than=9999999999"], ["--older-than=1", "--username=ann"]]
)
def test_a_purge_of_nobody_knows_what_is_refused(arguments: list[str]) -> None:
    failed = stored()
    with pytest.raises(CommandError):
        call_command("purge_failed_events", *arguments)
    assert FailedEvent.objects.get() == failed
