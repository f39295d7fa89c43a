"""Clean the names of people, which anybody may have written."""

from __future__ import annotations

import re
import unicodedata

# Invisible characters: https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point , and the
# Braille blank. The joiners and variation selectors are left out, because they change how adjacent letters look.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
# Searched in the compatibility form, where a full-width "@" is "@". Links contain it as "%40".
_EMAIL_OR_URL_SIGNS = ("@", "%40", "://")


def as_name(text: str) -> str:
    """Return a name on one line, without invisible characters; empty for an e-mail address, a URL or no letters."""
    visible = text
    if not text.isprintable():  # nearly all are
        visible = "".join(" " if unicodedata.category(char) in {"Cc", "Cs"} else char for char in text)
    name = " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", visible)).split())
    plain = unicodedata.normalize("NFKC", name)
    if not has_letter(name) or any(sign in plain for sign in _EMAIL_OR_URL_SIGNS):
        return ""
    return name


def has_letter(text: str) -> bool:
    """Return whether the text contains a letter of any script."""
    return any(map(str.isalpha, _INVISIBLE.sub("", text)))
