"""What every backend must do, as a suite to inherit.

A backend's tests subclass BackendCases and provide the fixture ``world``: the provider, or a simulation of it, that the
registered backend speaks to. Nothing else has to be written to prove a backend.
"""

from __future__ import annotations

from typing import Any, Protocol

import pytest
from django.utils import timezone

from badges_plugin import api
from badges_plugin.distribution import registry
from badges_plugin.distribution.claims import claim
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.data import Action
from badges_plugin.distribution.delivery import carry_out, prepare
from badges_plugin.distribution.models import Channel, Delivery, DeliveryAttempt
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.clock import Clock
from tests.distribution.worlds import deliver, let_time_pass
from tests.factories import PASSING, UserFactory, at, metadata, passing_data, send_passing, user_data


class World(Protocol):
    """A provider that can be watched and made to misbehave.

    ``template``: passing the course earns it, failing loses it.
    """

    template: BadgeTemplate

    def live(self) -> list[str]:
        """Ids of the badges that exist and are not revoked."""

    def gone(self) -> list[str]:
        """Ids of the badges that were revoked (or expired, or deleted)."""

    def calls(self, action: Action) -> int:
        """How many requests of this kind have arrived."""

    def lose_answers(self, action: Action) -> None:
        """Carry out the next request of this kind, and let the connection break before the answer."""

    def lose_requests(self, action: Action) -> None:
        """Let the connection break at the next request of this kind, without carrying it out."""

    def break_down(self) -> None:
        """Answer nothing useful until ``recover``."""

    def throttle(self, seconds: int) -> None:
        """Answer the next request with the wish to wait."""

    def recover(self) -> None:
        """Behave well again."""

    def reject_key(self) -> None:
        """Accept the key no more."""

    def change_key(self) -> None:
        """Accept another key, and give that to us."""

    def issue_by_hand(self, email: str) -> str:
        """Somebody issues the badge at the provider itself; its id."""


def _passing(user: Any, minute: float, is_passing: bool) -> api.BadgingEvent:
    data = passing_data(user_data(user), is_passing=is_passing)
    return api.read_event(PASSING, metadata(time=at(minute)), {"course_passing_status": data})


