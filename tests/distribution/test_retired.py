"""Learners who were retired: nothing is sent for them, nothing is kept about them, whenever it happens."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badges_plugin import api
from badges_plugin.api import Outcome
from badges_plugin.distribution import (
    claims,
    delivery,
    notifications,
    queueing,
    rate_limit,
    recording,
    requests,
    withdrawal,
    worker,
)
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.data import Cancelled
from badges_plugin.distribution.exceptions import PermanentFailure, TransientFailure
from badges_plugin.distribution.models import Delivery, DeliveryAttempt
from badges_plugin.exceptions import IgnoredEvent
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, RetiredLearner
from badges_plugin.signals import learner_retired
from tests.distribution.fakes import FakeBackend, Provider
from tests.distribution.worlds import deliver, let_time_pass, settings_of_deliveries
from tests.factories import PASSING, UserFactory, at, metadata, passing_data, send_passing, user_data
from tests.texts import without_ids

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("template")]


def retire(user: Any, **also: str) -> None:
    """As the host does: a query that no signal tells of, and on released hosts nothing but the user name."""
    User.objects.filter(pk=user.pk).update(username=f"retired__user_{user.pk}", **also)


def claimed() -> requests.Job:
    taken = claims.claim(1, worker="test", lease=60, now=timezone.now(), policy=config().retry)
    [job] = delivery.prepare(taken, config())
    return job


def states() -> list[tuple[str, str]]:
    return list(Delivery.objects.order_by("pk").values_list("action", "state"))


def waiting(ada: Any, provider: Provider) -> None:
    send_passing(ada)


def failed(ada: Any, provider: Provider) -> None:
    provider.before.append(PermanentFailure("Ada Lovelace cannot"))
    send_passing(ada)
    deliver(chores=True)


def in_doubt_and_not_there(ada: Any, provider: Provider) -> None:
    send_passing(ada)
    claimed()
    let_time_pass()


def issued(ada: Any, provider: Provider) -> None:
    send_passing(ada)
    deliver(chores=True)


def revocation_waiting(ada: Any, provider: Provider) -> None:
    issued(ada, provider)
    send_passing(ada, is_passing=False, minute=1)


def revoked(ada: Any, provider: Provider) -> None:
    revocation_waiting(ada, provider)
    deliver(chores=True)


ENDS: dict[Callable[[Any, Provider], None], list[tuple[str, str]]] = {
    waiting: [("issue", "cancelled")],
    failed: [("issue", "cancelled")],
    in_doubt_and_not_there: [("issue", "cancelled")],
    issued: [("issue", "done")],
    revocation_waiting: [("issue", "done"), ("revoke", "cancelled")],
    revoked: [("issue", "done"), ("revoke", "done")],
}


@pytest.mark.parametrize(("swept_first", "how"), [(True, {}), (False, {"full_name": ""})])
@pytest.mark.parametrize("before", ENDS, ids=lambda each: each.__name__)
def test_c1_nothing_is_sent_for_a_learner_who_was_retired(
    ada: Any, provider: Provider, before: Callable[[Any, Provider], None], swept_first: bool, how: dict[str, str]
) -> None:
    before(ada, provider)
    asked = list(provider.asked)
    retire(ada, **how)
    if swept_first:
        api.sweep_retired()
    queueing.retry_now(Delivery.objects.all())
    let_time_pass()
    deliver(chores=True)

    assert [each for each in provider.asked[len(asked) :] if each != "find"] == []
    assert states() == ENDS[before]
    assert set(Delivery.objects.values_list("recipient_email", flat=True)) == {""}
    assert not Delivery.objects.filter(in_doubt=True).exists()


@pytest.mark.parametrize("before", ENDS, ids=lambda each: each.__name__)
def test_c1_no_row_of_a_delivery_names_a_learner_who_was_retired(
    ada: Any, provider: Provider, before: Callable[[Any, Provider], None]
) -> None:
    before(ada, provider)
    DeliveryAttempt.objects.update(reason="Lovelace, Ada has it")
    Delivery.objects.update(last_error="Lovelace, Ada has it")
    retire(ada)
    deliver(chores=True)

    kept = str([*Delivery.objects.values(), *DeliveryAttempt.objects.values(), *BadgeAward.objects.values()])
    assert not [word for word in ("Lovelace", "ada@") if word in kept]


def test_c1_what_is_in_doubt_is_looked_up_without_the_address(
    ada: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_doubt_and_not_there(ada, provider)
    assert Delivery.objects.get().recipient_email == "ada@example.org"
    retire(ada)
    searched: list[str] = []

    def search(self: Provider, owner: str) -> list[str]:
        searched.append(owner)
        return []

    monkeypatch.setattr(Provider, "search", search)
    deliver(chores=True)
    assert searched == [""]
    assert states() == [("issue", "cancelled")]


def test_c1_a_learner_who_is_retired_between_claim_and_request(ada: Any, provider: Provider) -> None:
    send_passing(ada)
    taken = claims.claim(1, worker="test", lease=60, now=timezone.now(), policy=config().retry)
    retire(ada)
    [job] = delivery.prepare(taken, config())
    recording.record(delivery.carry_out(job), policy=config().retry)
    assert (provider.asked, states()) == ([], [("issue", "cancelled")])
    assert Delivery.objects.get().recipient_email == ""


def test_c1_what_waits_for_its_thread_is_withdrawn(ada: Any, provider: Provider) -> None:
    send_passing(ada)
    job = claimed()
    retire(ada)
    withdrawal.withdraw_retired()
    recording.record(delivery.carry_out(job), policy=config().retry)
    assert (provider.asked, states()) == ([], [("issue", "cancelled")])


@pytest.mark.parametrize(("seconds", "asks_once"), [(0.0, False), (3600.0, True)])
def test_c1_a_worker_asks_now_and_then_whom_it_must_withdraw(
    seconds: float, asks_once: bool, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(worker, "_WITHDRAWAL_SECONDS", seconds)
    monkeypatch.setattr(worker, "withdraw_retired", lambda: asked.append(True))
    for _ in range(4):
        send_passing(UserFactory.create())
    assert deliver(concurrency=1) == {"done": 4}
    assert (len(asked) == 1) is asks_once
    assert asked


def test_c1_a_request_that_waits_for_its_turn_is_withdrawn() -> None:
    withdrawn: list[bool] = []
    limiter = rate_limit.RateLimiter(60, clock=lambda: 0.0, sleep=lambda seconds: withdrawn.append(True))
    with rate_limit.until(100.0, unless=lambda: bool(withdrawn)):
        assert limiter.wait()
        assert not limiter.wait()


def test_c1_what_the_provider_has_is_known_after_a_look(ada: Any, provider: Provider) -> None:
    """So that somebody can ask the provider to delete it. No address to accept it is kept."""
    send_passing(ada)
    job = claimed()
    delivery.carry_out(job)
    let_time_pass()
    retire(ada)
    provider.owners = dict.fromkeys(provider.owners, "")
    deliver(chores=True)
    assert states() == [("issue", "done")]
    assert Delivery.objects.get().external_id == "badge-1"
    assert provider.asked == ["issue", "find"]


def test_c1_no_mail_goes_to_a_learner_who_was_retired(ada: Any, settings: Any) -> None:
    settings.BADGES_CONFIG = {"distribution": {**settings_of_deliveries(), "notify": True}}
    send_passing(ada)
    award = BadgeAward.objects.select_related("progress__user", "progress__template").get()
    retire(ada)
    assert not notifications.notify(award, notifications.ISSUED)
    assert mail.outbox == []


def test_c1_what_staff_wrote_about_a_revocation_goes(ada: Any) -> None:
    send_passing(ada)
    award = BadgeAward.objects.get()
    api.revoke_award(award, reason="Ada Lovelace copied")
    kind = ContentType.objects.get_for_model(BadgeAward)
    LogEntry.objects.create(
        user=UserFactory.create(),
        content_type=kind,
        object_id=str(award.pk),
        action_flag=CHANGE,
        change_message="Revoked: Ada Lovelace copied",
    )
    retire(ada)
    api.sweep_retired()
    award.refresh_from_db()
    assert (award.revocation_reason, LogEntry.objects.get().change_message) == ("", "")
    assert award.revoked_at is not None


def test_c1_who_is_saved_as_retired_is_forgotten_at_once(ada: Any, django_capture_on_commit_callbacks: Any) -> None:
    send_passing(ada)
    with django_capture_on_commit_callbacks(execute=True):
        ada.username = "retired__user_ada"
        ada.save()
    assert states() == [("issue", "cancelled")]
    assert RetiredLearner.objects.filter(user=ada).exists()


def test_c1_a_sweep_that_was_done_does_nothing(ada: Any) -> None:
    send_passing(ada)
    retire(ada)
    assert (api.sweep_retired(), api.sweep_retired()) == (1, 0)
    # A retirement that was taken back, and came again.
    User.objects.filter(pk=ada.pk).update(username="ada")
    assert api.sweep_retired() == 0
    retire(ada)
    assert api.sweep_retired() == 1


def test_c1_one_that_cannot_be_erased_does_not_keep_the_others(ada: Any, caplog: pytest.LogCaptureFixture) -> None:
    bob = UserFactory.create(username="bob", full_name="Bob Babbage")

    def fail(user: Any, **kwargs: Any) -> None:
        if user.pk == ada.pk:
            raise ValueError(user.email)

    for each in (ada, bob):
        send_passing(each)
        retire(each)
    learner_retired.connect(fail)
    try:
        assert (api.sweep_retired(), api.sweep_retired()) == (1, 0)
    finally:
        learner_retired.disconnect(fail)
    assert "ada@" not in caplog.text
    assert list(RetiredLearner.objects.values_list("user", flat=True)) == [bob.pk]
    assert api.sweep_retired() == 1


def test_c1_the_user_is_deleted_and_with_them_everything(ada: Any) -> None:
    send_passing(ada)
    claimed()
    ada.delete()
    assert not Delivery.objects.exists()


def by_another_user(ada: Any) -> None:
    """The built-in app made a user of each name of hers, and the host retires the newer."""
    other = UserFactory.create(username="ada2", lms_user_id=ada.lms_user_id)
    User.objects.filter(pk=other.pk).update(username="retired__user_1", full_name="")


def by_an_event(ada: Any) -> None:
    said = user_data(id=ada.lms_user_id, username="retired__user_1", email="1@retired.invalid", name="")
    with pytest.raises(IgnoredEvent, match="retired"):
        send_passing(said, minute=5)


def by_the_address_in_an_event_of_no_interest(ada: Any) -> None:
    said = user_data(id=ada.lms_user_id, username=ada.username, email="1@retired.invalid")
    assert send_passing(said, "course-v1:No+Badge+1", minute=5) is Outcome.UNMATCHED


def by_a_history(ada: Any) -> None:
    said = passing_data(user_data(id=ada.lms_user_id, username="retired__user_1", email="", name=""))
    event = api.read_event(PASSING, metadata(time=at(5)), {"course_passing_status": said})
    assert api.process_history([event], dry_run=True).ignored
    assert not RetiredLearner.objects.exists()
    assert api.process_history([event]).ignored


TELLINGS = [by_another_user, by_an_event, by_the_address_in_an_event_of_no_interest, by_a_history]
each_telling = pytest.mark.parametrize("tell", TELLINGS, ids=lambda each: each.__name__)


# All pairs of the three: the sweep is the same whoever says it, and whatever it finds.
TOLD = [(before, tell, (x + y) % 2 == 0) for x, before in enumerate(ENDS) for y, tell in enumerate(TELLINGS)]


@pytest.mark.parametrize(("before", "tell", "swept_first"), TOLD)
def test_c1_a_person_is_retired_whichever_of_their_users_and_whoever_says_so(
    ada: Any,
    provider: Provider,
    before: Callable[[Any, Provider], None],
    tell: Callable[[Any], None],
    swept_first: bool,
) -> None:
    before(ada, provider)
    asked = list(provider.asked)
    tell(ada)
    if swept_first:
        assert api.sweep_retired() == User.objects.filter(lms_user_id=ada.lms_user_id).count()
    queueing.retry_now(Delivery.objects.all())
    let_time_pass()
    deliver(chores=True)

    assert [each for each in provider.asked[len(asked) :] if each != "find"] == []
    assert states() == ENDS[before]
    assert set(Delivery.objects.values_list("recipient_email", flat=True)) == {""}
    assert not DeliveryAttempt.objects.filter(reason__contains="Lovelace").exists()


@each_telling
def test_c1_nothing_else_is_said_or_done_about_them(ada: Any, settings: Any, tell: Callable[[Any], None]) -> None:
    settings.BADGES_CONFIG = {"distribution": {**settings_of_deliveries(), "notify": True}}
    send_passing(ada)
    award = BadgeAward.objects.select_related("progress__user", "progress__template").get()
    tell(ada)

    with pytest.raises(IgnoredEvent, match="retired"):
        send_passing(user_data(ada), is_passing=False, minute=2)  # of before
    assert not notifications.notify(award, notifications.ISSUED)
    BadgeAward.objects.update(publish_due_at=timezone.now())
    assert api.publish_pending() == 0
    assert BadgeAward.objects.get().publish_due_at is None
    [job] = delivery.prepare(
        claims.claim(1, worker="test", lease=60, now=timezone.now(), policy=config().retry), config()
    )
    assert isinstance(job.request, Cancelled)


@each_telling
def test_c1_a_worker_withdraws_what_it_has_at_hand(ada: Any, provider: Provider, tell: Callable[[Any], None]) -> None:
    send_passing(ada)
    job = claimed()
    tell(ada)
    withdrawal.withdraw_retired()
    recording.record(delivery.carry_out(job), policy=config().retry)
    assert (provider.asked, states()) == ([], [("issue", "cancelled")])


@each_telling
def test_c1_a_sweep_that_was_done_does_nothing_again(ada: Any, tell: Callable[[Any], None]) -> None:
    send_passing(ada)
    tell(ada)
    assert api.sweep_retired() > 0
    assert api.sweep_retired() == 0


def test_c1_users_without_an_lms_user_id_are_not_one_person(ada: Any, provider: Provider) -> None:
    send_passing(ada)
    for lms_user_id in (0, None):
        User.objects.filter(pk=ada.pk).update(lms_user_id=lms_user_id)
        other = UserFactory.create(lms_user_id=lms_user_id)
        retire(other)
        assert api.sweep_retired() == 1
    deliver(chores=True)
    assert states() == [("issue", "done")]


def test_c1_what_events_said_by_wrong_settings_is_taken_back(ada: Any, settings: Any, provider: Provider) -> None:
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "retirement": {"email_domain": "example.org"}}
    with pytest.raises(IgnoredEvent, match="retired"):
        send_passing(user_data(id=ada.lms_user_id, username=ada.username, email="ada.l@example.org"), minute=5)
    settings.BADGES_CONFIG = {"distribution": settings_of_deliveries()}
    api.sweep_retired()
    send_passing(ada, minute=1)
    deliver(chores=True)
    assert not RetiredLearner.objects.exists()
    assert states() == [("issue", "done")]


def test_c1_a_retirement_that_was_cancelled_ends_with_a_newer_event(ada: Any, provider: Provider) -> None:
    by_an_event(ada)
    api.sweep_retired()
    for user, minute in ((user_data(ada), 4), (user_data(id=ada.lms_user_id, username="", email=""), 6)):
        with pytest.raises(IgnoredEvent, match="retired"):
            send_passing(user, minute=minute)  # older, and newer without saying who it is
    send_passing(user_data(ada), minute=7)
    by_an_event(ada)  # it comes again
    deliver(chores=True)
    assert states() == [("issue", "done")]
    assert not RetiredLearner.objects.exists()


@pytest.mark.parametrize("error", [None, TransientFailure("Ada Lovelace", ambiguous=True), PermanentFailure("Ada")])
@each_telling
def test_c1_a_learner_is_retired_while_the_request_is_under_way(
    ada: Any, provider: Provider, backend: FakeBackend, error: Exception | None, tell: Callable[[Any], None]
) -> None:
    """The worker records after another one has erased; what it brings is erased again."""
    provider.after.append(error)
    send_passing(ada)
    attempt = delivery.carry_out(claimed())
    tell(ada)
    assert api.sweep_retired() > 0
    backend.forgotten.clear()
    recording.record(attempt, policy=config().retry)

    kept = str([*Delivery.objects.values(), *DeliveryAttempt.objects.values()])
    assert not [word for word in ("Ada", "Lovelace", "ada@") if word in kept]
    assert backend.forgotten == [BadgeAward.objects.get().pk]


@pytest.mark.parametrize("tell", [retire, *TELLINGS], ids=lambda each: each.__name__)
def test_c1_no_reason_is_kept_when_staff_revoke_a_retired_learners_badge(
    ada: Any, client: Client, tell: Callable[[Any], None], caplog: pytest.LogCaptureFixture
) -> None:
    send_passing(ada)
    tell(ada)
    award = BadgeAward.objects.get()
    client.force_login(User.objects.create_superuser("root", "root@example.org", "x"))
    with caplog.at_level(logging.INFO):
        answer = client.post(
            reverse("admin:badges_plugin_badgeaward_revoke"),
            {"id": award.pk, "reason": "Ada Lovelace copied", "progress": "keep"},
            follow=True,
        )
    award.refresh_from_db()
    assert award.revoked_at is not None
    assert "The reason was not stored for 1 badge" in answer.content.decode()
    assert "Lovelace" not in str([award.revocation_reason, *LogEntry.objects.values()]) + caplog.text


def test_c1_other_learners_are_not_concerned(ada: Any, provider: Provider) -> None:
    bob = UserFactory.create(username="bob", full_name="Bob Babbage")
    send_passing(ada)
    send_passing(bob)
    retire(ada)
    deliver(chores=True)
    assert [provider.owners[badge] for badge in provider.live()] == [bob.email]


def test_c1_who_is_merely_renamed_is_waited_for(ada: Any, provider: Provider) -> None:
    """The same query of the host: another user name, and of late no name. It comes again with the next event."""
    send_passing(ada)
    User.objects.filter(pk=ada.pk).update(username="ada2", full_name="")
    deliver(chores=True)
    assert (provider.asked, states()) == ([], [("issue", "failed")])
    assert "no name" in Delivery.objects.get().last_error

    User.objects.filter(pk=ada.pk).update(full_name="Ada King")
    deliver(chores=True)
    assert (provider.asked, states()) == (["issue"], [("issue", "done")])


def test_c1_who_is_renamed_and_keeps_the_name_is_issued_the_badge(ada: Any, provider: Provider) -> None:
    send_passing(ada)
    User.objects.filter(pk=ada.pk).update(username="ada2")
    deliver(chores=True)
    assert provider.live() == ["badge-1"]


@pytest.mark.parametrize("username", ["ada@example.org", "ada\uff20example.org", "\u200b", "1815"])
def test_c3_without_a_name_the_badge_waits_until_there_is_one(provider: Provider, username: str) -> None:
    ada = UserFactory.create(username=username, full_name="", email="ada@example.org")
    send_passing(ada)
    deliver(chores=True)
    assert (provider.asked, states()) == ([], [("issue", "failed")])
    assert Delivery.objects.get().awaits_name

    User.objects.filter(pk=ada.pk).update(full_name="Ada Lovelace")
    deliver(chores=True)
    assert states() == [("issue", "done")]
    assert not Delivery.objects.get().awaits_name


def test_c3_what_is_in_doubt_is_looked_up_all_the_same(ada: Any, provider: Provider) -> None:
    send_passing(ada)
    delivery.carry_out(claimed())
    let_time_pass()
    User.objects.filter(pk=ada.pk).update(full_name="\u3164")
    deliver(chores=True)
    assert (provider.asked, states()) == (["issue", "find"], [("issue", "done")])


def test_c3_a_revocation_needs_no_name(ada: Any, provider: Provider) -> None:
    revocation_waiting(ada, provider)
    User.objects.filter(pk=ada.pk).update(username="ada2", full_name="")
    deliver(chores=True)
    assert states() == [("issue", "done"), ("revoke", "done")]


def test_c1_a_reason_of_the_past_is_in_no_log(ada: Any, caplog: pytest.LogCaptureFixture) -> None:
    send_passing(ada)
    retire(ada)
    with caplog.at_level(logging.DEBUG):
        deliver(chores=True)
    assert "ada" not in without_ids(caplog.text).replace("badges", "").casefold()
