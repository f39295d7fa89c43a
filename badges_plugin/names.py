"""What may be taken for the name of a person, wherever it was written."""

from __future__ import annotations

import re
import unicodedata

# Characters that show nothing: https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point , and the blank of
# Braille. Without the joiners and the variation selectors, which change how the letters beside them look.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
# Looked for in the compatibility form, where a wide "@" is an "@". "%40" is how addresses stand in links.
_ADDRESS_SIGNS = ("@", "%40", "://")


def as_name(text: str) -> str:
    """Return a name in one line, without what cannot be seen; empty for what is none: an address, or no letters."""
    visible = "".join(" " if unicodedata.category(char) in {"Cc", "Cs"} else char for char in text)
    name = " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", visible)).split())
    plain = unicodedata.normalize("NFKC", name)
    if not has_letter(name) or any(sign in plain for sign in _ADDRESS_SIGNS):
        return ""
    return name


def has_letter(text: str) -> bool:
    """Whether there is a letter, of any script, in the text."""
    return any(unicodedata.category(char).startswith("L") for char in _INVISIBLE.sub("", text))
