"""Failed events: another try, dismissal, and how long they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from io import StringIO
from typing import Any
from unittest.mock import patch
from uuid import uuid1

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone
from edx_event_bus_redis.internal.message import RedisMessage
from openedx_events.event_bus.avro.serializer import AvroSignalSerializer, serialize_event_data_to_bytes
from openedx_events.learning.signals import COURSE_ENROLLMENT_CREATED, COURSE_PASSING_STATUS_UPDATED

from badges_plugin.api import sweep_retired
from badges_plugin.checks import check_configuration
from badges_plugin.consumers import retention
from badges_plugin.consumers.exceptions import ReceiversFailed, Undecodable
from badges_plugin.consumers.message import DecodedEvent
from badges_plugin.consumers.redis_messages import message_from
from badges_plugin.consumers.redis_stream import Entry
from badges_plugin.consumers.reprocessing import NotReprocessable, process_again
from badges_plugin.consumers.storing import store
from badges_plugin.distribution.conf import config as distribution_config
from badges_plugin.distribution.worker import Worker
from badges_plugin.doctor import Level, database_probes
from badges_plugin.models import BadgeAward, FailedEvent
from badges_plugin.signals import badge_awarded
from tests.factories import (
    ENROLLMENT,
    PASSING,
    enrollment_data,
    make_template,
    make_user,
    metadata,
    passing_data,
    requires,
    requires_course,
    user_data,
)
from tests.texts import without_ids

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


BAD_KEY = {
    "course_passing_status": {
        "is_passing": True,
        "course": {"course_key": "no-key", "display_name": "", "start": None, "end": None},
        "user": {"id": 7, "is_active": True, "pii": {"username": "ann", "email": "", "name": ""}},
    }
}

REFUSED: list[tuple[dict[str, Any], str]] = [
    # It never could be read, nor can it now.
    ({"payload": None, "metadata": {}}, "0 headers ce_type"),
    ({"payload": None, "metadata": {}, "bus": "redis"}, "no event id"),
    ({"state": PROCESSED}, "already processed"),
    ({"event_type": "org.example.gone.v1"}, "does not have its event type"),
    # A real event type that no badge can depend on, and nobody here listens to.
    ({"event_type": "org.openedx.content_authoring.course.catalog_info.changed.v1"}, "nothing here receives"),
    ({"payload": {"course_passing_status": {"is_passing": True}}}, "cannot read it"),
    ({"metadata": {"id": "1"}}, "cannot read it"),
    # A kind of key that is not installed here.
    ({"payload": BAD_KEY}, "cannot read it"),
]


@pytest.mark.parametrize(("changes", "reason"), REFUSED)
def test_what_cannot_be_tried_is_refused_with_the_reason(changes: Mapping[str, Any], reason: str) -> None:
    failed = stored(**changes)
    with pytest.raises(NotReprocessable, match=reason):
        process_again(failed)
    failed.refresh_from_db()
    assert failed.attempts == 1
    assert failed.state == changes.get("state", FAILED)


def unread() -> FailedEvent:
    """Store an event as a consumer does that cannot read it: Ann passes the course."""
    ann = get_user_model().objects.filter(username="ann").first() or make_user(username="ann")
    event = RedisMessage(
        "dev-learning-badges-lifecycle",
        serialize_event_data_to_bytes(
            {"course_passing_status": passing_data(user_data(ann))}, COURSE_PASSING_STATUS_UPDATED
        ),
        metadata(),
    )
    message = message_from(Entry(b"1-0", event.to_binary_dict()), event.topic, "credentials")
    store(message, None, Undecodable("No such event type"))
    failed: FailedEvent = FailedEvent.objects.get(payload__isnull=True)
    return failed


def test_what_can_be_read_by_now_is_processed() -> None:
    requires_course(make_template())
    process_again(unread())
    assert BadgeAward.objects.get().user.username == "ann"


@pytest.mark.parametrize("debug", [False, True])  # with it, openedx-events stops at the first exception
def test_an_event_that_fails_again_says_why(settings: Any, debug: bool) -> None:
    settings.DEBUG = debug
    requires_course(make_template())
    failed = stored()
    with failure(RuntimeError("about Nia New")), pytest.raises(ReceiversFailed):
        process_again(failed)
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


@contextmanager
def failure(raises: Exception, *, of: str = "") -> Iterator[list[str]]:
    """Awarding raises for one learner or for all. Yields the names of the learners who were to be awarded."""
    seen: list[str] = []

    def receive(award: BadgeAward, **kwargs: object) -> None:
        seen.append(award.user.username)
        if of in {"", seen[-1]}:
            raise raises

    badge_awarded.connect(receive)
    try:
        yield seen
    finally:
        badge_awarded.disconnect(receive)


@pytest.mark.parametrize("debug", [False, True])  # with it, openedx-events stops at the first exception
def test_b2_an_error_of_another_app_does_not_leave_an_event_failed(settings: Any, debug: bool) -> None:
    settings.DEBUG = debug
    requires_course(make_template())
    heard: list[str] = []

    def fail(**kwargs: object) -> None:
        heard.append("heard")
        raise RuntimeError("a bug")

    COURSE_PASSING_STATUS_UPDATED.connect(fail)
    try:
        failed = stored(user_data(make_user(username="ann")))
        process_again(failed)
        failed.refresh_from_db()
        assert (failed.state, failed.attempts) == (PROCESSED, 1)
        assert BadgeAward.objects.get().user.username == "ann"
        # The consumer sent it to the others when it arrived.
        assert heard == []
        # It had not, when nobody could read it.
        process_again(unread())
        assert heard == ["heard"]
    finally:
        COURSE_PASSING_STATUS_UPDATED.disconnect(fail)
    assert not FailedEvent.objects.exclude(state=PROCESSED).exists()


def test_many_are_processed_oldest_first_and_one_does_not_stop_the_others() -> None:
    requires_course(make_template())
    for name in ("ann", "bob", "cem"):
        stored(user_data(make_user(username=name)))
    stored(event_type="org.openedx.gone.v1")
    for state in (PROCESSED, DISMISSED):
        stored(state=state)
    out = StringIO()
    with failure(RuntimeError("Bob Bobson"), of="bob") as seen, pytest.raises(CommandError, match="2 events"):
        call_command("process_failed_events", stdout=out)
    assert seen == ["ann", "bob", "cem"]
    assert set(BadgeAward.objects.values_list("progress__user__username", flat=True)) == {"ann", "cem"}
    assert [each.state for each in FailedEvent.objects.order_by("pk")] == [
        PROCESSED, FAILED, PROCESSED, FAILED, PROCESSED, DISMISSED,
    ]  # fmt: skip
    printed = out.getvalue()
    assert "2 failed events were processed, 2 were not.\n" in printed
    assert "1 x ReceiversFailed: " in printed
    assert "RuntimeError" in printed
    assert "Bobson" not in printed
    assert "1 x the installed openedx-events does not have its event type\n" in printed

    # The cause is fixed.
    FailedEvent.objects.filter(event_type="org.openedx.gone.v1").delete()
    call_command("process_failed_events", stdout=out)
    assert "1 failed events were processed, 0 were not.\n" in out.getvalue()
    assert BadgeAward.objects.count() == 3


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ([], ["ann", "bob", "cem"]),
        (["--reason=Deadlock"], ["bob"]),
        (["--event-type", PASSING], ["ann", "bob"]),
        (["--event-type", PASSING, "--reason=Key"], ["ann"]),
        (["--reason=nothing like it"], []),
    ],
)
def test_some_are_processed(arguments: list[str], names: list[str]) -> None:
    stored(user_data(username="ann"), reason="KeyError", group="ann")
    stored(user_data(username="bob"), reason="DeadlockDetected", group="bob")
    # Its type is told by its headers, if by anything.
    stored(user_data(username="cem"), reason="KeyError", group="cem", event_type="")
    out = StringIO()
    call_command("process_failed_events", *arguments, "--dry-run", stdout=out)
    assert out.getvalue().startswith(f"{len(names)} failed events would be processed.\n")
    assert FailedEvent.objects.filter(state=FAILED, attempts=1).count() == 3

    with suppress(CommandError):
        call_command("process_failed_events", *arguments, stdout=out)
    tried = FailedEvent.objects.exclude(event_type="").exclude(state=FAILED)
    assert list(tried.order_by("pk").values_list("group", flat=True)) == [name for name in names if name != "cem"]


def test_while_badges_are_off_nothing_is_tried(settings: Any) -> None:
    settings.BADGES_ENABLED = False
    stored()
    with pytest.raises(CommandError, match="switched off"):
        call_command("process_failed_events")
    assert FailedEvent.objects.get().attempts == 1


def test_a_database_that_goes_away_ends_the_command_with_what_to_do() -> None:
    first, second = stored(), stored()
    gone = OperationalError("server closed the connection unexpectedly")
    sending = patch("badges_plugin.consumers.reprocessing.receive", side_effect=[[None], gone])
    with sending, pytest.raises(CommandError, match="database is unavailable"):
        call_command("process_failed_events", stdout=StringIO())
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (PROCESSED, FAILED)


def test_f10_old_failed_events_are_deleted_by_the_worker() -> None:
    for days in (89, 91):
        for state in (PROCESSED, DISMISSED, FAILED):
            age(stored(state=state, reason=f"{state} {days}"), days)
    age(stored(state=FAILED), 366)
    assert [finding.level for finding in database_probes.retained_events()] == [Level.OK]
    FailedEvent.objects.filter(reason__endswith="91").update(updated_at=timezone.now() - timedelta(days=95))
    assert [finding.what[:2] for finding in database_probes.retained_events()] == ["2 "]
    Worker(distribution_config()).run(once=True)

    left = set(FailedEvent.objects.values_list("reason", flat=True))
    assert left == {"failed 91", "failed 89", "processed 89", "dismissed 89"}
    assert [finding.level for finding in database_probes.retained_events()] == [Level.OK]


@pytest.mark.parametrize(
    ("days", "left", "warnings"),
    [
        # for those that were decided and for those that were not: 0 and None keep them for ever
        ((10, 20), [], 0),
        ((0, 20), [PROCESSED], 1),
        ((None, None), [FAILED, PROCESSED], 2),
        ((10, 0), [FAILED], 1),
        ((60, 20), [PROCESSED], 0),
    ],
)
def test_f10_how_long_failed_events_stay_is_a_setting(
    settings: Any, days: tuple[int | None, int | None], left: list[str], warnings: int
) -> None:
    settings.BADGES_CONFIG = {
        "retention": {"decided_failed_events_days": days[0], "undecided_failed_events_days": days[1]}
    }
    for state in (PROCESSED, FAILED):
        age(stored(state=state), 50)
    assert not retention.purge_a_batch(timezone.now())

    assert sorted(FailedEvent.objects.values_list("state", flat=True)) == left
    findings = [finding.level for finding in database_probes.retained_events()]
    assert findings == ([Level.WARNING] * warnings or [Level.OK])


def test_f10_many_are_deleted_in_small_steps() -> None:
    for _ in range(3):
        age(stored(state=PROCESSED), 100)

    steps = [(retention.purge_a_batch(timezone.now(), batch=2), FailedEvent.objects.count()) for _ in range(3)]
    assert steps == [(True, 1), (False, 0), (False, 0)]


@pytest.mark.parametrize("value", [-1, "90", True, 1e9, float("nan")])
def test_f10_a_wrong_number_of_days_is_found_by_check(settings: Any, value: object) -> None:
    settings.BADGES_CONFIG = {"retention": {"decided_failed_events_days": value}}

    assert [message.id for message in check_configuration(None)] == ["badges_plugin.E001"]


ABOUT_ADA = {"id": 77, "username": "ada", "email": "ada@example.org", "name": "Ada Lovelace"}


def raw_of(*texts: str) -> bytes:
    """As Avro writes texts, behind something that cannot be decoded."""
    return b"\x00\x00\x00\x00\x07" + b"".join(bytes([2 * len(text)]) + text.encode() for text in texts)


def ways_to_retire() -> dict[str, Any]:
    def by_query(ada: Any) -> None:
        type(ada).objects.filter(pk=ada.pk).update(username="retired__user_1", full_name="")
        sweep_retired()

    def by_address(ada: Any) -> None:
        type(ada).objects.filter(pk=ada.pk).update(email="retired__user_1@retired.invalid")
        sweep_retired()

    def by_deletion(ada: Any) -> None:
        ada.delete()

    return {"user name": by_query, "address": by_address, "deletion": by_deletion}


@pytest.mark.parametrize("retire", ways_to_retire().values(), ids=ways_to_retire().keys())
def test_c1_failed_events_keep_nothing_of_who_was_retired(retire: Any) -> None:
    ada = make_user(lms_user_id=77, username="ada", email="ada@example.org", full_name="Ada Lovelace")
    theirs = stored(user_data(**ABOUT_ADA), error="ValueError: Ada Lovelace")
    unread = [
        stored(payload=None, raw=raw_of(*texts), metadata={"ce_type": texts[-1]}, error=texts[-1])
        # A former address of theirs, which is known nowhere: the user name in front of it is.
        for texts in (("ada", "ada@before.example.org"), ("ada@example.org",))
    ]
    others = [
        stored(user_data(id=78, username="adam", email="adam@example.org", name="Adam"), error="ValueError: Adam"),
        stored(payload=None, raw=raw_of("adam"), metadata={}, error="?"),
    ]
    before = FailedEvent.objects.filter(pk__in=[row.pk for row in others]).order_by("pk").values()
    expected = list(before)
    retire(ada)

    for row in [theirs, *unread]:
        row.refresh_from_db()
        kept = str([row.payload, row.metadata, bytes(row.raw or b""), row.error, row.reason])
        assert not [word for word in ("ada", "Lovelace") if word in without_ids(kept).replace("badges_plugin", "")]
    assert theirs.payload is not None
    assert theirs.payload["course_passing_status"]["user"]["id"] == 77
    assert (theirs.state, {row.state for row in unread}) == (FAILED, {DISMISSED})
    assert list(before.all()) == expected


@pytest.mark.parametrize(
    "raw",
    [
        raw_of("mariana", "mariana@gmail.com", "Mariana"),
        raw_of("mariana@gmail.com.au"),
        raw_of("a-word", "verified", "mariana", "mariana@gmail.com"),  # the mode of an enrollment
        b"to mariana@gmail.com, and to ana@gmail.community",
    ],
)
def test_c1_an_unread_event_of_somebody_else_survives(raw: bytes) -> None:
    kept = stored(payload=None, raw=raw, metadata={"ce_to": "mariana@gmail.com"}, error="mariana@gmail.com")
    for username in ("ana", "verified"):
        make_user(username=username, email="ana@gmail.com").delete()

    kept.refresh_from_db()
    assert (kept.state, bytes(kept.raw or b""), kept.error) == (FAILED, raw, "mariana@gmail.com")


@pytest.mark.parametrize(
    "raw",
    [
        raw_of("ana@gmail.com", "Ana"),
        raw_of("Ana@Gmail.com", "x" * 33),
        raw_of("a" * 50, "ana@gmail.com") + b"A",
        raw_of("ana", "formerly@gmail.com"),
        b"to <ana@gmail.com>.",
        b"ana@gmail.com",
        b"ana@gmail.com. Then",
    ],
)
def test_c1_an_unread_event_of_who_is_deleted_is_emptied(raw: bytes) -> None:
    theirs = stored(payload=None, raw=raw, metadata={}, error="")
    make_user(username="ana", email="ana@gmail.com").delete()

    theirs.refresh_from_db()
    assert (theirs.state, theirs.raw) == (DISMISSED, None)


@pytest.mark.parametrize(("other", "expected"), [("bob", FAILED), ("retired__user_1", DISMISSED)])
def test_c1_a_duplicate_user_is_deleted_and_the_learner_is_not_forgotten(other: str, expected: str) -> None:
    make_user(username=other, lms_user_id=7)
    kept = stored(payload=None, raw=raw_of("bob2", "bob@example.org"), metadata={}, error="")
    make_user(username="bob2", lms_user_id=7, email="bob@example.org").delete()

    kept.refresh_from_db()
    assert kept.state == expected


def test_c1_the_lms_user_id_0_is_nobodys() -> None:
    kept = stored(user_data(id=0, username="bob", email="bob@example.org"))
    unread = stored(payload=None, raw=raw_of("bob", "bob@example.org"), metadata={}, error="")
    before = list(FailedEvent.objects.order_by("pk").values())
    make_user(username="service", lms_user_id=0).delete()
    other = make_user(username="service2", lms_user_id=0)
    type(other).objects.filter(pk=other.pk).update(username="retired__user_2")
    sweep_retired()

    assert list(FailedEvent.objects.order_by("pk").values()) == before
    assert [kept.pk, unread.pk] == [row["id"] for row in before]


def test_c1_somebody_elses_failed_event_survives_the_retirement_of_who_acted() -> None:
    """Who enrolled them is retired; the learner's badge is not lost for it."""
    requires(make_template(), event_type=ENROLLMENT)
    bob, clerk = make_user(username="bob"), make_user(username="clerk", full_name="Clara Clerk")
    signal = COURSE_ENROLLMENT_CREATED
    data = {"enrollment": enrollment_data(user_data(bob), created_by=user_data(clerk))}
    known = metadata(ENROLLMENT)
    failed = stored(
        event_type=ENROLLMENT, payload=AvroSignalSerializer(signal).to_dict(data), metadata=known.to_json_data()
    )
    type(clerk).objects.filter(pk=clerk.pk).update(username="retired__user_1")
    sweep_retired()

    failed.refresh_from_db()
    assert "clerk" not in str(failed.payload).casefold()
    assert failed.payload is not None
    assert failed.payload["enrollment"]["user"]["pii"]["username"] == "bob"


