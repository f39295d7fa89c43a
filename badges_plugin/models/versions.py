"""The version of the configuration, and the trail of what changed.

The version is a random number in one row. Each change writes a new one in the same transaction, and the templates that
it concerns into the trail. Random, not counted up: a number that was rolled back and given to somebody else's change
would look unchanged. An integer, not a UUID: every database returns it as it is, so it is read without the ORM.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from django.db import connection, models, transaction

MAX_NAMED = 500
"""How many templates one change names at most; one of more concerns all."""
KEPT_CHANGES = 2000
"""Rows of the trail that are kept. A process that knows none of them compiles everything."""
_PRUNED_AT_ONCE = 1000
_PRUNED_ONCE_IN = 50


def new_token() -> int:
    return secrets.randbits(62)


class RulesetVersion(models.Model):
    """One row, with primary key 1.

    .. no_pii: This model has no PII.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    token = models.BigIntegerField(default=new_token)

    def __str__(self) -> str:
        return str(self.token)

    @classmethod
    def current(cls) -> int | None:
        """Return the token, or None while nothing was ever configured. One query."""
        # Asked for each batch of events: a plain cursor takes a fifth of the time of the ORM.
        with connection.cursor() as cursor:
            cursor.execute(*_question())
            row = cursor.fetchone()
        return int(row[0]) if row else None

    @classmethod
    def hold(cls) -> None:
        """Wait until nobody else changes the configuration, and keep it so until the end of the transaction."""
        list(cls.objects.select_for_update().filter(pk=1).values_list("pk"))

    @classmethod
    def renew(cls, template_ids: Collection[int] | None = None) -> None:
        """Let every process know of a change once the running transaction is committed.

        ``template_ids``: the only templates that it concerns, without any it was none; None: it may be every one.
        """
        if template_ids is not None and not template_ids:
            return
        named: Sequence[int | None] = [None]
        if template_ids is not None and len(template_ids) <= MAX_NAMED:
            named = sorted(template_ids)
        token = new_token()
        with transaction.atomic(savepoint=False):
            # The row first: whoever has it writes into the trail, so that ids are in the order of the commits.
            if not cls.objects.filter(pk=1).update(token=token):
                cls.objects.update_or_create(pk=1, defaults={"token": token})
            RulesetChange.objects.bulk_create(RulesetChange(token=token, template_id=pk) for pk in named)
            if token % _PRUNED_ONCE_IN < len(named):  # the more was written, the likelier
                RulesetChange.prune()


class RulesetChange(models.Model):
    """One template that a change of the configuration concerned.

    .. no_pii: This model has no PII.
    """

    id = models.BigAutoField(primary_key=True)
    token = models.BigIntegerField(db_index=True)
    # No foreign key: the template may be the one that was deleted.
    template_id = models.IntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.token}: {self.template_id}"

    @classmethod
    def since(cls, token: int) -> frozenset[int] | None:
        """Return the templates that changed after a version; None when that is not known. Two queries."""
        known = cls.objects.filter(token=token).order_by("-pk").values_list("pk", flat=True).first()
        if known is None:
            return None
        rows = dict(cls.objects.filter(pk__gte=known).values_list("pk", "template_id"))
        if known not in rows:  # pruned since the first question, and perhaps more than that
            return None
        del rows[known]
        changed = frozenset(pk for pk in rows.values() if pk is not None)
        return changed if None not in rows.values() else None

    @classmethod
    def prune(cls) -> None:
        """Delete the oldest rows, some at a time."""
        last = cls.objects.order_by("-pk").values_list("pk", flat=True)[KEPT_CHANGES : KEPT_CHANGES + 1]
        for pk in list(last):
            old = cls.objects.filter(pk__lte=pk).order_by("pk").values_list("pk", flat=True)[:_PRUNED_AT_ONCE]
            cls.objects.filter(pk__in=list(old)).delete()


@cache
def _question() -> tuple[str, tuple[Any, ...]]:
    return RulesetVersion.objects.filter(pk=1).values_list("token").query.sql_with_params()
