"""Texts, addresses and times as signed documents may hold them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from badges_plugin.distribution.open_badges.data import Document, UnsignableBadge

#: What people paste from word processors. PyLD does not write them as RDFC-1.0 asks, so few programs agree on a
#: proof over them; XML has no place for them, nor for halves of surrogate pairs and the two noncharacters.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_UNCLEAN = re.compile(r"[\x00-\x20<>\"{}|\\^`\x7f\ud800-\udfff]")
_LANGUAGE = re.compile(r"([a-z]{2,4})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?", re.IGNORECASE)
_EXTENSION = re.compile(r"ext:[A-Za-z0-9._-]+")


def clean(text: str) -> str:
    """Return ``text`` without characters that cannot be signed, and without white space around it."""
    return _UNWRITABLE.sub("", text).strip()


def required(text: str, what: str) -> str:
    """Return ``text`` cleaned; raise UnsignableBadge if nothing is left. ``what`` is the name of it, for staff."""
    cleaned = clean(text)
    if not cleaned:
        raise UnsignableBadge(_("%(what)s is empty.") % {"what": what})
    return cleaned


def web_url(url: str, what: str) -> str:
    """Return ``url`` if it is an absolute address of the Web; raise UnsignableBadge."""
    return _address(url, what, {"https", "http"})


def image(url: str, what: str) -> Document:
    """Return the Image at an absolute address or in a data URL; raise UnsignableBadge."""
    return {"id": _address(url, what, {"https", "http", "data"}), "type": "Image"}


def identifier(iri: str, what: str) -> str:
    """Return ``iri`` if it is an absolute address, a DID or a URN; raise UnsignableBadge."""
    return _address(iri, what, {"https", "http", "did", "urn"})


def language(tag: str) -> str:
    """Return a tag such as "pt-br" or "zh_hans" as Open Badges writes it ("pt-BR"), or "" if it cannot."""
    found = _LANGUAGE.fullmatch(clean(tag).replace("_", "-"))
    if found is None:
        return ""
    name, script, region = found.groups()
    return "-".join(filter(None, (name.lower(), script and script.title(), region and region.upper())))


def one_of(word: str, words: tuple[str, ...], what: str) -> str:
    """Return ``word`` if it is one of ``words`` or an extension ("ext:..."); raise UnsignableBadge."""
    if word not in words and not _EXTENSION.fullmatch(word):
        raise UnsignableBadge(
            _("%(what)s is unknown to Open Badges: %(word)s. Words of your own start with “ext:”.")
            % {"what": what, "word": clean(word)[:200]}
        )
    return word


def utc(time: datetime) -> str:
    """Return an aware time as xsd:dateTime in UTC, to the second; raise UnsignableBadge for a naive one."""
    if time.tzinfo is None:
        raise UnsignableBadge(_("A time has no time zone."))
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _address(text: str, what: str, schemes: set[str]) -> str:
    text = text.strip()
    try:
        parts = urlsplit(text)
        is_complete = bool(parts.hostname) if parts.scheme in {"https", "http"} else bool(parts.path)
    except ValueError:
        is_complete = False
    else:
        is_complete = is_complete and parts.scheme in schemes
    if not is_complete or _UNCLEAN.search(text):
        raise UnsignableBadge(_("%(what)s is not a complete address: %(text)s") % {"what": what, "text": text[:200]})
    return text
