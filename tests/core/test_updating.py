"""Rows that are updated together: by one statement, whatever differs between them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from badges_plugin import bulk
from badges_plugin.models import BadgeProgress, BadgeTemplate, Fulfillment
from badges_plugin.updating import update, update_columns, update_those_there
from tests.factories import make_template, make_user, requires_course

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 3, 29, 1, 30, 0, 5, tzinfo=UTC)


def fulfillments(count: int) -> list[Fulfillment]:
    template = make_template()
    requirement = requires_course(template)
    for number in range(count):
        Fulfillment.objects.create(
            progress=BadgeProgress.objects.create(user=make_user(), template=template),
            requirement=requirement,
            is_fulfilled=True,
            event_id=uuid.uuid4(),
            event_type="x",
            event_time=MOMENT + timedelta(days=number),
        )
    return stored()


def stored() -> list[Fulfillment]:
    return list(Fulfillment.objects.order_by("pk"))


def told(rows: list[Fulfillment]) -> list[dict[str, object]]:
    return [{field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields} for row in rows]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_each_row_gets_what_is_its_own_in_one_statement(count: int) -> None:
    rows = fulfillments(count)
    texts = ["it's", '%s "quoted" \\ %', ""]
    for number, row in enumerate(rows):
        row.event_id, row.event_time = uuid.uuid4(), MOMENT - timedelta(seconds=number)
        row.is_fulfilled, row.grade, row.value = number == 1, texts[number], "naïve"
        row.times, row.since = [texts[number]] * number, MOMENT if number else None
        row.reset_id = uuid.uuid4()
    names = ["is_fulfilled", "grade", "value", "times", "since", "event_id", "event_time", "reset_id", "reset_time"]
    with CaptureQueriesContext(connection) as queries:
        update(rows, names)
    assert told(stored()) == told(rows)
    assert len(queries) == min(count, 1)


def test_what_is_the_same_for_all_is_written_for_all() -> None:
    rows = fulfillments(3)
    for row in rows:
        row.event_type, row.since, row.times = "it's %s", MOMENT, ["a"]
    update(rows, ["event_type", "since", "times"])
    assert told(stored()) == told(rows)


def test_only_the_named_fields_and_rows_are_written() -> None:
    rows = fulfillments(3)
    before = told(rows)
    for row in rows:
        row.grade, row.event_type = "0.5", "another"
    update(rows[:2], ["grade"])
    assert told(stored()) == [{**before[0], "grade": "0.5"}, {**before[1], "grade": "0.5"}, before[2]]


def test_what_differs_and_what_does_not_makes_no_difference_to_rows_without_instances() -> None:
    rows = fulfillments(2)
    names = [field.attname for field in Fulfillment._meta.concrete_fields]
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    update_columns(Fulfillment, {**columns, "grade": ["1", "2"], "event_type": ["y", "y"]}, ["grade", "event_type"])
    assert [(row.grade, row.event_type) for row in stored()] == [("1", "y"), ("2", "y")]


def test_what_was_there_before_may_be_written_again() -> None:
    rows = fulfillments(2)
    update(rows, ["grade", "event_time"])
    assert told(stored()) == told(rows)


def test_rows_with_long_texts_take_several_statements() -> None:
    """One statement would not fit what MySQL takes at once: it would hang up."""
    rows = [make_template() for _ in range(3)]
    for number, row in enumerate(rows):
        row.description = str(number) * (bulk.MAX_LENGTH // 2 + 1)
    with CaptureQueriesContext(connection) as queries:
        update(rows, ["description"])
    assert len(queries) == 3
    found = BadgeTemplate.objects.in_bulk([row.pk for row in rows])
    assert [found[row.pk].description for row in rows] == [row.description for row in rows]


def test_a_row_whose_requirement_is_gone_is_refused() -> None:
    rows = fulfillments(2)
    # Of two, since one of them may be written in another way.
    Fulfillment.objects.filter(pk=rows[1].pk).delete()
    BadgeProgress.objects.filter(pk=rows[1].progress_id).delete()
    for row in rows:
        row.grade = str(row.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        _update_and_check(rows, "grade")


@pytest.mark.parametrize("grades", [["0.1", "0.2", "0.3", "0.4"], ["it's %s"] * 4, [""] * 4])
def test_what_is_gone_is_left_out_of_those_that_are_there(grades: list[str]) -> None:
    rows = fulfillments(4)
    before = told(rows)
    rows[2].delete()
    with CaptureQueriesContext(connection) as queries:
        update_those_there(Fulfillment, {"id": [row["id"] for row in before], "grade": grades}, ["grade"])
    assert len(queries) == 1
    left = [{**row, "grade": grade} for row, grade in zip(before, grades, strict=True)]
    assert told(stored()) == [*left[:2], left[3]]


def test_updating_none_of_those_that_are_there_costs_nothing() -> None:
    with CaptureQueriesContext(connection) as queries:
        update_those_there(Fulfillment, {"id": [], "grade": []}, ["grade"])
    assert not queries


def _update_and_check(rows: list[Fulfillment], name: str) -> None:
    update(rows, [name])
    # SQLite would ask for foreign keys at the end of the transaction.
    connection.check_constraints()


@pytest.mark.mysql
@pytest.mark.parametrize("count", [1, 3])
def test_no_other_rows_are_read_and_locked(count: int) -> None:
    """MySQL takes a table that has just been filled for an empty one, and would rather read all of it."""
    rows = fulfillments(5)
    for row in rows:
        row.grade = str(row.pk)
    with CaptureQueriesContext(connection) as queries:
        update(rows[:count], ["grade"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN FORMAT=TRADITIONAL {queries[0]['sql']}")
        names = [column for column, *_ in cursor.description]
        plan = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    [step] = [step for step in plan if step["table"] == Fulfillment._meta.db_table]
    assert (step["key"], str(step["rows"])) == ("PRIMARY", "1"), plan
