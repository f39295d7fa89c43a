"""Awards and revocations of many learners and badges at once: as one by one, in a fixed number of statements."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext

from badges_plugin import api, updating
from badges_plugin.distribution.credly.models import CredlyBadge, CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.host import AWARDED, REVOKED, User, UserCredential
from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.signals import badge_awarded, badges_awarded, badges_revoked
from tests.core.conftest import Commit
from tests.factories import (
    COURSE,
    PASSING,
    at,
    make_template,
    make_user,
    metadata,
    passing_data,
    penalizes_failing,
    requires_course,
    send_passing,
    user_data,
)

pytestmark = pytest.mark.django_db

TABLES = [model._meta.db_table for model in (BadgeAward, UserCredential, CredlyBadge, Delivery, Channel)]


def event(user: User, *, minute: float = 0, is_passing: bool = True, **described: Any) -> api.BadgingEvent:
    data = passing_data(user_data(user, **described), is_passing=is_passing)
    return api.read_event(PASSING, metadata(time=at(minute)), {"course_passing_status": data})


def own_template() -> BadgeTemplate:
    return make_template()


def credly_template() -> BadgeTemplate:
    organization, _ = CredlyOrganization.objects.get_or_create(uuid=uuid.UUID(int=7), defaults={"name": "Organization"})
    template = CredlyBadgeTemplate(site=make_template(is_active=False).site, name="At Credly", state="active")
    template.organization, template.is_active = organization, True
    template.save()
    return template


def templates(make: Callable[[], BadgeTemplate], count: int) -> None:
    """Set up badges for passing the course, which failing it takes away; other badges are not active any more."""
    BadgeTemplate.objects.update(is_active=False)
    for _ in range(count):
        template = make()
        penalizes_failing(template, requires_course(template))


def statements(work: Callable[[], object]) -> list[str]:
    """Return the statements about what follows from progress, without those that find the progress."""
    ContentType.objects.get_for_model(BadgeTemplate)
    with CaptureQueriesContext(connection) as queries:
        work()
    found = [query["sql"] for query in queries.captured_queries]
    return [sql for sql in found if any(table in sql for table in TABLES) and "fulfillment" not in sql]


def warm_up(commit: Commit) -> None:
    """Let this process learn what it keeps: the accounts of templates and the keys of channels."""
    with commit():
        send_passing(make_user())


@pytest.mark.parametrize(("make", "at_most"), [(own_template, 4), (credly_template, 6)])
def test_awarding_costs_the_same_for_5_and_50_learners(make: Any, at_most: int, commit: Commit) -> None:
    costs = {}
    templates(make, 1)
    warm_up(commit)
    for count in (1, 5, 50):
        events = [event(make_user()) for _ in range(count)]

        def award(events: Sequence[api.BadgingEvent] = events) -> None:
            with commit():
                api.process_batch(events)

        costs[count] = statements(award)
        assert BadgeAward.objects.exclude(published_at=None).count() == BadgeAward.objects.count()
    assert len(costs[1]) <= at_most, costs[1]
    # MySQL does not return the keys of several rows: those of credentials and awards are asked for.
    more = 0 if connection.features.can_return_rows_from_bulk_insert else 2
    assert len(costs[5]) == len(costs[50]) == len(costs[1]) + more, costs[50]
    assert UserCredential.objects.filter(status=AWARDED).count() == 57
    assert Delivery.objects.count() == CredlyBadge.objects.count() == (57 if make is credly_template else 0)


@pytest.mark.parametrize("make", [own_template, credly_template])
def test_revoking_and_awarding_again_cost_the_same_for_5_and_50_learners(make: Any, commit: Commit) -> None:
    costs: dict[int, tuple[int, int]] = {}
    templates(make, 1)
    warm_up(commit)
    for count in (5, 50):
        users = [make_user() for _ in range(count)]
        api.process_batch([event(user) for user in users])
        # The badges arrived.
        Delivery.objects.update(state="done", external_id=uuid.uuid4())

        def process(minute: int, is_passing: bool, users: Sequence[User] = users) -> None:
            with commit():
                api.process_batch([event(user, minute=minute, is_passing=is_passing) for user in users])

        costs[count] = (
            len(statements(lambda: process(1, is_passing=False))),
            len(statements(lambda: process(2, is_passing=True))),
        )
        awards = BadgeAward.objects.filter(progress__user__in=users)
        assert awards.filter(number=1, revoked_at=at(1)).count() == awards.filter(number=2).count() == count
        assert set(awards.values_list("credential__status", flat=True)) == {AWARDED}
        assert awards.filter(number=2, credential__username="").count() == 0
    assert costs[5] == costs[50], costs


@pytest.mark.parametrize("make", [own_template, credly_template])
def test_one_event_costs_the_same_for_2_and_30_badges(make: Any, commit: Commit) -> None:
    costs = {}
    for count in (2, 30):
        templates(make, count)
        warm_up(commit)

        def award() -> None:
            with commit():
                send_passing(make_user())

        costs[count] = len(statements(award))
    assert costs[2] == costs[30], costs


@pytest.fixture
def saved() -> Iterator[list[tuple[bool, str]]]:
    """What the host hears of credentials: whether each is new, and its status in the database."""
    heard: list[tuple[bool, str]] = []

    def hear(instance: UserCredential, created: bool, raw: bool, using: str, update_fields: Any, **kw: Any) -> None:
        assert (raw, using, update_fields, connection.in_atomic_block) == (False, "default", None, True)
        assert not instance._state.adding
        stored = UserCredential.objects.get(pk=instance.pk)
        assert (stored.modified, stored.status) == (instance.modified, instance.status)
        heard.append((created, stored.status))

    post_save.connect(hear, sender=UserCredential)
    yield heard
    post_save.disconnect(hear, sender=UserCredential)


@pytest.mark.parametrize("count", [1, 3])
def test_the_host_hears_once_of_every_credential_that_is_made_or_changed(count: int, saved: Any) -> None:
    templates(own_template, 1)
    users = [make_user() for _ in range(count)]
    for minute, is_passing in enumerate([True, False, True]):
        api.process_batch([event(user, minute=minute, is_passing=is_passing) for user in users])
    assert saved == [(True, AWARDED)] * count + [(False, REVOKED)] * count + [(False, AWARDED)] * count


def test_the_host_can_undo_the_awards_of_all() -> None:
    templates(own_template, 1)

    def refuse(instance: UserCredential, **kwargs: Any) -> None:
        if instance.username == second.username:
            raise RuntimeError("no")

    first, second = make_user(), make_user()
    post_save.connect(refuse, sender=UserCredential)
    try:
        with pytest.raises(RuntimeError):
            api.process_batch([event(first), event(second)])
    finally:
        post_save.disconnect(refuse, sender=UserCredential)
    assert (BadgeAward.objects.count(), UserCredential.objects.count()) == (0, 0)


def test_awards_end_in_the_order_in_which_the_outbox_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a process that notes what it has published, and holds no learners, would wait the wrong way round."""
    templates(own_template, 1)
    users = [make_user() for _ in range(3)]
    for user in reversed(users):
        api.process_event(event(user))
    written: list[int] = []
    write = updating.update

    def note(rows: Sequence[Any], fields: Sequence[str]) -> None:
        written.extend(row.pk for row in rows if isinstance(row, BadgeAward))
        write(rows, fields)

    monkeypatch.setattr(updating, "update", note)
    api.process_batch([event(user, minute=1, is_passing=False) for user in users])
    assert len(written) == 3
    assert written == sorted(written)


