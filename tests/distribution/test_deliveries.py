"""The life of a delivery against a provider in memory: nothing lost, nothing sent twice, in order."""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from badges_plugin import api
from badges_plugin.distribution import channels, queueing
from badges_plugin.distribution.claims import claim, recover_expired
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.delivery import carry_out, prepare
from badges_plugin.distribution.exceptions import NotSent, PermanentFailure, RejectedKey, TransientFailure
from badges_plugin.distribution.models import Channel, Delivery, DeliveryAttempt
from badges_plugin.distribution.recording import note_channel, record
from badges_plugin.exceptions import ConfigurationChanged
from badges_plugin.host import UserCredential
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.distribution.fakes import FakeBackend, Provider
from tests.distribution.worlds import deliver, let_time_pass, refuse_emojis, settings_of_deliveries
from tests.factories import TemplateFactory, UserFactory, requires_course, send_passing


def rows() -> list[tuple[int, str, str]]:
    """Award number, action and state of every delivery, in order."""
    return list(Delivery.objects.order_by("pk").values_list("award__number", "action", "state"))


def take(limit: int = 10) -> list[Delivery]:
    """Claim what is due, as a worker does that is about to die."""
    return claim(limit, worker="doomed", lease=60, now=timezone.now(), policy=config().retry)


def test_an_award_is_issued_and_its_revocation_revoked(ada: Any, template: BadgeTemplate, provider: Provider) -> None:
    send_passing(ada, minute=1)
    deliver()
    send_passing(ada, minute=2, is_passing=False)
    deliver()

    assert rows() == [(1, "issue", "done"), (1, "revoke", "done")]
    assert provider.badges == {"badge-1": "revoked"}


def test_however_many_wait_for_earlier_ones_what_is_free_is_claimed(
    template: BadgeTemplate, provider: Provider
) -> None:
    people = UserFactory.create_batch(9)
    for learner in people[:8]:
        send_passing(learner, minute=1)
    deliver()
    for learner in people[:8]:
        send_passing(learner, minute=2, is_passing=False)
    # The revocations are due first, and all but one wait: a worker looks at three times as many as it claims.
    stuck = Delivery.objects.filter(action="issue").order_by("pk")[:7]
    Delivery.objects.filter(pk__in=[issue.pk for issue in stuck]).update(state="failed")
    send_passing(people[8], minute=3)

    claimed = [take(1) for _ in range(3)]

    assert [[(each.award.user, each.action) for each in some] for some in claimed] == [
        [(people[7], "revoke")],
        [(people[8], "issue")],
        [],
    ]


def test_the_more_wait_for_earlier_ones_the_more_are_looked_at_together(template: BadgeTemplate) -> None:
    for learner in UserFactory.create_batch(16):
        send_passing(learner)
    # Revocations that wait for issues, all of which are to be tried again later.
    Delivery.objects.update(next_attempt_at=timezone.now() + timedelta(hours=1))
    waiting = Delivery.objects.order_by("pk").values("award_id", "backend", "channel_id")
    Delivery.objects.bulk_create(Delivery(action="revoke", **row) for row in waiting)

    with CaptureQueriesContext(connection) as queries:
        assert take(1) == []

    limits = [query["sql"].rpartition(" LIMIT ")[2] for query in queries]
    assert [limit for limit in limits if limit.isdigit()] == ["3", "12", "48"]


def test_what_is_queued_is_as_a_new_instance_of_the_model(
    ada: Any, template: BadgeTemplate, backend: FakeBackend
) -> None:
    before = timezone.now()
    send_passing(ada)

    [queued], new = Delivery.objects.all(), Delivery()
    said = {"id", "award_id", "backend", "action", "channel_id"}
    by_the_clock = {"next_attempt_at", "created"}
    names = {field.attname for field in Delivery._meta.concrete_fields}
    assert {name: getattr(queued, name) for name in names - said - by_the_clock} == {
        name: getattr(new, name) for name in names - said - by_the_clock
    }
    assert all(before <= getattr(queued, name) <= timezone.now() for name in by_the_clock)


def test_an_award_that_is_rolled_back_leaves_no_delivery(
    ada: Any, template: BadgeTemplate, backend: FakeBackend
) -> None:
    def refuse(award: BadgeAward) -> None:
        raise RuntimeError("no")

    backend.prepare_issue = refuse  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        send_passing(ada)

    assert (BadgeAward.objects.count(), Delivery.objects.count()) == (0, 0)


