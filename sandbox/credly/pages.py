"""The page behind accept_badge_url, where the learner accepts or rejects the badge.

GET shows it, POST with ``answer=accept`` or ``answer=reject`` decides.
"""

import html
from urllib.parse import parse_qs

from sandbox.credly import badges
from sandbox.credly.records import PENDING, Badge
from sandbox.credly.refusals import Refused
from sandbox.credly.wire import Reply, Request
from sandbox.credly.world import World

_PREFIX = "/go/"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>
<h1>{name}</h1><p>Issued to {earner} by {issuer}.</p><p id="state">{state}</p>{form}</html>"""
_FORM = """<form method="post"><button name="answer" value="accept">Accept</button>
<button name="answer" value="reject">Reject</button></form>"""
_ANSWERS = {"accept": badges.accept, "reject": badges.reject}


def owns(request: Request) -> bool:
    return request.path.startswith(_PREFIX)


def handle(world: World, request: Request) -> Reply:
    with world.lock:
        try:
            badge = _find(world, request.path.removeprefix(_PREFIX))
            if request.method == "POST":
                _decide(world, badge, request)
        except Refused as refused:
            return _html(f"<!doctype html><title>Badge</title><p>{html.escape(refused.message)}</p>", refused.status)
        return _html(_render(world, badge))


def _find(world: World, token: str) -> Badge:
    for badge in world.badges.values():
        if badge.accept_token == token and not badge.deleted:
            return badge
    raise Refused(404, "This link is not valid")


def _decide(world: World, badge: Badge, request: Request) -> None:
    answer = parse_qs(request.body.decode(errors="replace")).get("answer", [""])[0]
    if answer not in _ANSWERS:
        raise Refused(400, "answer must be accept or reject")
    _ANSWERS[answer](world, badge)


def _render(world: World, badge: Badge) -> str:
    return _PAGE.format(
        name=html.escape(world.templates[badge.badge_template_id].name),
        earner=html.escape(f"{badge.issued_to_first_name} {badge.issued_to_last_name}"),
        issuer=html.escape(world.organizations[badge.organization_id].name),
        state=badge.state,
        form=_FORM if badge.state == PENDING and badge.is_live else "",
    )


def _html(text: str, status: int = 200) -> Reply:
    return Reply(status, text.encode(), {"Content-Type": "text/html; charset=utf-8"})
