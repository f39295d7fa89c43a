"""The words of the site in its mails: cleaned, with names filled in, and as plain text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

import bleach
from django.conf import settings
from django.contrib.sites.models import Site
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from badges_plugin.web.notes import MailText

# As the host allows in the mails of its programs, where its settings do not say otherwise.
_TAGS = frozenset(
    {"a", "b", "blockquote", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "i", "li", "ol", "p", "span", "strong"}
    | {"ul"}
)
_LINK = re.compile(r'<a\b[^>]*\bhref="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
_BLOCK_ENDS = re.compile(r"</(?:p|div|li|h[1-6]|blockquote|ul|ol)>")


def clean(text: str) -> str:
    """Return HTML with the allowed tags only: nothing in it runs, loads or hides anything."""
    tags = frozenset(getattr(settings, "ALLOWED_EMAIL_HTML_TAGS", None) or _TAGS) & _TAGS
    cleaned = bleach.clean(
        text, tags=tags, attributes={"a": ["href", "title"]}, protocols={"http", "https", "mailto"}, strip=True
    )
    return str(cleaned).strip()


def text_for(site: Site, kind: str, languages: Iterable[str]) -> MailText | None:
    """Return the text for the first of these languages that has one, or the one without a language. One query."""
    rows = {row.language.lower(): row for row in MailText.objects.filter(site=site, kind=kind).order_by("pk")}
    return next((rows[code] for code in [*(each.lower() for each in languages), ""] if code in rows), None)


def filled_html(text: str, *, badge: str, name: str) -> SafeString:
    """Return a text with the names in it, cleaned again: who can write to the database is not always the admin."""
    return mark_safe(_filled(clean(text), badge=escape(badge), name=escape(name)))  # noqa: S308 - cleaned


def filled_subject(text: str, *, badge: str) -> str:
    """Return a subject of one line."""
    return " ".join(_filled(text, badge=badge, name="").split())


def as_plain(text: str) -> str:
    """Return cleaned HTML as plain text: links with their addresses, paragraphs on lines of their own."""
    linked = _LINK.sub(lambda found: f"{found[2]} ({found[1]})", text)
    broken = _BLOCK_ENDS.sub("\n", linked.replace("<li>", "- "))
    plain = html.unescape(re.sub(r"<[^>]*>", "", broken))
    return "\n".join(line.strip() for line in plain.splitlines() if line.strip())


def _filled(text: str, *, badge: str, name: str) -> str:
    # In one pass: a badge may be called "{name}".
    return re.sub(r"\{(badge|name)\}", lambda found: badge if found[1] == "badge" else name, text)
