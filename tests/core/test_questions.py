"""Queries that are compiled once, and values that are written as they stand: the same as by the ORM."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from badges_plugin import bulk, instances
from badges_plugin.host import User
from badges_plugin.models import BadgeProgress, Fulfillment
from badges_plugin.questions import Question
from tests.factories import make_template, make_user, requires_course

pytestmark = pytest.mark.django_db


def progresses(users: Collection[int], templates: Collection[int]) -> QuerySet[BadgeProgress, Any]:
    found = BadgeProgress.objects.filter(user__in=users, template__in=templates)
    return found.order_by("pk").values_list("pk", "user_id", "template_id", "counts_from")


def test_lists_are_told_apart_whatever_the_order_of_the_statement() -> None:
    users, templates = [make_user() for _ in range(3)], [make_template() for _ in range(2)]
    for user in users:
        for template in templates:
            BadgeProgress.objects.create(user=user, template=template, counts_from=datetime(2026, 1, 2, 3, tzinfo=UTC))
    question = Question(progresses)
    for user_ids, template_ids in [
        ([users[0].pk, users[2].pk], [templates[1].pk]),
        ([users[1].pk], [template.pk for template in templates]),
        ([users[1].pk], [10_000]),
        ([], [templates[0].pk]),
    ]:
        with CaptureQueriesContext(connection) as queries:
            found = question.ask(user_ids, template_ids)
        assert list(found) == list(progresses(user_ids, template_ids))
        assert len(queries) == 1


def test_text_is_never_a_part_of_the_statement() -> None:
    names = ["o'brien", 'd"arc', "100%", "%s", "back\\slash", "naïve", "plain"]
    for name in names:
        make_user(username=name)
    question = Question(lambda keys: User.objects.filter(username__in=keys).order_by("pk").values_list("username"))
    assert [name for (name,) in question.ask([*names, "nobody"])] == names


@pytest.mark.parametrize(
    "make",
    [
        lambda keys: User.objects.filter(pk__in=keys, username="ada").values_list("pk"),
        lambda keys: User.objects.filter(pk=keys[0]).values_list("pk"),
        lambda keys, others: User.objects.filter(pk__in=keys).values_list("pk"),
    ],
)
def test_a_question_that_is_not_about_lists_alone_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="Not every list"):
        Question(make).ask([1], [2])


@pytest.mark.parametrize(
    "moments",
    [
        [None],
        [datetime(2026, 1, 2, 3, tzinfo=UTC), None],
        [datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), datetime(1000, 1, 1, tzinfo=UTC)],
        [datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)],
    ],
)
def test_times_are_those_of_the_orm(moments: list[datetime | None]) -> None:
    template = make_template()
    progress = [BadgeProgress(user=make_user(), template=template, counts_from=moment) for moment in moments]
    BadgeProgress.objects.bulk_create(progress)
    found = Question(progresses).ask([each.user_id for each in progress], [template.pk])
    assert [moment for *_, moment in found] == moments
    assert {moment.tzinfo for *_, moment in found if moment} <= {UTC}
    # Other queries of the connection get what they always get.
    with connection.cursor() as cursor:
        cursor.execute("SELECT counts_from FROM badges_plugin_badgeprogress WHERE template_id = %s", [template.pk])
        have_zones = {moment.tzinfo is not None for (moment,) in cursor.fetchall() if isinstance(moment, datetime)}
    assert have_zones <= {connection.vendor == "postgresql"}


MOMENT = datetime(2026, 3, 29, 1, 30, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"event_time": MOMENT.astimezone(ZoneInfo("Europe/Berlin")), "since": MOMENT - timedelta(days=20_000)},
        {"reset_time": MOMENT.astimezone(timezone(timedelta(hours=-9, minutes=-30))), "reset_id": uuid.uuid4()},
        {"value": "'); DROP TABLE x; -- %s %% \\", "event_type": "\"quoted\" 'type'", "made_under": "ünïcode"},
        {"times": ["2026-01-01T00:00:00+00:00", "it's"], "is_fulfilled": False},
    ],
)
@pytest.mark.parametrize("count", [1, 2])
def test_values_are_written_as_the_orm_writes_them(values: dict[str, Any], count: int) -> None:
    template = make_template()
    progress = BadgeProgress.objects.create(user=make_user(), template=template)
    said = {
        "progress": progress, "requirement": requires_course(template), "is_fulfilled": True, "event_id": uuid.uuid4(),
        "event_type": "x", "event_time": MOMENT, **values,
    }  # fmt: skip
    Fulfillment.objects.create(**said, value_key="saved")
    bulk.insert_rows([Fulfillment(**said, value_key=f"written {number}") for number in range(count)])
    names = [field.attname for field in Fulfillment._meta.concrete_fields if field.attname not in {"id", "value_key"}]
    saved, *written = Fulfillment.objects.order_by("value_key").values_list(*names)
    assert written == [saved] * count


def test_rows_that_nobody_needs_as_instances_are_written_by_column() -> None:
    template, users = make_template(), [make_user() for _ in range(3)]
    columns: dict[str, list[object]] = {
        "user_id": [user.pk for user in users],
        "template_id": [template.pk] * 3,
        "counts_from": [MOMENT, None, MOMENT],
    }
    new = instances.make(BadgeProgress, 3, columns)
    instances.relate(new, "user", users)
    bulk.insert(new, by=("user_id", "template_id"))
    assert list(BadgeProgress.objects.order_by("pk").values_list("pk", "user_id", "counts_from")) == [
        (row.pk, row.user.pk, row.counts_from) for row in new
    ]
    later = [MOMENT + timedelta(days=1)] * 3
    keys = [row.pk for row in new]
    again: dict[str, list[object]] = {
        "id": [*keys, keys[-1] + 1],
        "user_id": [*columns["user_id"], users[0].pk],
        "template_id": [*columns["template_id"], make_template().pk],
        "counts_from": [*later, MOMENT],
    }
    bulk.insert_or_update_columns(BadgeProgress, again, ["counts_from"])
    assert list(BadgeProgress.objects.order_by("pk").values_list("counts_from", flat=True)) == [*later, MOMENT]
