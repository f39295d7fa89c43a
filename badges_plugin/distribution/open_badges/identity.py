"""Who a badge was given to, without saying so: the e-mail address as a salted hash.

https://www.imsglobal.org/spec/ob/v3p0/#identityobject
"""

from __future__ import annotations

import hashlib

from badges_plugin.distribution.open_badges.data import Document


def hashed_email(email: str, salt: str) -> Document:
    """Return the IdentityObject of an address: whoever knows the address can check it, nobody can read it."""
    digest = hashlib.sha256((email + salt).encode()).hexdigest()
    return {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": f"sha256${digest}",
        "identityType": "emailAddress",
        "salt": salt,
    }
