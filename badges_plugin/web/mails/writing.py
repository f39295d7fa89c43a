"""Write a mail: everything that its templates show, in the learner's language."""

from __future__ import annotations

from email.utils import formataddr
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sites.models import Site
from django.urls import reverse
from django.utils import translation

from badges_plugin import reading
from badges_plugin.host import site_facts
from badges_plugin.images import picture_of
from badges_plugin.models import BadgeAward, BadgeTemplate, Ending
from badges_plugin.times import site_day
from badges_plugin.web.conf import usable_pages
from badges_plugin.web.mails import links, texts
from badges_plugin.web.mails.deciding import Go
from badges_plugin.web.mails.sending import Letter
from badges_plugin.web.mails.wishes import Wishes
from badges_plugin.web.notes import MailKind
from badges_plugin.web.pages.serving import direction_of, in_language_of_page
from badges_plugin.web.shared import IssuerProfileData, day_in_full, issuer_of, name_of

MAX_STEPS = 5
"""Sentences that say what a badge asks for; the page has them all."""


def write(kind: str, award: BadgeAward, go: Go, wishes: Wishes) -> Letter | None:
    """Return the mail; None while nobody has said at which address the pages are, so that its links led nowhere."""
    site = award.template.site
    issuer = issuer_of(site)
    if not links.is_usable(issuer.base_url):
        return None
    with translation.override(wishes.language or settings.LANGUAGE_CODE), in_language_of_page() as language:
        context = _context(kind, award, go, issuer, language)
    off_url = links.absolute(issuer.base_url, links.off_path(award.progress.user_id))
    reply_to = usable_pages().support_email or issuer.email
    return Letter(
        message=f"mail_{kind}",
        address=award.user.email,
        lms_user_id=award.user.lms_user_id or 0,
        language=language,
        from_address=formataddr((" ".join(issuer.name.split()), _from_address(site, issuer))),
        reply_to=(reply_to,) if reply_to else (),
        off_url=off_url,
        context={**context, "off_url": off_url},
    )


def _context(kind: str, award: BadgeAward, go: Go, issuer: IssuerProfileData, language: str) -> dict[str, object]:
    template, name = award.template, name_of(award.user)
    own = texts.text_for(template.site, kind, [language, language.partition("-")[0]])
    own_html = texts.filled_html(own.text, badge=template.name, name=name) if own else ""
    return {
        "lang": language,
        "direction": direction_of(language),
        "site_name": issuer.name,
        "learner_name": name,
        "badge_name": template.name,
        "badge_image": _image_url(template, issuer),
        "steps": _steps(template) if kind == MailKind.AWARDED else [],
        # Not in the words of staff or a provider: they may not be meant for the learner.
        "reason": "" if award.is_decided or award.revocation_reason else award.reason,
        "is_earnable": _is_earnable(award),
        "expires_on": day_in_full(site_day(award.expires_at)) if award.expires_at else "",
        "mine_url": links.absolute(issuer.base_url, reverse("badges_web:mine")),
        "wishes_url": links.absolute(issuer.base_url, reverse("badges_web:mails")),
        "support_email": usable_pages().support_email or issuer.email,
        "provider": go.standing.provider if go.standing else "",
        "accept_url": go.standing.at.url if go.standing else "",
        "own_subject": texts.filled_subject(own.subject, badge=template.name) if own else "",
        "own_html": own_html,
        "own_text": texts.as_plain(own_html),
    }


def _steps(template: BadgeTemplate) -> list[str]:
    asked = reading.criteria([template.pk])[template.pk]
    return [group.sentence for group in asked.groups][:MAX_STEPS]


def _is_earnable(award: BadgeAward) -> bool:
    template = award.template
    asks = not template.is_given_by_staff or template.requirements.exists()
    is_open = award.ended_by == Ending.UNDONE or (template.can_be_reawarded and not award.is_decided)
    return template.is_active and asks and is_open


def _image_url(template: BadgeTemplate, issuer: IssuerProfileData) -> str:
    """Return the address of a PNG: many mail programs show no SVG."""
    return links.absolute(issuer.base_url, picture_of(template).url("png"))


def _from_address(site: Site, issuer: IssuerProfileData) -> str:
    """Return whom mails are from: as the host's own are, the address for partners or one that nobody reads."""
    configured = site_facts(site).contact_email
    return configured or f"no-reply@{urlsplit(issuer.base_url).hostname}"
