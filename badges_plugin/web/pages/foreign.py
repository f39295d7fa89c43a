"""Who a badge that is not ours says has issued it: a help to whoever asks, and no proof of anything."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from urllib.parse import unquote

from badges_plugin.distribution.open_badges import baking
from badges_plugin.web.pages.content import issuer_id_of

_LONGEST = 200


def issuer_named_in(data: bytes | str) -> str:
    """Return the host that issued a badge, or its identifier, as the badge says; empty where it does not say."""
    try:
        document = json.loads(_text_of(data))
    except (ValueError, RecursionError):
        return ""
    return _readable(issuer_id_of(document)) if isinstance(document, dict) else ""


def _text_of(data: bytes | str) -> str:
    """Return the JSON of what was given: a picture, a token or JSON. Raises ValueError."""
    raw = data.encode(errors="replace") if isinstance(data, str) else data
    text = (baking.extract(raw) or "") if baking.is_picture(raw) else raw.decode("utf-8-sig")
    parts = text.strip().split(".")
    if len(parts) == 3 and not text.lstrip().startswith("{"):
        return urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)).decode()
    return text


def _readable(identity: str) -> str:
    name = identity
    if identity.startswith("did:web:"):
        name = unquote(identity.removeprefix("did:web:").partition(":")[0])
    elif identity.startswith(("https://", "http://")):
        name = identity.partition("://")[2].partition("/")[0]
    return name[:_LONGEST]
