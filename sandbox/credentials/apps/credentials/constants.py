"""Values that other parts of the service and plugins share."""

from __future__ import annotations

UUID_PATTERN = r"(?P<uuid>[0-9a-f]{32})"


class UserCredentialStatus:
    """Values of ``UserCredential.status``."""

    AWARDED = "awarded"
    REVOKED = "revoked"