def test_receivers_hear_of_each_award_and_then_of_all() -> None:
    templates(own_template, 2)
    heard: list[Any] = []

    def one(award: BadgeAward, **kwargs: Any) -> None:
        heard.append(award.pk)

    def many(awards: list[BadgeAward], **kwargs: Any) -> None:
        heard.append([award.pk for award in awards])

    connections: list[tuple[Any, Any]] = [(badge_awarded, one), (badges_awarded, many), (badges_revoked, many)]
    for signal, receiver in connections:
        signal.connect(receiver)
    users = [make_user(), make_user()]
    api.process_batch([event(user) for user in reversed(users)])
    api.process_batch([event(user, minute=1, is_passing=False) for user in users])
    for signal, receiver in connections:
        signal.disconnect(receiver)
    # In the order of learners and badges, whatever the order of the events.
    keys = list(BadgeAward.objects.order_by("progress__user", "progress__template").values_list("pk", flat=True))
    assert heard == [*keys, keys, keys]


def test_a_credential_in_the_way_is_given_back_and_the_others_get_theirs() -> None:
    templates(own_template, 2)
    renamed = make_user(username="x")
    send_passing(renamed)
    User.objects.filter(pk=renamed.pk).update(username="y")  # as staff do, which leaves the credentials behind
    taker, other = make_user(username="x"), make_user(username="z")
    api.process_batch([event(taker), event(other)])
    awards = BadgeAward.objects.select_related("credential", "progress__user")
    assert len(awards) == 6
    for award in awards:
        assert (award.credential.username, award.credential.status) == (award.user.username, AWARDED)
        assert award.credential.credential_id == award.template.pk


def test_learners_who_swapped_names_get_their_own_credentials_again() -> None:
    templates(own_template, 1)
    users = [make_user(username=name) for name in ("x", "y")]
    api.process_batch([event(user) for user in users])
    api.process_batch([event(user, minute=1, is_passing=False) for user in users])
    for user, name in zip(users, ("on-the-way", "x"), strict=True):
        User.objects.filter(pk=user.pk).update(username=name)
    User.objects.filter(pk=users[0].pk).update(username="y")
    api.process_batch([event(User.objects.get(pk=user.pk), minute=2) for user in users])
    for award in BadgeAward.objects.filter(number=2).select_related("credential", "progress__user"):
        assert (award.credential.username, award.credential.status) == (award.user.username, AWARDED)


def test_a_learner_who_is_told_of_in_two_ways_ends_as_one_by_one() -> None:
    templates(own_template, 1)
    user = make_user()
    send_passing(user, "course-v1:Warm+Up+1")
    passed, failed = event(user), event(user, minute=1, is_passing=False, id=None)
    api.process_batch([passed, failed])
    award = BadgeAward.objects.get()
    assert (award.revoked_at, award.credential.status) == (at(1), REVOKED)
    assert COURSE in str(award.ending_facts)