@pytest.mark.parametrize(
    ("here", "said"),
    [
        # The event is of the time before.
        ({"username": "retired__user_1"}, ABOUT_ADA),
        # The LMS says so, the service does not know yet.
        ({"username": "ada"}, {**ABOUT_ADA, "email": "retired__user_1@retired.invalid"}),
        # Nobody here ever heard of them.
        ({"username": "somebody", "lms_user_id": 5}, {**ABOUT_ADA, "username": "retired__user_1"}),
    ],
)
def test_c2_an_event_that_fails_later_is_not_kept_with_what_it_says(here: dict[str, Any], said: dict[str, Any]) -> None:
    make_user(**{"lms_user_id": 77, **here})
    known = metadata()
    payload = {"course_passing_status": passing_data(user_data(**said))}
    message = message_from(Entry(b"1-0", {b"event_data": b"Ada Lovelace"}), "dev-topic", "credentials")
    decoded = DecodedEvent(COURSE_PASSING_STATUS_UPDATED, known, payload)
    for _ in range(2):
        store(message, decoded, ValueError("Ada Lovelace"))

    kept = FailedEvent.objects.get()
    content = str([kept.payload, kept.metadata, bytes(kept.raw or b""), kept.error, kept.reason])
    assert not [word for word in ("Ada", "Lovelace", "ada@") if word in content]
    assert kept.attempts == 2
