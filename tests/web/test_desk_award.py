"""The page of one award: how it stands, and its whole story."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badges_plugin import api, reading
from badges_plugin.distribution import deciding, registry
from badges_plugin.distribution.exceptions import PermanentFailure, RejectedKey, TransientFailure
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.distribution.fakes import FakeBackend, Provider
from tests.distribution.worlds import deliver, let_time_pass
from tests.factories import COURSE, make_template, make_user, requires_course, send_passing, staff_who_may
from tests.limits import Lower
from tests.web.pages_world import OTHER_COURSE, as_user, award_of, words

pytestmark = pytest.mark.django_db
MAY_SEE = ("view_badgeaward", "view_badgeprogress")


@pytest.fixture
def client(site: Any) -> Client:
    return as_user(make_user(username="registrar", is_staff=True, is_superuser=True, full_name="J. Okafor"))


@pytest.fixture
def provider() -> Iterator[Provider]:
    backend = FakeBackend()
    registry.register(backend)
    yield backend.provider
    registry.unregister(backend.slug)


@pytest.fixture
def badge(site: Any, provider: Provider) -> BadgeTemplate:
    """A badge at a provider that asks for two courses."""
    template = make_template(site=site, name="Logic and Proof", origin="fake")
    requires_course(template)
    requires_course(template, OTHER_COURSE)
    return template


def earn(user: Any, badge: BadgeTemplate) -> BadgeAward:
    send_passing(user, minute=1)
    send_passing(user, OTHER_COURSE, minute=2)
    return award_of(user, badge)


def story(client: Client, award: BadgeAward) -> str:
    return words(client.get(reverse("badges_web:desk_award", args=[award.pk])))


def test_a_story_is_told_from_the_events_to_the_provider(
    client: Client, ada: Any, badge: BadgeTemplate, provider: Provider
) -> None:
    award = earn(ada, badge)
    page = story(client, award)
    assert "Ada Lovelace has Logic and Proof since Jan. 1, 2026. Held since Jan. 1, 2026 Does not expire" in page
    assert "Waiting to be sent to Fake" in page

    provider.before = [TransientFailure("no answer", ambiguous=True), PermanentFailure("the address is refused")]
    deliver()
    let_time_pass()
    deliver()
    page = story(client, award)
    told = [
        f"Passed {COURSE}. 1 of 2.",
        f"Passed {OTHER_COURSE}. 2 of 2.",
        f"Awarded. The badge asks for this: Pass {COURSE}; Pass {OTHER_COURSE}. First award of this badge",
        "Fake could not be reached or did not take it. It is tried again by itself. no answer",
        "Fake was asked first whether it had arrived. Fake refused it. It is not tried again by itself. the address is",
    ]
    places = [page.index(each) for each in told]
    assert places == sorted(places)
    assert "Not at Fake: needs you. the address is refused" in page
    assert award.events[0]["id"] in page


def test_an_award_that_goes_nowhere_says_so(client: Client, ada: Any, statistics: BadgeTemplate, site: Any) -> None:
    BadgeTemplate.objects.filter(pk=statistics.pk).update(origin="gone")
    statistics.refresh_from_db()
    statistics.save()
    send_passing(ada)
    page = story(client, award_of(ada, statistics))
    assert "This badge is not sent to a provider." in page
    assert "Awarded. The badge asks for this: Pass" in page


def test_a_penalty_is_told_with_its_reason_and_the_next_award_has_its_number(
    client: Client, ada: Any, statistics: BadgeTemplate
) -> None:
    send_passing(ada, minute=1)
    send_passing(ada, minute=2, is_passing=False)
    send_passing(ada, minute=3)
    first, second = BadgeAward.objects.order_by("number")
    page = story(client, first)
    # What came later said something else of the course.
    assert page.index(f"Passed {COURSE}.") < page.index("Awarded. The badge asks for this")
    assert "Course passing status updated" not in page
    assert "Revoked by a penalty." in page
    assert "Ada Lovelace had Statistics from Jan. 1, 2026 to Jan. 1, 2026." in page
    assert f"The grade in the course {COURSE} dropped below passing." in page
    assert first.ending_facts["event"]["id"] in page
    assert "Award number 2 of this badge to this learner." in story(client, second)


def test_what_staff_did_is_told_with_who_and_when(
    client: Client, ada: Any, badge: BadgeTemplate, provider: Provider
) -> None:
    award = earn(ada, badge)
    deliver()
    staff = make_user(username="okafor", full_name="J. Okafor")
    api.revoke_award(award, reason="Copied the exam.")
    delivery = award.deliveries.get(action="issue")
    for row, text in ((award, "Revoked: Copied the exam."), (delivery, "Tried again.")):
        LogEntry.objects.create(
            user=staff,
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr="",
            action_flag=CHANGE,
            change_message=text,
        )
    page = story(client, award)
    assert "Revoked by staff. Copied the exam." in page
    assert "J. Okafor: Revoked: Copied the exam." in page
    assert "J. Okafor: Tried again." in page
    assert "Waiting to be revoked at Fake" in page
    deliver()
    assert "Revoked at Fake" in story(client, award)


def test_of_many_attempts_the_latest_are_told(
    client: Client, ada: Any, badge: BadgeTemplate, provider: Provider, lower: Lower
) -> None:
    lower("badges_plugin.distribution.telling", LATEST_ATTEMPTS=2)
    award = earn(ada, badge)
    provider.before = [TransientFailure(f"no answer {number}", ambiguous=False) for number in range(3)]
    deliver()
    page = story(client, award)
    assert "2 earlier attempts at Fake" in page
    assert "no answer 1" not in page
    assert "no answer 2" in page
    assert "Delivered to Fake." in page


def test_a_rejected_key_puts_a_delivery_on_hold(
    client: Client, ada: Any, badge: BadgeTemplate, provider: Provider
) -> None:
    award = earn(ada, badge)
    provider.before = [RejectedKey("the key is wrong")]
    deliver()
    page = story(client, award)
    assert "On hold: the account at Fake cannot be used now" in page
    assert "the key is wrong" in page
    assert "Next attempt" not in page


def test_deliveries_are_for_those_who_may_see_them(
    client: Client, ada: Any, badge: BadgeTemplate, provider: Provider
) -> None:
    award = earn(ada, badge)
    page = story(as_user(staff_who_may(*MAY_SEE)), award)
    assert "Fake" not in page
    assert "not sent to a provider" not in page
    assert "Fake" in story(as_user(staff_who_may(*MAY_SEE, "view_delivery")), award)


def test_an_erased_learner_is_not_named(client: Client, ada: Any, badge: BadgeTemplate) -> None:
    award = earn(ada, badge)
    ada.username = "retired__user_0123456789"
    ada.save()
    page = story(client, award)
    assert "Erased learner has Logic and Proof since" in page
    assert "Lovelace" not in page


def test_a_failed_delivery_is_tried_again_where_the_reason_is_read(
    client: Client, ada: Any, badge: BadgeTemplate, provider: Provider
) -> None:
    award = earn(ada, badge)
    provider.before = [PermanentFailure("the address is refused")]
    deliver()
    address = reverse("badges_web:desk_award", args=[award.pk])
    page = client.get(address).content.decode()
    delivery = award.deliveries.get()
    again = reverse("admin:badges_distribution_delivery_try_again")
    assert f'action="{again}?next=' in page
    assert "csrfmiddlewaretoken" in page.partition(again)[2].partition("</form>")[0]
    assert reverse("admin:badges_distribution_delivery_give_up") in page
    assert f"{reverse('admin:badges_plugin_badgeaward_revoke')}?id={award.pk}" in page

    answer = client.post(f"{again}?next={address}", {"id": delivery.pk})
    assert answer.headers["Location"] == address
    deliver()
    page = story(client, award)
    assert "J. Okafor: Tried again." in page
    assert "Delivered to Fake." in page
    assert "Try again now" not in page

    onlooker = as_user(staff_who_may(*MAY_SEE, "view_delivery"))
    assert "Try again now" not in onlooker.get(address).content.decode()


def test_a_badge_given_by_hand_says_who_gave_it_and_why(client: Client, ada: Any, badge: BadgeTemplate) -> None:
    staff = make_user(full_name="M. Ortiz")
    award = api.award_by_hand(badge, ada, reason="Spring school", given_by=staff)
    assert award is not None
    page = story(client, award)
    assert "Awarded by hand. Given by M. Ortiz: “Spring school”. First award of this badge to this learner." in page
    learner = words(client.get(reverse("badges_web:desk_learner", args=[ada.pk])))
    assert "Given by M. Ortiz: “Spring school”." in learner


def test_a_corrected_name_is_sent_from_the_story(
    client: Client, ada: Any, badge: BadgeTemplate, provider: Provider
) -> None:
    award = earn(ada, badge)
    deliver()
    address = reverse("badges_web:desk_award", args=[award.pk])
    assert "Send the corrected name…" not in story(client, award)
    vars(registry.get("fake"))["name_correction"] = "The badge keeps its address."
    question = f"{reverse('admin:badges_plugin_badgeaward_send_name')}?id={award.pk}"
    page = client.get(address).content.decode()
    assert f'href="{question}&amp;next=' in page
    assert client.get(f"{question}&next={address}").status_code == 200


def test_an_award_whose_deliveries_were_deleted_is_not_said_to_stay_here(
    client: Client, ada: Any, badge: BadgeTemplate
) -> None:
    award = earn(ada, badge)
    award.deliveries.all().delete()
    page = story(client, award)
    assert "This badge is not sent to a provider." not in page
    assert "No delivery of this badge is on record" in page


def test_what_was_given_up_is_offered_again_only_while_it_can_be(
    client: Client, ada: Any, badge: BadgeTemplate, provider: Provider
) -> None:
    award = earn(ada, badge)
    provider.before = [PermanentFailure("the address is refused")]
    deliver()
    deciding.give_up([award.deliveries.get().pk], by=make_user(), because="x")
    assert "Take it up again" in story(client, award)
    BadgeAward.objects.filter(pk=award.pk).update(revoked_at=timezone.now(), ended_by=api.Ending.BY_HAND)
    assert "Take it up again" not in story(client, award)


def test_nobody_whose_account_is_gone_is_named(client: Client, ada: Any, badge: BadgeTemplate) -> None:
    award = earn(ada, badge)
    gone = make_user(username="retired__user_1", full_name="Grace Hopper", is_staff=True)
    giver = make_user(username="giver", full_name="Alan Turing")
    bob = make_user()
    api.award_by_hand(badge, bob, reason="Essay", given_by=giver)
    type(giver).objects.filter(pk=giver.pk).update(username="retired__user_2")
    kind = ContentType.objects.get_for_model(BadgeAward)
    LogEntry.objects.create(
        user=gone, content_type=kind, object_id=str(award.pk), action_flag=CHANGE, change_message="Seen"
    )
    api.revoke_award(award, reason="Copied", by=gone)
    page = story(client, award)
    assert "Somebody whose account is gone: Seen" in page
    assert "Hopper" not in page
    page = story(client, award_of(bob, badge))
    assert "Given by hand: “Essay”." in page
    assert "Turing" not in page
    assert reading.corrections([award.progress_id])[award.progress_id][0].text.startswith("Revoked by staff on ")
