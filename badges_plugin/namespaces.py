"""Namespaces in XML from strangers.

A parser that knows namespaces writes the URI before the name of every element and attribute. So half a megabyte can ask
for gigabytes: one long URI, and thousands of names.
"""

from __future__ import annotations

import re

# Drawing programs' have at most 60 letters. The first part does not see a namespace that is declared in a DTD.
_COSTLY = re.compile(
    rb"\sxmlns(?::[^\s=<>\"']{1,200})?\s*=\s*(?:\"[^\"]{200}|'[^']{200})|\sxmlns:[^\s=<>\"']{200}|<!ATTLIST"
)


def are_costly(xml: bytes) -> bool:
    """Return whether a URI or prefix has more than 200 bytes, or is declared in a DTD. ``xml`` extends ASCII."""
    return _COSTLY.search(xml) is not None
