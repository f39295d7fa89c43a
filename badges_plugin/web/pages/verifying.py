"""*Verify a badge*: is it genuine, and does it still hold? Works without an account, and keeps nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from badges_plugin import reading
from badges_plugin.reading import AwardState
from badges_plugin.web.pages.content import BadgeContent, content_of, issuer_id_of
from badges_plugin.web.pages.limits import limited
from badges_plugin.web.pages.rendering import page
from badges_plugin.web.pages.serving import served
from badges_plugin.web.shared import Outcome, Verdict, find_document, on_show, verify

MAX_BYTES = 2 * 1024 * 1024
"""Of a file or a text. A baked image of the largest design is a tenth of that."""

_FORM_BYTES = 64 * 1024
"""What a form adds to what is in it."""

MAX_LINK = 2000


@dataclass(frozen=True)
class Given:
    """What somebody wants to have verified: a link, or the badge itself."""

    data: bytes | str
    is_link: bool


@dataclass(frozen=True)
class Result:
    """The answer, as the page shows it. ``url`` is the badge's page, where it is public."""

    outcome: str
    content: BadgeContent | None
    issuer: str
    """Of a badge that is not ours: who it says has issued it."""
    url: str
    ended_at: datetime | None
    is_link: bool


# Nothing is changed and nobody is signed in for it, so there is nothing that a foreign page could make a reader do.
# A token would be a cookie for everybody.
@csrf_exempt
@served
@limited("verify", lambda settings: settings.verify_rate, methods={"POST"})
@require_http_methods(["GET", "HEAD", "POST"])
def verify_badge(request: HttpRequest) -> HttpResponse:
    """Show the form, or one of six answers. ``?link=`` asks about a link at once."""
    if request.method != "POST":
        if link := request.GET.get("link", "").strip():
            return _answer(request, Given(link, is_link=True))
        return page(request, "verify", current="verify")
    if _length(request) > MAX_BYTES + _FORM_BYTES:
        return _ask_again(request, _("That is more than 2 MB. A badge is smaller: give its file, or its link."), 413)
    try:
        given = _given(request)
    except RequestDataTooBig:
        return _ask_again(request, _("That is more than 2 MB. A badge is smaller: give its file, or its link."), 413)
    except (MultiPartParserError, SuspiciousOperation, UnreadablePostError):
        return _ask_again(request, _("What you sent did not arrive whole. Try again."), 400)
    if given is None:
        return _ask_again(request, _("Give a link, a file or a text: one of the three is enough."), 400)
    return _answer(request, given)


def _given(request: HttpRequest) -> Given | None:
    """Return what was filled in, the file first: who chose one means it."""
    if (file := request.FILES.get("file")) and file.size:
        if file.size > MAX_BYTES:
            raise RequestDataTooBig
        return Given(file.read(), is_link=False)
    if link := request.POST.get("link", "").strip():
        return Given(link, is_link=True)
    if text := request.POST.get("text", "").strip():
        # A link is what people paste first.
        is_link = text.startswith(("https://", "http://")) and len(text.split()) == 1
        return Given(text, is_link=is_link)
    return None


def _answer(request: HttpRequest, given: Given) -> HttpResponse:
    result = _result(given)
    context = {"result": result, "outcome": result.outcome, "checked_at": timezone.now()}
    return page(request, "verdict", context, current="verify")


def _result(given: Given) -> Result:
    if given.is_link and len(str(given.data)) > MAX_LINK:
        return _unreadable(is_link=True)
    verdict = verify(given.data)
    public = _public(verdict)
    if given.is_link and verdict.outcome is not Outcome.NOT_OURS and public is None:
        # A link proves nothing of who holds it: what its owner does not show is not told.
        return _unreadable(is_link=True)
    document = verdict.document if isinstance(verdict.document, dict) else None
    outcome, ended_at = verdict.outcome, None
    if outcome in {Outcome.VALID, Outcome.REVOKED} and verdict.signed_badge_uuid is not None:
        outcome, ended_at = _latest(outcome, verdict.signed_badge_uuid)
    return Result(
        outcome=outcome.value,
        content=content_of(document) if document is not None and outcome is not Outcome.UNREADABLE else None,
        issuer=_readable_issuer(issuer_id_of(document)) if document is not None else "",
        url=public or "",
        ended_at=ended_at,
        is_link=given.is_link,
    )


def _latest(outcome: Outcome, uuid: UUID) -> tuple[Outcome, datetime | None]:
    """Return the outcome as the award stands now: a revocation may not be in the public status yet."""
    document = find_document(uuid)
    award = reading.awards([document.award_id]).get(document.award_id) if document and document.award_id else None
    if award is not None and award.state is AwardState.REVOKED:
        return Outcome.REVOKED, award.ended_at
    return outcome, None


def _public(verdict: Verdict) -> str | None:
    """Return the address of the badge's page, if its learner published it."""
    if verdict.signed_badge_uuid is None:
        return None
    document = find_document(verdict.signed_badge_uuid)
    if document is None or document.is_erased or not on_show([document]):
        return None
    return document.url


def _readable_issuer(identity: str) -> str:
    """Return a host rather than a DID, cut to what a line holds: others wrote it."""
    name = identity
    if name.startswith("did:web:"):
        host = name.removeprefix("did:web:").partition(":")[0]
        name = unquote(host)
    elif name.startswith(("https://", "http://")):
        name = name.partition("://")[2].partition("/")[0]
    return name[:200]


def _unreadable(*, is_link: bool) -> Result:
    return Result(Outcome.UNREADABLE.value, None, "", "", None, is_link)


def _ask_again(request: HttpRequest, problem: str, status: int) -> HttpResponse:
    return page(request, "verify", {"problem": problem}, status=status, current="verify")


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