class BackendCases:
    """Inherit and provide the fixture ``world``."""

    @pytest.fixture
    def learner(self, db: None) -> Any:
        return UserFactory.create(full_name="Lea Learner")

    def states(self) -> list[tuple[str, str]]:
        return list(Delivery.objects.order_by("pk").values_list("action", "state"))

    def test_is_registered_for_the_origin_of_its_templates(self, world: World) -> None:
        [backend] = registry.responsible_for(world.template)

        assert backend.slug == world.template.origin
        assert 0 < len(backend.account(world.template)) <= 64

    def test_the_fingerprint_changes_with_the_key(self, world: World) -> None:
        backend = registry.get(world.template.origin)
        account = backend.account(world.template)
        before = backend.fingerprint(account)
        world.change_key()

        assert backend.fingerprint(account) != before

    def test_issues_revokes_and_issues_again(self, world: World, learner: Any) -> None:
        send_passing(learner, minute=1)
        deliver()
        [first] = world.live()
        send_passing(learner, minute=2, is_passing=False)
        deliver()
        assert (world.live(), world.gone()) == ([], [first])
        send_passing(learner, minute=3)
        deliver()

        [second] = world.live()
        assert second != first
        assert [delivery.external_id for delivery in Delivery.objects.order_by("pk")] == [first, first, second]

    def test_many_learners_at_once_end_as_one_by_one(self, world: World, learner: Any) -> None:
        learners = [learner, UserFactory.create(), UserFactory.create()]
        for minute, is_passing in enumerate([True, False, True]):
            api.process_batch([_passing(each, minute, is_passing) for each in learners[:2]])
            send_passing(learners[2], minute=minute, is_passing=is_passing)
            deliver()

        assert (len(world.live()), len(world.gone())) == (3, 3)
        of_each = [
            list(Delivery.objects.filter(award__progress__user=each).order_by("pk").values_list("action", "state"))
            for each in learners
        ]
        assert of_each == [[("issue", "done"), ("revoke", "done"), ("issue", "done")]] * 3

    def test_requests_use_nothing_but_their_order(
        self, world: World, learner: Any, django_assert_num_queries: Any
    ) -> None:
        send_passing(learner)
        [delivery] = claim(1, worker="test", lease=60, now=timezone.now(), policy=config().retry)
        [job] = prepare([delivery], config())

        with django_assert_num_queries(0):
            carry_out(job)
        assert len(world.live()) == 1

    @pytest.mark.parametrize("arrived", [True, False])
    def test_a_lost_issue_is_looked_up(self, world: World, learner: Any, arrived: bool) -> None:
        (world.lose_answers if arrived else world.lose_requests)(Action.ISSUE)
        send_passing(learner)
        deliver()

        assert len(world.live()) == 1
        assert world.calls(Action.ISSUE) == (1 if arrived else 2)
        assert self.states() == [("issue", "done")]

    @pytest.mark.parametrize("arrived", [True, False])
    def test_a_lost_revocation_is_looked_up(self, world: World, learner: Any, arrived: bool) -> None:
        send_passing(learner, minute=1)
        deliver()
        (world.lose_answers if arrived else world.lose_requests)(Action.REVOKE)
        send_passing(learner, minute=2, is_passing=False)
        deliver()

        assert world.live() == []
        assert world.calls(Action.REVOKE) == (1 if arrived else 2)
        assert self.states() == [("issue", "done"), ("revoke", "done")]

    def test_a_lost_issue_of_a_lost_badge_leaves_nothing_alive(self, world: World, learner: Any) -> None:
        world.lose_answers(Action.ISSUE)
        send_passing(learner, minute=1)
        [delivery] = claim(1, worker="doomed", lease=60, now=timezone.now(), policy=config().retry)
        carry_out(*prepare([delivery], config()))
        send_passing(learner, minute=2, is_passing=False)
        let_time_pass()
        deliver()

        assert (world.live(), len(world.gone())) == ([], 1)
        assert self.states() == [("issue", "done"), ("revoke", "done")]

    def test_a_badge_that_is_there_already_is_adopted(self, world: World, learner: Any) -> None:
        by_hand = world.issue_by_hand(learner.email)
        send_passing(learner)
        deliver()

        assert world.live() == [by_hand]
        assert Delivery.objects.get().external_id == by_hand
        assert DeliveryAttempt.objects.get().outcome == "adopted"

    def test_the_badge_of_another_award_is_never_adopted(self, world: World, learner: Any) -> None:
        send_passing(learner, minute=1)
        deliver()
        send_passing(learner, minute=2, is_passing=False)
        deliver()
        world.lose_requests(Action.ISSUE)
        send_passing(learner, minute=3)
        deliver()

        [second] = world.live()
        assert Delivery.objects.get(award__number=2).external_id == second

    def test_a_provider_that_is_down_is_tried_again(self, world: World, learner: Any) -> None:
        world.break_down()
        send_passing(learner)
        [delivery] = claim(1, worker="doomed", lease=60, now=timezone.now(), policy=config().retry)
        outcome = carry_out(*prepare([delivery], config())).outcome
        assert type(outcome).__name__ == "TransientFailure"

        world.recover()
        let_time_pass()
        deliver()
        assert len(world.live()) == 1

    def test_what_is_wrong_with_one_of_many_harms_no_other(self, world: World) -> None:
        learners = [UserFactory.create(full_name="Lea Learner") for _ in range(4)]
        by_hand = world.issue_by_hand(learners[1].email)
        for learner in [*learners[:2], UserFactory.create(email=""), *learners[2:]]:
            send_passing(learner)
        deliver(concurrency=1)

        assert [state for _, state in self.states()] == ["done", "done", "failed", "done", "done"]
        issued = {row.award.user.email: row.external_id for row in Delivery.objects.exclude(external_id="")}
        assert set(issued) == {learner.email for learner in learners}
        assert issued[learners[1].email] == by_hand
        assert sorted(world.live()) == sorted(issued.values())

    @pytest.mark.parametrize("arrived", [True, False])
    def test_each_of_many_whose_answer_is_lost_is_looked_up(self, world: World, arrived: bool) -> None:
        (world.lose_answers if arrived else world.lose_requests)(Action.ISSUE)
        for learner in UserFactory.create_batch(3, full_name="Lea Learner"):
            send_passing(learner)
        deliver(concurrency=1)

        assert self.states() == [("issue", "done")] * 3
        assert sorted(world.live()) == sorted(Delivery.objects.values_list("external_id", flat=True))

    def test_the_wish_to_wait_is_heard(self, world: World, learner: Any) -> None:
        world.throttle(7)
        send_passing(learner)
        deliver()

        channel = Channel.objects.get()
        assert channel.rest_until is not None
        assert 0 < (channel.rest_until - timezone.now()).total_seconds() <= 7
        world.recover()
        let_time_pass()
        deliver()
        assert len(world.live()) == 1

    def test_a_rejected_key_waits_for_a_new_one(self, world: World, learner: Any) -> None:
        world.reject_key()
        send_passing(learner)
        deliver()
        assert self.states() == [("issue", "pending")]
        assert Channel.objects.get().paused_reason

        world.change_key()
        deliver()
        assert len(world.live()) == 1

    def test_a_learner_without_address_is_a_matter_for_staff(self, world: World) -> None:
        send_passing(UserFactory.create(email=""))
        deliver()

        [delivery] = Delivery.objects.all()
        assert (delivery.state, world.live()) == ("failed", [])
        assert "e-mail" in delivery.last_error

    @pytest.mark.parametrize(
        "name",
        ["Ada", "Ada Lovelace", "山田太郎", "José María de la Cruz", "محمد بن سلمان", "O'Brien <b>&", "  ", "X" * 255],
    )
    def test_names_in_any_script(self, world: World, name: str) -> None:
        send_passing(UserFactory.create(full_name=name))
        deliver()

        assert len(world.live()) == 1

    @pytest.mark.parametrize("is_delivered", [True, False])
    def test_a_badge_that_expires_ends_at_the_provider(
        self, world: World, learner: Any, monkeypatch: pytest.MonkeyPatch, is_delivered: bool
    ) -> None:
        clock = Clock()
        clock.tick_from_now_on(monkeypatch)
        world.template.valid_days = (clock.start - at(0)).days + 10
        world.template.save()
        send_passing(learner)
        if is_delivered:
            deliver()
        api.end_expired(clock.move_to(20))
        deliver()

        ends_by_itself = registry.get(world.template.origin).expires_badges
        assert BadgeAward.objects.get().ended_by == api.Ending.EXPIRED
        assert world.calls(Action.ISSUE) == is_delivered
        assert world.calls(Action.REVOKE) == (is_delivered and not ends_by_itself)
        if not ends_by_itself:
            assert (world.live(), len(world.gone())) == ([], is_delivered)

    def test_addresses_are_not_kept(self, world: World, learner: Any) -> None:
        world.lose_answers(Action.ISSUE)
        send_passing(learner)
        deliver()

        stored = [*Delivery.objects.values(), *DeliveryAttempt.objects.values(), *BadgeAward.objects.values()]
        assert learner.email not in str(stored)

    @pytest.mark.parametrize("loses", [True, False])
    def test_c1_nothing_reaches_the_provider_about_a_learner_who_was_retired(
        self, world: World, learner: Any, loses: bool
    ) -> None:
        send_passing(learner)
        if loses:
            deliver()
            send_passing(learner, is_passing=False, minute=1)
        User.objects.filter(pk=learner.pk).update(username="retired__user_1")
        deliver()

        assert (len(world.live()), world.calls(Action.ISSUE), world.calls(Action.REVOKE)) == (loses, loses, 0)
        assert self.states() == [("issue", "done"), ("revoke", "cancelled")] if loses else [("issue", "cancelled")]
