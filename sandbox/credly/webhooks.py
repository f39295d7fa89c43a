"""Post events to the organizations' webhook URLs.

https://www.credly.com/docs/webhooks: only status 200 counts as received; anything else is retried after growing
gaps. The real gaps grow to days (25 in all); here they are short and few by default, so that a test sees the end.
"""

import contextlib
import heapq
import http.client
import itertools
import json
import threading
import time
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from sandbox.credly import shapes
from sandbox.credly.records import Event, Json
from sandbox.credly.world import World


@dataclass(frozen=True)
class Schedule:
    #: Seconds before the second attempt; each later gap is ``growth`` times the one before.
    first_gap: float = 0.5
    growth: float = 2.0
    attempts: int = 8
    #: Seconds the receiver may take.
    timeout: float = 5.0

    def gap(self, attempt: int) -> float | None:
        """Seconds to wait after failed attempt number ``attempt`` (from 1); None: give up."""
        return None if attempt >= self.attempts else self.first_gap * self.growth ** (attempt - 1)


@dataclass
class Posting:
    event_id: str
    event_type: str
    url: str
    body: Json
    attempts: int = 0
    #: The last answer: a status, or what went wrong.
    answer: str = ""
    state: str = "waiting"  # then "received" or "given up"


class WebhookSender:
    """A thread that posts due events. Off until ``enabled`` is set."""

    def __init__(self, world: World, schedule: Schedule) -> None:
        self._world = world
        self.schedule = schedule
        self.enabled = False
        self._due: list[tuple[float, int, Posting]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._postings: list[Posting] = []
        world.listeners.append(self.on_event)

    def start(self) -> None:
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="credly-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def clear(self) -> None:
        with self._changed:
            self._due.clear()
            self._postings.clear()

    def on_event(self, event: Event) -> None:
        organization = self._world.organizations[event.organization_id]
        allowed = organization.allowed_webhooks
        if self.enabled and organization.webhook_url and (allowed is None or event.event_type in allowed):
            self.post(event, organization.webhook_url)

    def post(self, event: Event, url: str) -> None:
        """Send the reference of one event, possibly again."""
        posting = Posting(event.id, event.event_type, url, shapes.event_reference(event))
        with self._changed:
            self._postings.append(posting)
            self._schedule(posting, 0.0)

    def describe(self) -> Json:
        with self._changed:
            return {
                "enabled": self.enabled,
                "schedule": asdict(self.schedule),
                "postings": [asdict(posting) for posting in self._postings],
            }

    def _schedule(self, posting: Posting, delay: float) -> None:
        heapq.heappush(self._due, (time.monotonic() + delay, next(self._order), posting))
        self._changed.notify_all()

    def _run(self) -> None:
        while (posting := self._next()) is not None:
            answer = _send(posting, self.schedule.timeout)
            with self._changed:
                posting.attempts += 1
                posting.answer = answer
                gap = self.schedule.gap(posting.attempts)
                if answer == "200":
                    posting.state = "received"
                elif gap is None:
                    posting.state = "given up"
                else:
                    self._schedule(posting, gap)

    def _next(self) -> Posting | None:
        """Wait for the next due posting and return it; None when stopping."""
        with self._changed:
            while not self._stopping:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
            return None


def _send(posting: Posting, timeout: float) -> str:
    """The status as text, or the reason why there is none. Plain http is posted to as well, unlike in reality."""
    try:
        parts = urlsplit(posting.url)
        connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with contextlib.closing(connect(parts.netloc, timeout=timeout)) as connection:
            body = json.dumps(posting.body).encode()
            connection.request("POST", target, body, {"Content-Type": "application/json"})
            return str(connection.getresponse().status)
    # ValueError: the URL of an organization may be nonsense.
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
