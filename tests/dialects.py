"""Find statements that the database of this run accepts and that MySQL, which most sites have, refuses.

``watch`` examines every statement of every test, so that a run on SQLite finds them, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.db.backends.signals import connection_created

# Django quotes every name: in backticks for MySQL.
_CHANGED = re.compile(r'\s*(UPDATE|DELETE FROM)\s+["`]([^"`]+)["`]')
_LIMIT_IN_A_LIST = re.compile(r"\bIN \(SELECT [^()]*(?:\([^()]*\)[^()]*)*\bLIMIT \d+\)")
_OWN_CONFLICT_TARGET = re.compile(r"\bON CONFLICT\s*\((.*?)\)\s*DO UPDATE\b", re.DOTALL)
# A single column: ``badges_plugin.bulk``, which names the primary key only where the database understands it.
_PRIMARY_KEY = re.compile(r'"\w+"')

found: list[str] = []
"""What was refused, even if the code under test went on afterwards. The fixture that reads it empties it."""


def refusal(sql: str) -> str | None:
    """Return why MySQL refuses a statement that Django wrote for another database, or None if it does not."""
    changed = _CHANGED.match(sql)
    if changed and _reads(sql[changed.end() :], changed[2]) > (1 if changed[1] == "DELETE FROM" else 0):
        return f"error 1093: it changes {changed[2]} and reads it in a subquery"
    # Most statements have neither, and to look for a word is far quicker than to search for a pattern.
    if " LIMIT " in sql and _LIMIT_IN_A_LIST.search(sql):
        return "error 1235: a subquery with a LIMIT in IN"
    target = _OWN_CONFLICT_TARGET.search(sql) if "ON CONFLICT" in sql else None
    if target and not _PRIMARY_KEY.fullmatch(target[1]):
        return "it names the key whose conflict it means"
    return None


def watch() -> None:
    """Refuse on every connection of this process, those of threads included, what MySQL refuses."""
    connection_created.connect(_examine_statements, dispatch_uid=__name__)


def _examine_statements(connection: Any, **kwargs: object) -> None:
    if _examine not in connection.execute_wrappers:
        connection.execute_wrappers.append(_examine)


def _examine(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
    reason = refusal(sql) if isinstance(sql, str) else None
    if reason:
        found.append(f"MySQL refuses this, {reason}: {sql}")
        raise AssertionError(found[-1])
    return execute(sql, params, many, context)


def _reads(rest: str, table: str) -> int:
    """Return how often the rest of a statement reads the table that it changes.

    Django itself writes a deletion with one such subquery, and writes it in another way for MySQL.
    """
    name = rf'["`]{re.escape(table)}["`]'
    return len(re.findall(rf"\b(?:FROM|JOIN) {name}", rest))
