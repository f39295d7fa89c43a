"""A journal of requests: what was asked, what was done, and what the client was told. Faults make them differ."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

from sandbox.credly.records import Json
from sandbox.credly.refusals import ALREADY_REVOKED, DUPLICATE, UNKNOWN_BADGE


@dataclass(frozen=True)
class Entry:
    time: str
    method: str
    target: str
    #: Name from the route table; "" if nothing answers to the path.
    operation: str
    organization_id: str | None
    #: What the service decided; None if a fault came before it.
    status: int | None
    #: What the client got: a status as text, "drop" or "hang".
    answer: str
    applied: bool
    #: The reason for a refusal; "" if it was not refused.
    refusal: str = ""
    fault: bool = False
    #: badge_id, badge_template_id, recipient_email, issuer_earner_id, duplicate: as far as they apply.
    subject: Json = field(default_factory=dict)
    #: Given by the journal, from 1.
    number: int = 0

    @property
    def left_client_in_doubt(self) -> bool:
        return self.applied and not self.answer.startswith("2")


class Journal:
    def __init__(self, keep: Callable[[str, Json], None]) -> None:
        """``keep`` stores an entry beyond the life of the process, see World.remember."""
        self._lock = threading.Lock()
        self._keep = keep
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self._entries: list[Entry] = []
            self._counts: Counter[str] = Counter()
            self._answers: dict[str, Counter[str]] = defaultdict(Counter)

    def write(self, entry: Entry) -> None:
        with self._lock:
            numbered = replace(entry, number=len(self._entries) + 1)
            self._take(numbered)
            self._keep("journal", asdict(numbered))

    def restore(self, record: Json) -> None:
        with self._lock:
            self._take(Entry(**record))

    def entries(self, *, since: int = 0, limit: int | None = None) -> list[Entry]:
        """Entries with a number above ``since``, oldest first."""
        with self._lock:
            chosen = self._entries[since:]
        return chosen if limit is None else chosen[:limit]

    def counters(self) -> Json:
        with self._lock:
            counts: Json = {name: self._counts[name] for name in _COUNTED}
            counts["requests"] = len(self._entries)
            counts["answers"] = {operation: dict(answers) for operation, answers in sorted(self._answers.items())}
            return counts

    def _take(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._answers[entry.operation][entry.answer] += 1
        for name, applies in _COUNTED.items():
            self._counts[name] += applies(entry)


_COUNTED: dict[str, Callable[[Entry], bool]] = {
    "issues_applied": lambda e: e.operation == "issue" and e.applied,
    # A second live badge of one template for one earner, which the template allowed.
    "duplicate_issues": lambda e: e.operation == "issue" and e.applied and bool(e.subject.get("duplicate")),
    "duplicates_refused": lambda e: e.operation == "issue" and e.refusal == DUPLICATE,
    "revokes_applied": lambda e: e.operation == "revoke" and e.applied,
    "revokes_before_issue": lambda e: e.operation == "revoke" and e.refusal == UNKNOWN_BADGE,
    "revokes_repeated": lambda e: e.operation == "revoke" and e.refusal == ALREADY_REVOKED,
    "unauthorized": lambda e: e.status == 401,
    "faults": lambda e: e.fault,
    "applied_without_answer": lambda e: e.left_client_in_doubt,
}
