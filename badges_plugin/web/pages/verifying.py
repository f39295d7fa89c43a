"""*Verify a badge*: is it genuine, and does it still hold? Works without an account, and keeps nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from badges_plugin import reading, retirement
from badges_plugin.reading import AwardState
from badges_plugin.web.models import Publication
from badges_plugin.web.pages.content import BadgeContent, content_of
from badges_plugin.web.pages.foreign import issuer_named_in
from badges_plugin.web.pages.limits import limited
from badges_plugin.web.pages.rendering import page
from badges_plugin.web.pages.serving import served
from badges_plugin.web.shared import Outcome, SignedDocument, find_document, verify

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
    """The answer, as the page shows it. ``content`` is what the badge says, if it was signed here.

    ``issuer`` is who has issued a badge that is not ours, by its own account. ``url``: its page, where it is public.
    """

    outcome: str
    content: BadgeContent | None
    issuer: str
    url: str
    ended_at: datetime | None
    is_link: bool


# Nothing is changed and nobody is signed in for it, so there is nothing that a foreign page could make a reader do.
# A token would be a cookie for everybody.
@csrf_exempt
@served
@limited(
    "verify",
    lambda settings: settings.verify_rate,
    counts=lambda request: request.method == "POST" or "link" in request.GET,
)
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
    verdict = verify(given.data, is_public=_is_public)
    if given.is_link and (verdict.outcome is Outcome.NOT_OURS or len(given.data) > MAX_LINK):
        # A link proves nothing of who holds it: what its owner does not show is not told.
        return Result(Outcome.UNREADABLE.value, None, "", "", None, is_link=True)
    uuid, outcome, ended_at = verdict.signed_badge_uuid, verdict.outcome, None
    signed = find_document(uuid) if uuid is not None else None
    if signed is not None and outcome in {Outcome.VALID, Outcome.REVOKED}:
        outcome, ended_at = _latest(outcome, signed)
    return Result(
        outcome=outcome.value,
        content=content_of(verdict.document) if verdict.document is not None else None,
        issuer=issuer_named_in(given.data) if outcome is Outcome.NOT_OURS else "",
        url=signed.url if signed is not None and _is_public(signed.award_id) else "",
        ended_at=ended_at,
        is_link=given.is_link,
    )


def _is_public(award_id: int) -> bool:
    shown = Publication.objects.filter(award=award_id, taken_back_at=None).select_related("award__progress__user")
    return any(not retirement.is_gone(row.award.user) for row in shown)


def _latest(outcome: Outcome, signed: SignedDocument) -> tuple[Outcome, datetime | None]:
    """Return the outcome as the award stands now: a revocation may not be in the public status yet."""
    award = reading.awards([signed.award_id]).get(signed.award_id)
    if award is not None and award.state is AwardState.REVOKED:
        return Outcome.REVOKED, award.ended_at
    return outcome, None


def _ask_again(request: HttpRequest, problem: str, status: int) -> HttpResponse:
    return page(request, "verify", {"problem": problem}, status=status, current="verify")


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
