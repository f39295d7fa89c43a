"""Handle one request: the control API, the learner pages, or the API with its faults and its journal."""

import threading

from sandbox.credly import api, pages
from sandbox.credly.control import Control
from sandbox.credly.faults import Faults
from sandbox.credly.journal import Entry, Journal
from sandbox.credly.refusals import Refused
from sandbox.credly.wire import Reply, Request, refusal_reply
from sandbox.credly.world import World


class Service:
    def __init__(self, world: World, faults: Faults, journal: Journal, control: Control, *, page_size: int) -> None:
        self._world = world
        self._faults = faults
        self._journal = journal
        self._control = control
        self._page_size = page_size
        #: Set while the server stops, so that no request waits for a latency or a silence to end.
        self.stopping = threading.Event()

    def handle(self, request: Request) -> Reply:
        # The control API must be reachable while the service is down.
        if self._control.owns(request):
            return self._control.handle(request)
        if self._faults.down:
            self._write(request, api.match(request), None, Reply(manner="drop"), fault=True)
            return Reply(manner="drop")
        if pages.owns(request):
            return pages.handle(self._world, request)
        if self.stopping.wait(self._faults.delay()):
            return Reply(manner="drop")
        return self._exchange(request)

    def _exchange(self, request: Request) -> Reply:
        matched = api.match(request)
        fault = self._faults.choose(matched.operation, matched.organization_id)
        if fault is not None and not fault.applied:
            reply = fault.reply()
            self._write(request, matched, None, reply, fault=True)
            return reply
        # The lock keeps the journal in the order of the changes.
        with self._world.lock:
            outcome, refusal = self._perform(request, matched)
            reply = fault.reply() if fault is not None else outcome.reply
            self._write(request, matched, outcome, reply, refusal=refusal, fault=fault is not None)
        return reply

    def _perform(self, request: Request, matched: api.Match) -> tuple[api.Outcome, str]:
        try:
            return api.perform(self._world, request, matched, page_size=self._page_size), ""
        except Refused as refused:
            subject = {"badge_id": matched.parameters["badge"]} if "badge" in matched.parameters else {}
            return api.Outcome(refusal_reply(refused), subject=subject), refused.kind or refused.message

    def _write(
        self,
        request: Request,
        matched: api.Match,
        outcome: api.Outcome | None,
        reply: Reply,
        *,
        refusal: str = "",
        fault: bool,
    ) -> None:
        entry = Entry(
            time=self._world.now(),
            method=request.method,
            target=request.target,
            operation=matched.operation,
            organization_id=matched.organization_id,
            status=outcome.reply.status if outcome else None,
            answer=str(reply.status) if reply.manner == "answer" else reply.manner,
            applied=outcome.applied if outcome else False,
            refusal=refusal,
            fault=fault,
            subject=outcome.subject if outcome else {},
        )
        self._journal.write(entry)
