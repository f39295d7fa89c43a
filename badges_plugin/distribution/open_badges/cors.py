"""Let scripts of any site read the public documents, also where the browser asks first.

The host's CORS middleware answers such questions by itself, and with no for origins that it does not know.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.http import HttpRequest

from badges_plugin.distribution.open_badges.addresses import DOCUMENTS

# Not the pages of badges: their owners are logged in, and the host's middleware would let scripts read what they see.
_PUBLIC = f"/{DOCUMENTS}"


def is_public(sender: object, request: HttpRequest, **kwargs: object) -> bool:
    """Return whether a request is for a document that everybody may read; these ignore who asks."""
    return request.method in ("GET", "HEAD", "OPTIONS") and request.path_info.startswith(_PUBLIC)


def connect() -> None:
    """Answer the middleware's question, where the host has that middleware."""
    if find_spec("corsheaders") is None:
        return
    signals = import_module("corsheaders.signals")
    signals.check_request_enabled.connect(is_public, dispatch_uid="open_badges.cors")