def test_templates_of_nobody_are_not_delivered(ada: Any, backend: FakeBackend) -> None:
    requires_course(TemplateFactory.create())
    send_passing(ada)

    assert (BadgeAward.objects.count(), Delivery.objects.count()) == (1, 0)


def test_a_revocation_overtakes_an_issue_that_was_never_sent(
    ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    send_passing(ada, minute=1)
    send_passing(ada, minute=2, is_passing=False)
    deliver()

    assert rows() == [(1, "issue", "cancelled")]
    assert provider.asked == []


def test_a_revocation_waits_for_an_issue_that_is_under_way(
    ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    send_passing(ada, minute=1)
    [claimed] = take()
    send_passing(ada, minute=2, is_passing=False)

    assert take() == []
    record(carry_out(*prepare([claimed], config())), policy=config().retry)
    deliver()

    # The issue was read before the revocation came or after it: either way nothing stays alive.
    assert provider.live() == []
    assert {state for _, _, state in rows()} <= {"done", "cancelled"}


def test_an_issue_that_fails_for_good_while_its_award_is_revoked_holds_nothing_up(
    ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    provider.before = [PermanentFailure("no")]
    send_passing(ada, minute=1)
    [attempt] = [carry_out(job) for job in prepare(take(), config())]
    send_passing(ada, minute=2, is_passing=False)
    record(attempt, policy=config().retry)
    send_passing(ada, minute=3)
    deliver()

    assert rows() == [(1, "issue", "cancelled"), (1, "revoke", "cancelled"), (2, "issue", "done")]
    assert provider.asked == ["issue", "issue"]


def test_all_of_a_stormy_day_ends_in_order(ada: Any, template: BadgeTemplate, provider: Provider) -> None:
    provider.after = [TransientFailure("time-out", ambiguous=True)]
    send_passing(ada, minute=1)
    deliver()
    send_passing(ada, minute=2, is_passing=False)
    send_passing(ada, minute=3)
    deliver()

    assert rows() == [(1, "issue", "done"), (1, "revoke", "done"), (2, "issue", "done")]
    assert [word for word in provider.asked if word != "find"] == ["issue", "revoke", "issue"]
    assert provider.badges == {"badge-1": "revoked", "badge-2": "pending"}


def test_an_issue_in_doubt_of_a_revoked_award_is_looked_up_and_never_sent_again(
    ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    provider.before = [TransientFailure("time-out", ambiguous=True), None]
    provider.lookup = [TransientFailure("still down")]
    send_passing(ada, minute=1)
    [claimed] = take()
    record(carry_out(*prepare([claimed], config())), policy=config().retry)
    send_passing(ada, minute=2, is_passing=False)
    deliver()

    assert rows() == [(1, "issue", "cancelled"), (1, "revoke", "cancelled")]
    assert provider.asked == ["issue", "find", "find"]


@pytest.mark.parametrize("arrived", [True, False])
def test_an_ambiguous_issue_is_looked_up_before_it_is_sent_again(
    ada: Any, template: BadgeTemplate, provider: Provider, arrived: bool
) -> None:
    failure = TransientFailure("time-out", ambiguous=True)
    (provider.after if arrived else provider.before).append(failure)
    send_passing(ada)
    deliver()

    assert provider.asked == (["issue", "find"] if arrived else ["issue", "find", "issue"])
    assert (provider.live(), rows()) == (["badge-1"], [(1, "issue", "done")])


def test_an_ambiguous_revocation_is_looked_up_too(ada: Any, template: BadgeTemplate, provider: Provider) -> None:
    send_passing(ada, minute=1)
    deliver()
    provider.after = [TransientFailure("time-out", ambiguous=True)]
    send_passing(ada, minute=2, is_passing=False)
    deliver()

    assert provider.asked == ["issue", "revoke", "find"]
    assert rows()[-1] == (1, "revoke", "done")


@pytest.mark.parametrize("sent", [True, False])
def test_the_claims_of_a_killed_worker_are_reconciled(
    ada: Any, template: BadgeTemplate, provider: Provider, sent: bool
) -> None:
    send_passing(ada)
    [claimed] = take()
    [job] = prepare([claimed], config())
    if sent:
        carry_out(job)

    deliver()
    assert rows() == [(1, "issue", "sending")]

    let_time_pass()
    deliver()
    assert (provider.live(), provider.issues) == (["badge-1"], 1)
    assert rows() == [(1, "issue", "done")]


def test_the_result_of_an_expired_claim_changes_nothing(ada: Any, template: BadgeTemplate, provider: Provider) -> None:
    send_passing(ada)
    [claimed] = take()
    late = carry_out(*prepare([claimed], config()))
    let_time_pass()
    deliver()

    assert record(late, policy=config().retry) is None
    assert rows() == [(1, "issue", "done")]
    assert list(DeliveryAttempt.objects.values_list("outcome", flat=True)) == ["adopted"]


def test_a_claim_that_is_about_to_expire_sends_nothing(ada: Any, template: BadgeTemplate, provider: Provider) -> None:
    send_passing(ada)
    # As if most of the lease had gone by until the deliveries were read: six seconds are left.
    [claimed] = claim(1, worker="slow", lease=6, now=timezone.now(), policy=config().retry)

    attempt = carry_out(*prepare([claimed], config()))
    record(attempt, policy=config().retry)

    assert provider.asked == []
    assert isinstance(attempt.outcome, NotSent)
    assert not attempt.outcome.ambiguous
    # That says nothing about the provider.
    assert Channel.objects.get().failures == 0


def test_a_delivery_is_claimed_by_one_worker(ada: Any, template: BadgeTemplate, provider: Provider) -> None:
    send_passing(ada)

    assert [len(take()), len(take())] == [1, 0]


def test_a_duplicate_that_the_provider_refuses_is_adopted(
    ada: Any, template: BadgeTemplate, provider: Provider, backend: FakeBackend
) -> None:
    send_passing(ada)
    provider.issue(ada.email)
    deliver()

    assert rows() == [(1, "issue", "done")]
    assert Delivery.objects.get().external_id == "badge-1"
    assert backend.recorded == [("issue", "badge-1")]
    assert DeliveryAttempt.objects.get().outcome == "adopted"


def test_a_permanent_failure_waits_for_staff(ada: Any, template: BadgeTemplate, provider: Provider) -> None:
    provider.before = [PermanentFailure("the e-mail of ada@example.org is invalid", status=422)]
    send_passing(ada)
    deliver()
    let_time_pass()
    deliver()

    [failed] = Delivery.objects.all()
    assert (failed.state, provider.issues) == ("failed", 1)
    assert failed.last_error == "the e-mail of <email> is invalid"

    assert queueing.retry_now(Delivery.objects.all()) == 1
    deliver()
    assert rows() == [(1, "issue", "done")]


def test_a_failed_revocation_holds_the_next_issue_until_staff_give_up(
    ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    send_passing(ada, minute=1)
    deliver()
    provider.before = [PermanentFailure("replaced", status=422)]
    send_passing(ada, minute=2, is_passing=False)
    send_passing(ada, minute=3)
    deliver()
    assert rows() == [(1, "issue", "done"), (1, "revoke", "failed"), (2, "issue", "pending")]

    assert queueing.give_up(Delivery.objects.filter(action="revoke")) == 1
    del provider.badges["badge-1"], provider.owners["badge-1"]
    deliver()
    assert rows()[-1] == (2, "issue", "done")


def test_a_badge_whose_revocation_was_given_up_becomes_that_of_the_next_award(
    ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    send_passing(ada, minute=1)
    deliver()
    provider.before = [PermanentFailure("replaced", status=422)]
    send_passing(ada, minute=2, is_passing=False)
    deliver()
    queueing.give_up(Delivery.objects.all())
    send_passing(ada, minute=3)
    deliver()

    assert rows()[-1] == (2, "issue", "done")
    assert list(Delivery.objects.filter(action="issue").values_list("external_id", flat=True)) == ["badge-1"] * 2


def test_a_failed_issue_of_a_revoked_award_needs_nobody(ada: Any, template: BadgeTemplate, provider: Provider) -> None:
    provider.before = [PermanentFailure("no e-mail")]
    send_passing(ada, minute=1)
    deliver()
    send_passing(ada, minute=2, is_passing=False)

    assert rows() == [(1, "issue", "cancelled")]


def test_a_bug_shows_and_stops_nobody(
    ada: Any, template: BadgeTemplate, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.before = [KeyError(ada.email)]
    send_passing(ada)
    send_passing(UserFactory.create())
    deliver(concurrency=1)

    assert sorted(rows()) == [(1, "issue", "done"), (1, "issue", "failed")]
    failed = Delivery.objects.get(state="failed")
    assert (failed.in_doubt, failed.last_error) == (True, "KeyError: '<email>'")
    assert "KeyError" in caplog.text
    assert "fakes.py" in caplog.text
    assert ada.email not in caplog.text


def test_a_result_that_cannot_be_recorded_needs_attention(
    ada: Any, template: BadgeTemplate, backend: FakeBackend
) -> None:
    def fail(*args: object) -> None:
        raise ValueError("too long")

    backend.record = fail  # type: ignore[assignment,method-assign]
    send_passing(ada)

    assert deliver() == {"failed": 1}
    assert Delivery.objects.get().in_doubt


def test_a_result_that_the_database_never_takes_does_not_stop_the_worker(
    ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    provider.before = [PermanentFailure("no \U0001f600")]
    send_passing(ada)
    send_passing(UserFactory.create())
    with connection.execute_wrapper(refuse_emojis):
        deliver()

    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["done", "failed"]
    assert "Incorrect string value" in Delivery.objects.get(state="failed").last_error


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("failure", "led_to"),
    [
        (OperationalError(1205, "Lock wait timeout exceeded"), None),
        # A backend says it in words of its own, or fails while it cleans up.
        (OperationalError(1205, "Lock wait timeout exceeded"), RuntimeError("cannot write the badge down")),
        (ConfigurationChanged("again and again"), None),
    ],
)
def test_a_result_that_cannot_be_recorded_for_a_while_is_recorded_then(
    template: BadgeTemplate, backend: FakeBackend, provider: Provider, failure: Exception, led_to: Exception | None
) -> None:
    failures = [failure]

    def fail_once(*args: object) -> None:
        if failures:
            first = failures.pop()
            raise led_to or first from first if led_to else None

    backend.record = fail_once  # type: ignore[assignment,method-assign]
    for learner in UserFactory.create_batch(3):
        send_passing(learner)

    assert deliver() == {"done": 3}
    assert provider.issues == 3


def test_a_learner_who_cannot_be_told_still_has_the_badge(
    ada: Any, template: BadgeTemplate, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object) -> None:
        raise SMTPRecipientsRefused({ada.email: (550, b"No such user")})

    backend.notify = fail  # type: ignore[assignment,method-assign]
    send_passing(ada)

    assert deliver() == {"done": 1}
    assert "could not be notified: SMTPRecipientsRefused" in caplog.text
    assert ada.email not in caplog.text


def test_a_rejected_key_pauses_its_account_alone_and_a_new_key_resumes_it(
    ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    provider.before = [RejectedKey("HTTP 401")]
    requires_course(TemplateFactory.create(origin="fake"))
    send_passing(ada)
    deliver(concurrency=1)

    paused = Channel.objects.exclude(paused_reason="").get()
    assert paused.paused_reason == "HTTP 401"
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["done", "pending"]

    let_time_pass()
    assert deliver() == {}

    provider.key = "better"
    provider.badges.clear()
    assert deliver() == {"done": 1}


def test_a_key_that_was_changed_during_the_attempt_is_not_blamed(
    ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    provider.before = [RejectedKey("HTTP 401")]
    send_passing(ada)
    [claimed] = take()
    attempt = carry_out(*prepare([claimed], config()))
    provider.key = "better"
    note_channel(attempt, record(attempt, policy=config().retry), policy=config().retry)

    assert channels.resume_changed_keys() == 1
    assert deliver() == {"done": 1}


@pytest.mark.parametrize("part", ["recipient_email", "select_related"])
def test_a_deadlock_before_anything_is_sent_does_not_hold_the_badge_up(
    transactional_db: None, ada: Any, template: BadgeTemplate, provider: Provider, part: str
) -> None:
    """The claim is given back at once: it would last for minutes."""
    met: list[str] = []

    def deadlock(execute: Any, sql: str, *args: Any) -> Any:
        credentials = UserCredential._meta.db_table
        is_it = sql.startswith("INSERT") if part == "recipient_email" else credentials in sql and "JOIN" in sql
        if is_it and Delivery._meta.db_table in sql and not met:
            met.append(sql)
            raise OperationalError(1213, "Deadlock found when trying to get lock")
        return execute(sql, *args)

    send_passing(ada)
    with connection.execute_wrapper(deadlock):
        assert deliver() == {"done": 1}

    assert len(met) == len(provider.live()) == 1
    assert DeliveryAttempt.objects.get().number == 1
    assert provider.asked == ["issue"]


def test_what_an_attempt_says_of_its_account_is_no_part_of_its_result(
    transactional_db: None, ada: Any, template: BadgeTemplate, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith("UPDATE") and Channel._meta.db_table in sql:
            raise OperationalError(2006, "server has gone away")
        return execute(sql, *args)

    send_passing(ada)
    with connection.execute_wrapper(refuse):
        assert deliver() == {"done": 1}

    assert len(provider.live()) == 1
    assert "could not be updated after an attempt" in caplog.text


def test_a_provider_that_is_down_is_probed_and_not_hammered(
    db: None, template: BadgeTemplate, provider: Provider, settings: Any
) -> None:
    settings.BADGES_CONFIG = {"distribution": settings_of_deliveries(retry_breaker_first=60, retry_first=5)}
    provider.before = [TransientFailure("down")] * 100
    for _ in range(20):
        send_passing(UserFactory.create())
    deliver(concurrency=4)
    # Four failures are not enough to stop; by the fifth, four threads and four claims ahead may be under way.
    assert provider.issues <= 4 + 4 + 4

    # One at a time, whatever the number of workers.
    for _ in range(3):
        asked = provider.issues
        let_time_pass()
        deliver(concurrency=4)
        assert provider.issues == asked + 1

    provider.before = []
    let_time_pass()
    deliver(concurrency=4)
    assert set(rows()) == {(1, "issue", "done")}
    assert Channel.objects.get().failures == 0


def test_a_threshold_that_is_lowered_below_the_failures_so_far_strands_nobody(
    ada: Any, template: BadgeTemplate, provider: Provider, settings: Any
) -> None:
    send_passing(ada)
    Channel.objects.update(failures=3)

    settings.BADGES_CONFIG = {"distribution": settings_of_deliveries(retry_breaker_threshold=3)}
    deliver()

    assert rows() == [(1, "issue", "done")]
    assert Channel.objects.get().failures == 0


def test_an_account_that_is_told_to_wait_waits_as_a_whole(
    ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    provider.before = [TransientFailure("HTTP 429", retry_after=30, throttled=True)]
    send_passing(ada)
    send_passing(UserFactory.create())
    deliver(concurrency=1)

    assert provider.issues == 1
    rest_until = Channel.objects.get().rest_until
    assert rest_until is not None
    assert timedelta(seconds=25) < rest_until - timezone.now() <= timedelta(seconds=30)


def test_the_address_is_kept_while_in_doubt_and_forgotten_then(
    ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    provider.before = [TransientFailure("time-out", ambiguous=True)]
    send_passing(ada)
    [claimed] = take()
    record(carry_out(*prepare([claimed], config())), policy=config().retry)
    old = ada.email
    ada.email = "new@example.org"
    ada.save()
    [claimed] = take()

    assert claimed.recipient_email == old
    record(carry_out(*prepare([claimed], config())), policy=config().retry)
    assert Delivery.objects.get().recipient_email == ""


def test_an_address_is_not_written_after_the_claim_has_expired(
    ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    send_passing(ada)
    claimed = take()
    let_time_pass()
    deliver()
    prepare(claimed, config())

    assert list(Delivery.objects.values_list("state", "recipient_email")) == [("done", "")]


def test_expired_claims_are_taken_back_once(ada: Any, template: BadgeTemplate) -> None:
    send_passing(ada)
    take()
    let_time_pass()

    assert [recover_expired(timezone.now()), recover_expired(timezone.now())] == [1, 0]


def test_a_revocation_by_hand_reaches_the_provider(ada: Any, template: BadgeTemplate, provider: Provider) -> None:
    send_passing(ada)
    deliver()
    api.revoke_award(BadgeAward.objects.get(), reason="cheated")
    deliver()

    assert provider.badges == {"badge-1": "revoked"}
