"""What becomes of deliveries when their award expires; the inherited suite has what every backend does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import translation

from badges_plugin import api
from badges_plugin.distribution import notifications
from badges_plugin.distribution.claims import claim
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.data import Action, ProviderRequest
from badges_plugin.distribution.delivery import Attempt, carry_out, prepare
from badges_plugin.distribution.exceptions import TransientFailure
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.recording import record
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.catalog import write_catalog
from tests.clock import Clock
from tests.distribution.fakes import FakeBackend, Provider
from tests.distribution.worlds import deliver, expire_within, let_time_pass
from tests.factories import at, send_passing


@pytest.fixture
def expiring(template: BadgeTemplate, clock: Clock) -> BadgeTemplate:
    expire_within(10, template, clock)
    return template


def expire(clock: Clock) -> None:
    api.end_expired(clock.move_to(20))


def deliveries() -> list[tuple[str, str]]:
    return list(Delivery.objects.order_by("pk").values_list("action", "state"))


def knows_dates(backend: FakeBackend) -> None:
    backend.__class__ = type("Expiring", (FakeBackend,), {"expires_badges": True})


def begin_issue(clock: Clock) -> Attempt:
    [delivery] = claim(1, worker="other", lease=60, now=clock(), policy=config().retry)
    return carry_out(*prepare([delivery], config()))


def test_an_issue_that_never_left_is_cancelled(ada: Any, expiring: BadgeTemplate, clock: Clock) -> None:
    send_passing(ada)
    expire(clock)
    [delivery] = Delivery.objects.all()
    assert (delivery.action, delivery.state, delivery.last_error) == (
        "issue",
        "cancelled",
        "The badge ended before it was delivered.",
    )


def test_a_provider_that_cannot_let_expire_is_asked_to_revoke_with_the_reason(
    ada: Any, expiring: BadgeTemplate, clock: Clock, backend: FakeBackend
) -> None:
    send_passing(ada)
    deliver()
    expire(clock)
    [delivery] = claim(1, worker="test", lease=60, now=clock(), policy=config().retry)
    [job] = prepare([delivery], config())
    assert isinstance(job.request, ProviderRequest)
    assert (job.request.action, job.request.reason) == (Action.REVOKE, BadgeAward.objects.get().reason)


@pytest.mark.parametrize(
    ("told", "revoked"),
    [
        (10, False),
        (10.9, False),  # it knows days only, in a zone of its own
        (5, False),  # over before
        (40, True),  # somebody else's badge that was adopted
        (None, True),
    ],
)
def test_a_badge_is_revoked_unless_the_provider_ends_it_on_its_date(
    ada: Any, expiring: BadgeTemplate, clock: Clock, backend: FakeBackend, told: float | None, revoked: bool
) -> None:
    knows_dates(backend)
    send_passing(ada)
    ends_at = BadgeAward.objects.get().expires_at
    if told is not None and ends_at is not None:
        backend.expires_at = ends_at + timedelta(days=told - 10)
    deliver()
    expire(clock)
    assert deliveries() == [("issue", "done"), *([("revoke", "pending")] if revoked else [])]
    deliver()
    assert backend.provider.asked.count("revoke") == revoked


def test_a_date_that_a_backend_tells_without_being_able_to_counts_nothing(
    ada: Any, expiring: BadgeTemplate, clock: Clock, backend: FakeBackend
) -> None:
    send_passing(ada)
    backend.expires_at = BadgeAward.objects.get().expires_at
    deliver()
    assert Delivery.objects.get().expires_at is None


def test_a_badge_that_is_revoked_before_its_date_ends_at_once(
    ada: Any, expiring: BadgeTemplate, clock: Clock, backend: FakeBackend
) -> None:
    knows_dates(backend)
    send_passing(ada)
    backend.expires_at = BadgeAward.objects.get().expires_at
    deliver()
    send_passing(ada, is_passing=False, minute=1)
    deliver()
    assert backend.provider.live() == []


@pytest.mark.parametrize("told", [True, False])
def test_an_issue_that_is_under_way_at_the_end_is_settled_first(
    ada: Any, expiring: BadgeTemplate, clock: Clock, backend: FakeBackend, told: bool
) -> None:
    knows_dates(backend)
    send_passing(ada)
    backend.expires_at = BadgeAward.objects.get().expires_at if told else None
    attempt = begin_issue(clock)
    expire(clock)
    assert deliveries() == [("issue", "sending"), ("revoke", "pending")]
    record(attempt, policy=config().retry)
    deliver()
    assert deliveries() == [("issue", "done"), ("revoke", "cancelled" if told else "done")]


def test_an_issue_in_doubt_is_looked_up_and_not_sent_again(
    ada: Any, expiring: BadgeTemplate, clock: Clock, provider: Provider
) -> None:
    provider.before = [TransientFailure("broken", ambiguous=True)]
    send_passing(ada)
    record(begin_issue(clock), policy=config().retry)
    expire(clock)
    let_time_pass()
    deliver()
    assert provider.issues == 1
    assert deliveries() == [("issue", "cancelled"), ("revoke", "cancelled")]


def test_a_renewed_badge_is_issued_after_the_old_one_has_ended(
    ada: Any, expiring: BadgeTemplate, clock: Clock, provider: Provider
) -> None:
    send_passing(ada)
    deliver()
    expire(clock)
    clock.move_to(30)
    send_passing(ada, minute=(clock() - at(0)).total_seconds() / 60)
    deliver()
    assert deliveries() == [("issue", "done"), ("revoke", "done"), ("issue", "done")]
    assert len(provider.live()) == 1


def test_the_e_mail_about_it_is_in_the_language_of_the_site(
    ada: Any, expiring: BadgeTemplate, clock: Clock, settings: Any, tmp_path: Any
) -> None:
    write_catalog(tmp_path, "de", {"Expired on %(day)s.": "Abgelaufen am %(day)s."})
    settings.LOCALE_PATHS, settings.LANGUAGE_CODE = [str(tmp_path)], "de"
    settings.BADGES_CONFIG["distribution"]["notify"] = True
    send_passing(ada)
    expire(clock)
    with translation.override("fr"):  # whoever is at work
        notifications.notify(BadgeAward.objects.get(), notifications.REVOKED)
    message: Any = mail.outbox[0]
    assert message.subject == f"Your badge {expiring.name} has expired"
    for text in (message.body, message.alternatives[0][0]):
        assert "Abgelaufen am" in text
        assert "was revoked" not in text
