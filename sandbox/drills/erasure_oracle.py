"""Whether anything was sent for people who were retired, and whether anything is kept about them.

It knows nothing of how the plugin decides: it reads what arrived at the providers, and every column of every table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import unquote

# A request that is under way when somebody is retired cannot be called back.
UNDER_WAY = timedelta(seconds=2)


@dataclass
class Person:
    """A learner: the words that identify them, and when they were retired. ``earner_ids`` are those of badges."""

    number: int
    username: str
    email: str
    name: str
    earner_ids: frozenset[str] = frozenset()
    badge_ids: frozenset[str] = frozenset()
    retired_at: datetime | None = None

    @property
    def words(self) -> tuple[str, ...]:
        return self.username, self.email, self.name


@dataclass(frozen=True)
class Arrived:
    """A request as a provider received it. ``changes``: whether it asks for a change there."""

    time: datetime
    operation: str
    text: str
    changes: bool


@dataclass
class Sent:
    """Requests that arrived about people after they were retired."""

    under_way: int = 0
    looked_up: int = 0
    wrong: list[str] = field(default_factory=list)


def examine(people: Iterable[Person], arrived: Iterable[Arrived]) -> Sent:
    """Find what arrived about each person after their retirement."""
    sent, requests = Sent(), sorted(arrived, key=lambda request: request.time)
    for person in people:
        if person.retired_at is None:
            continue
        for request in requests:
            if request.time > person.retired_at:
                _judge(person, request, request.time - person.retired_at, sent)
    return sent


def _judge(person: Person, request: Arrived, later: timedelta, sent: Sent) -> None:
    text = unquote(request.text)
    names = [word for word in person.words if mentions(text, word)]
    is_about = bool(names) or any(each in text for each in person.earner_ids | person.badge_ids)
    if not is_about:
        return
    if not names and not request.changes:
        sent.looked_up += 1
    elif later <= UNDER_WAY:
        sent.under_way += 1
    else:
        what = f"names {names}" if names else "asks for a change"
        seconds = later.total_seconds()
        sent.wrong.append(f"{request.operation} {seconds:.1f} s after {person.username} was retired {what}")


def mentions(text: str, word: str) -> bool:
    """Tell whether the word is in the text, and not only as a part of a longer one."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text, re.IGNORECASE) is not None


def kept(people: Iterable[Person], rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield the tables, with the word, in which a row names somebody who was retired. ``rows``: table and content."""
    words = {word.casefold(): word for person in people if person.retired_at for word in person.words}
    if not words:
        return
    any_word = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, words))})(?![\w-])", re.IGNORECASE)
    for table, content in rows:
        for found in any_word.findall(content):
            yield f"{table} keeps {found!r}"
