"""The steps of the demo, and the expected state of each learner after each step."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from badges_plugin.models import BadgeTemplate
from sandbox.demo.badges import ANY_TWO_OF, FIRST_AID, FIRST_COURSE, SECOND_COURSE, VALID_DAYS, Templates
from sandbox.demo.deployment import Deployment, Lms, Served
from sandbox.demo.open_badge import OwnBadge
from sandbox.demo.processes import Child
from sandbox.demo.state import Standing, everything, is_published, standing

TIMEOUT_SECONDS = 60
POLL_SECONDS = 0.1
# From the award of the badge to its end: enough for a slow machine, since what would have expired is not awarded.
LAST_SECONDS = 15

ADA = {"user_id": 7, "username": "ada", "email": "ada@example.org", "name": "Ada Lovelace"}
BOB = {"user_id": 8, "username": "bob", "email": "bob@example.org", "name": "Bob Ó Briain"}


class StoryFailed(Exception):
    """Raised when a step does not end as expected."""


class Story:
    """Runs the story step by step. Raises StoryFailed at the first step that does not end as expected."""

    def __init__(
        self, deployment: Deployment, templates: Templates, *, consumer: Child, worker: Child, lms: Lms, served: Served
    ) -> None:
        self._deployment = deployment
        self._templates = templates
        self._consumer = consumer
        self._worker = worker
        self._lms = lms
        self._served = served
        self._sent: set[str] = set()

    def tell(self) -> None:
        """Run all steps."""
        nobody = Standing("0 of 2", "-", "-", "-")
        half = Standing("1 of 2", "-", "-", "-")
        issued = Standing("2 of 2", "awarded", "issue done", "pending")
        revoked = Standing("1 of 2", "revoked", "revoke done", "revoked")
        again = Standing("2 of 2", "awarded #2", "issue done", "revoked, pending")

        self._step("Ada passes Statistics: one of two courses, no badge yet.", ADA, FIRST_COURSE, True, half, nobody)
        self._step(
            "Bob fails Python: he never had the badge, nothing is revoked.",
            BOB,
            SECOND_COURSE,
            False,
            half,
            nobody,
        )
        last = self._step(
            "Ada passes Python: the badge is hers, and Credly issues it.", ADA, SECOND_COURSE, True, issued, nobody
        )
        self._step(
            "The same event is delivered again: nothing happens.", ADA, SECOND_COURSE, True, issued, nobody, **last
        )
        self._step(
            "A regrade: Ada fails Python. The badge is revoked, at Credly too.",
            ADA,
            SECOND_COURSE,
            False,
            revoked,
            nobody,
        )
        self._step("Ada passes Python again and gets it back.", ADA, SECOND_COURSE, True, again, nobody)
        self._own_badge()
        self._believed_by_others()
        ends_at = self._one_that_ends()
        self._any_two_of_three()
        self._ends_and_is_renewed(ends_at)
        self._replay()
        self._books()

    def _step(
        self,
        title: str,
        learner: dict[str, Any],
        course: str,
        is_passing: bool,
        ada: Standing,
        bob: Standing,
        **event: Any,
    ) -> dict[str, str]:
        print(f"\n{title}")
        sent = self._send(learner, course, is_passing, **event)
        expected = {"ada": ada, "bob": bob}
        self._wait(lambda: self._standings() == expected, "every learner had the expected state", expected)
        _show(self._standings())
        return {"id": sent["id"], "time": sent["time"]}

    def _send(self, learner: dict[str, Any], course: str, is_passing: bool = True, **event: Any) -> dict[str, str]:
        """Have the LMS send an event, and wait until it was handled."""
        times_before = self._times_handled(event["id"]) if "id" in event else 0
        sent = self._lms.emit(event="passing", course=course, is_passing=is_passing, **learner, **event)
        self._sent.add(sent["id"])
        self._wait(lambda: self._times_handled(sent["id"]) > times_before, "the event was handled")
        return sent

    def _own_badge(self) -> None:
        print("\nThe site's own badge, “First course passed”, needs no provider: the site has signed it itself.")
        expected = Standing("1 of 1", "awarded", "issue done", "-")
        self._wait(lambda: self._first_course() == expected, f"Ada had it, signed: {expected}")
        print("  Ada has had it since she passed Statistics.")

    def _first_course(self) -> Standing:
        return standing("ada", self._templates.openedx, self._deployment.credly)

    def _believed_by_others(self) -> None:
        badge = OwnBadge(self._served.address())
        link = badge.is_shown()
        print(f"Ada publishes it. Anybody can open its page and download the image, in which the badge is:\n  {link}")
        size = badge.is_kept(link)
        accepted, reason, looked_up = badge.verdict()
        if not accepted:
            raise StoryFailed(f"The validator should accept the badge, but says: {reason}")
        print(
            f"  openbadgeslib, a third-party verifier, accepts the image ({size:,} bytes). It looked up {looked_up}"
            " documents\n  at the site: the issuer with its key, and the list of what was revoked."
        )
        print("A regrade: Ada fails Statistics, and the badge is revoked. The image is what it was.")
        self._send(ADA, FIRST_COURSE, is_passing=False)
        expected = Standing("0 of 1", "revoked", "revoke done", "-")
        self._wait(lambda: self._first_course() == expected, f"the badge was revoked: {expected}")
        # Not at once: the worker signs the list again every few seconds.
        self._wait(lambda: "'revocation' is set" in badge.verdict()[1], "the validator said that it was revoked")
        print("  openbadgeslib refuses it now: the list of the site, signed again, says that it was revoked.")
        if not badge.says_so(link):
            raise StoryFailed("The public page should say that the badge was revoked.")
        print("  So does its public page, without her name.")

    def _one_that_ends(self) -> datetime:
        """Award the badge that expires, shortly before it does. Returns when it ends."""
        passed_at = datetime.now(UTC) - timedelta(days=VALID_DAYS) + timedelta(seconds=LAST_SECONDS)
        print(
            f"\nThe badge “First Aid” is valid for {VALID_DAYS} days. Bob passed the course almost a year ago, but the"
            "\nLMS sends the event only now. The badge dates from that day, so it expires in a few seconds."
        )
        self._send(BOB, FIRST_AID, time=passed_at.isoformat())
        self._own_standing(self._templates.first_aid, Standing("1 of 1", "awarded", "issue done", "-"))
        return passed_at + timedelta(days=VALID_DAYS)

    def _any_two_of_three(self) -> None:
        print("\nMeanwhile: the badge “Broad Minded” asks for any two of Logic, Ethics and History.")
        steps = (
            ("Bob passes History: one of two.", ANY_TWO_OF[2], Standing("1 of 2", "-", "-", "-")),
            (
                "Bob passes Logic: two of two. Ethics is not needed.",
                ANY_TWO_OF[0],
                Standing("2 of 2", "awarded", "issue done", "-"),
            ),
        )
        for title, course, expected in steps:
            print(title)
            self._send(BOB, course)
            self._own_standing(self._templates.two_of_three, expected)

    def _ends_and_is_renewed(self, ends_at: datetime) -> None:
        print(
            "\nThe year is over. The worker looks for expired badges once a minute; it is started again, so that you"
            "\nneed not wait."
        )
        time.sleep(max((ends_at - datetime.now(UTC)).total_seconds(), 0))
        self._worker.stop()
        self._worker = self._deployment.start_worker()
        self._own_standing(self._templates.first_aid, Standing("0 of 1", "expired", "issue done", "-"))
        # The worker publishes it. What happens before that has the consumer publish it, too, and the row changes twice.
        self._wait(is_published, "the bus had all public events")
        print("Bob takes the course again and passes: the badge is renewed for another year.")
        self._send(BOB, FIRST_AID)
        self._own_standing(self._templates.first_aid, Standing("1 of 1", "awarded #2", "issue done", "-"))

    def _own_standing(self, template: BadgeTemplate, expected: Standing) -> None:
        """Wait until Bob stands as he must with one of the site's own badges, and show it."""

        def found() -> Standing:
            return standing("bob", template, self._deployment.credly)

        self._wait(lambda: found() == expected, f"Bob stood as he must with “{template.name}”: {expected}")
        _show({"bob": found()})

    def _replay(self) -> None:
        print("\nThe whole topic is read again, from its beginning, by a new consumer group.")
        self._wait(is_published, "the bus had all public events")
        before, requests = everything(), len(self._deployment.credly.journal())
        replay = self._deployment.start_consumer("replay")
        self._wait(lambda: all(event_id in replay.log() for event_id in self._sent), "the whole topic was read")
        exit_code = replay.stop()
        if exit_code != 0:
            raise StoryFailed(f"The replaying consumer ended with exit code {exit_code}.")
        if everything() != before:
            raise StoryFailed("The replay changed the database.")
        if len(self._deployment.credly.journal()) != requests:
            raise StoryFailed("The replay made requests to Credly.")
        published = {
            kind: replay.log().count(f"org.openedx.learning.badge.{kind}.v1") for kind in ("awarded", "revoked")
        }
        print(f"  {len(self._sent)} events of the LMS were read again: no row changed, no request went to Credly.")
        if not (published["awarded"] and published["revoked"]):
            raise StoryFailed(f"Awards and revocations were not published on the bus: {published}")

    def _books(self) -> None:
        summary = self._deployment.credly.summary()
        books = {
            name: summary[name]
            for name in ("issues_applied", "duplicate_issues", "revokes_applied", "revokes_before_issue")
        }
        counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in books.items())
        print(f"\nAt Credly: {counts}.")
        if list(books.values()) != [2, 0, 1, 0]:
            raise StoryFailed("Expected 2 issues and 1 revocation.")

    def _standings(self) -> dict[str, Standing]:
        return {name: standing(name, self._templates.credly, self._deployment.credly) for name in ("ada", "bob")}

    def _times_handled(self, event_id: str) -> int:
        return sum(f"Handled event {event_id} " in line for line in self._consumer.log().splitlines())

    def _wait(self, condition: Callable[[], bool], what: str, expected: object = None) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                found = f"\n  expected {expected}\n  found    {self._standings()}" if expected else ""
                raise StoryFailed(f"Not within {TIMEOUT_SECONDS} s: {what}.{found}")
            time.sleep(POLL_SECONDS)


def _show(standings: dict[str, Standing]) -> None:
    columns = ("learner", "courses", "badge here", "delivery", "at Credly")
    rows = [(name, found.progress, found.badge, found.delivery, found.credly) for name, found in standings.items()]
    widths = [max(len(row[n]) for row in (columns, *rows)) for n in range(len(columns))]
    for row in (columns, *rows):
        print("  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
