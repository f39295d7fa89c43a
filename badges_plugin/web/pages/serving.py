"""How pages are served: in the reader’s language, if they are translated to it, otherwise in English."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.translation import get_language_info, gettext

from badges_plugin.web.headers import View, secure

_SAMPLE = "Badges you can earn"
"""A heading that every translation has, and that no language spells as English does."""

ENGLISH = "en"


def language_of_page() -> str:
    """Return the language that is active, if there is a translation of the pages to it, otherwise "en".

    The host knows 80 languages. A page that is in English says so, whatever language the reader would rather have:
    otherwise a screen reader would read it with the wrong voice, or it would run from right to left.
    """
    language = translation.get_language() or ENGLISH
    if language.partition("-")[0] == ENGLISH or gettext("Badges you can earn") == _SAMPLE:
        return ENGLISH
    return language


def direction_of(language: str) -> str:
    """Return "rtl" for a language that runs from right to left, otherwise "ltr"."""
    try:
        is_bidi = get_language_info(language)["bidi"]
    except KeyError:  # a language of the host's own
        is_bidi = language.partition("-")[0] in {"ar", "fa", "he", "ur"} or language in settings.LANGUAGES_BIDI
    return "rtl" if is_bidi else "ltr"


@contextmanager
def in_language_of_page() -> Iterator[str]:
    """Make texts and dates in the language of the page, which is yielded."""
    language = language_of_page()
    with translation.override(language):
        yield language


def served(view: View) -> View:
    """Decorate a view of pages: it works in the language of the page, and all its answers have the security headers."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with in_language_of_page():
            return secure(view(request, *args, **kwargs))

    return wrapped
