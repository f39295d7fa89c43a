"""The public page of a badge, for people, and the signed document behind the same address, for programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from badges_plugin.reading import AwardState
from badges_plugin.web.pages.answers import gone, not_found
from badges_plugin.web.pages.content import BadgeContent, content_of
from badges_plugin.web.pages.files import json_answer, wants_json
from badges_plugin.web.pages.limits import limited
from badges_plugin.web.pages.qr import qr_code
from badges_plugin.web.pages.rendering import page
from badges_plugin.web.pages.serving import served
from badges_plugin.web.pages.sharing import linkedin_url, wallet_url
from badges_plugin.web.pages.visibility import Hidden, Seen, look_at, wallet_token
from badges_plugin.web.shared import arts, origin_of

LONG_NAME = 30
"""Letters of a name or a badge above which a certificate writes smaller."""


@served
@limited("public", lambda settings: settings.public_rate)
@require_safe
def badge(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show a badge that its learner published, or the signed document to who asks for JSON."""
    seen = look_at(request, uuid)
    if wants_json(request):
        response = json_answer(seen)
    elif isinstance(seen, Hidden):
        response = gone(request) if seen.status == 410 else not_found(request)
    else:
        response = page(request, "badge", _context(seen))
    response["Vary"] = "Accept, Accept-Language, Cookie"
    return response


def _context(seen: Seen) -> dict[str, Any]:
    shown = seen.badge
    content = content_of(shown.document.json_text)
    state = AwardState.REVOKED if shown.is_revoked else shown.award.state
    name = "" if state is AwardState.REVOKED else shown.name
    art = arts([shown.template], ours=True)[shown.template.pk]
    url = shown.document.url
    origin = origin_of(url)
    context: dict[str, Any] = {
        "seen": seen,
        "content": content,
        "award": shown.award,
        "state": state.value,
        "name": name,
        "art": art,
        "url": url,
        "link": url.partition("://")[2].rstrip("/"),
        "checked_at": timezone.now(),
        "title": _title(content, state, name),
        "summary": _summary(content, state, name),
        "preview_url": f"{origin}{art.preview_url}",
        "template_uuid": shown.template.uuid,
        "is_earnable": shown.template.is_active,
        "shows_deeds": shown.publication.evidence_shown and state is not AwardState.REVOKED,
        "has_certificate": state is AwardState.HELD and seen.is_public,
    }
    if state is AwardState.HELD:
        context |= _to_keep(seen, content)
    return context


def _to_keep(seen: Seen, content: BadgeContent) -> dict[str, Any]:
    """Return what helps to share and keep a valid badge."""
    shown = seen.badge
    url = shown.document.url
    kept: dict[str, Any] = {"certificate_qr": qr_code(url), "is_long": _is_long(shown.name) or _is_long(content.name)}
    if seen.is_public:
        kept["linkedin_url"] = linkedin_url(
            name=content.name,
            organization=content.issuer_name,
            url=url,
            identity=str(shown.document.uuid),
            earned_at=shown.award.awarded_at,
            valid_until=shown.award.expires_at,
        )
    if seen.may_have_files:
        is_open = seen.is_public and shown.is_open
        token = "" if is_open else f"&token={wallet_token(shown.document.uuid)}"
        exchange = f"{url}wallet/?iuv=1{token}"
        kept["wallet_url"] = wallet_url(exchange_url=exchange, origin=origin_of(url))
        kept["wallet_qr"] = qr_code(exchange)
    return kept


def _title(content: BadgeContent, state: AwardState, name: str) -> str:
    if state is AwardState.REVOKED:
        return _("%(badge)s: revoked") % {"badge": content.name}
    if state is AwardState.EXPIRED:
        return _("%(badge)s: expired") % {"badge": content.name}
    if name:
        return _("%(badge)s, awarded to %(name)s") % {"badge": content.name, "name": name}
    return content.name


def _summary(content: BadgeContent, state: AwardState, name: str) -> str:
    """Return what a link preview says below the title."""
    issuer = content.issuer_name
    if state is AwardState.REVOKED:
        return _("%(issuer)s has revoked this badge.") % {"issuer": issuer}
    if state is AwardState.EXPIRED:
        return _("A badge of %(issuer)s that has expired.") % {"issuer": issuer}
    about = content.description.strip().splitlines()
    signed = _("A badge of %(issuer)s, signed and open to check.") % {"issuer": issuer}
    return f"{about[0].strip()} {signed}" if about else signed


def _is_long(text: str) -> bool:
    return len(text) > LONG_NAME
