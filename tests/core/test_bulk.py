"""Rows that are written together: they have their keys afterwards, and cost a fixed number of statements."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.db import IntegrityError, connection
from django.db.models.signals import post_init
from django.test.utils import CaptureQueriesContext

from badges_plugin import bulk, instances
from badges_plugin.distribution.credly.models import CredlyBadge
from badges_plugin.host import AWARDED, UserCredential
from badges_plugin.models import BadgeProgress, BadgeTemplate
from tests.factories import make_template, make_user

pytestmark = pytest.mark.django_db


def new_progress(count: int) -> list[BadgeProgress]:
    template = make_template()
    return [BadgeProgress(user_id=make_user().pk, template_id=template.pk) for _ in range(count)]


def by_key(rows: Sequence[BadgeProgress]) -> dict[int, int]:
    stored = BadgeProgress.objects.filter(pk__in=[row.pk for row in rows])
    return dict(stored.values_list("pk", "user_id"))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_inserted_rows_have_their_own_keys(count: int) -> None:
    rows = new_progress(count)
    bulk.insert(rows, by=("user_id", "template_id"))
    assert by_key(rows) == {row.pk: row.user_id for row in rows}
    assert len({row.pk for row in rows}) == count


@pytest.mark.mysql
def test_where_servers_take_turns_with_keys_each_row_has_its_own() -> None:
    """As in a cluster, each of whose servers leaves out the keys of the others."""
    rows = new_progress(3)
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION auto_increment_increment = 3")
        try:
            bulk.insert(rows, by=("user_id", "template_id"))
        finally:
            cursor.execute("SET SESSION auto_increment_increment = 1")
    assert by_key(rows) == {row.pk: row.user_id for row in rows}
    assert rows[1].pk == rows[0].pk + 3


def test_inserting_costs_as_much_for_many_rows_as_for_few_and_one_statement_for_one() -> None:
    costs = []
    for count in (1, 2, 50):
        rows = new_progress(count)
        with CaptureQueriesContext(connection) as queries:
            bulk.insert(rows, by=("user_id", "template_id"))
        costs.append(len(queries))
    assert costs[0] == 1
    assert costs[1] == costs[2]


def test_rows_with_long_texts_take_several_statements() -> None:
    """One statement would not fit what MySQL takes at once: it would hang up."""
    site, long = make_template().site, "x" * (bulk.MAX_LENGTH // 2 + 1)
    texts = ["", long, long, "", long + long]
    rows = [BadgeTemplate(site=site, name=f"Long {n}", description=text) for n, text in enumerate(texts)]
    with CaptureQueriesContext(connection) as queries:
        bulk.insert_rows(rows)
    assert len(queries) == 3
    stored = BadgeTemplate.objects.filter(name__startswith="Long ").order_by("name")
    assert [len(row.description) for row in stored] == [len(text) for text in texts]


def test_what_is_not_unique_is_refused() -> None:
    rows = new_progress(1)
    bulk.insert(rows, by=("user_id", "template_id"))
    again = BadgeProgress(user_id=rows[0].user_id, template_id=rows[0].template_id)
    with pytest.raises(IntegrityError):
        bulk.insert([again], by=("user_id", "template_id"))


def test_inserting_nothing_costs_nothing() -> None:
    with CaptureQueriesContext(connection) as queries:
        bulk.insert([], by=())
        bulk.insert_rows([])
    assert not queries


def test_instances_are_as_the_model_makes_them() -> None:
    template, user = make_template(), make_user()
    (made,) = instances.make(BadgeProgress, 1, {"user_id": [user.pk], "template_id": [template.pk]})
    called = BadgeProgress(user_id=user.pk, template_id=template.pk)
    assert {**vars(made), "_state": None} == {**vars(called), "_state": None}
    assert (made._state.adding, made._state.db) == (called._state.adding, called._state.db)
    assert (made.user, made.template) == (user, template)
    made.user = other = make_user()
    assert made.user_id == other.pk
    made.save()
    assert BadgeProgress.objects.get().user == other


def test_who_hears_of_instances_that_are_made_hears_of_these() -> None:
    heard: list[object] = []

    def hear(instance: BadgeProgress, **said: object) -> None:
        heard.append(instance.user_id)

    post_init.connect(hear, sender=BadgeProgress)
    try:
        instances.make(BadgeProgress, 2, {"user_id": [1, 2], "template_id": [3, 3]})
    finally:
        post_init.disconnect(hear, sender=BadgeProgress)
    assert heard == [1, 2]


def test_children_are_inserted_beside_their_parents() -> None:
    template = make_template()
    names = [make_user().username for _ in range(3)]
    parents = [UserCredential.objects.create(username=name, credential=template, status=AWARDED) for name in names]
    children = [CredlyBadge(usercredential_ptr=parent) for parent in parents]
    with CaptureQueriesContext(connection) as queries:
        bulk.insert_rows(children)
    assert len(queries) == 1
    stored = CredlyBadge.objects.order_by("pk")
    assert [(badge.pk, badge.username) for badge in stored] == [(row.pk, row.username) for row in parents]
