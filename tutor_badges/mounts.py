"""A checkout of this repository on the host, mounted with ``tutor mounts add``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from tutor.bindmount import iter_mounts

# Without the prefix, a checkout is installed in Credentials only; Tutor installs every openedx-* in the LMS as well.
CHECKOUT = r"(openedx-)?badges[-_]plugin$"


def is_checkout(name: str) -> bool:
    """Tell whether a mounted folder of this name is a checkout of this repository."""
    return re.match(CHECKOUT, name) is not None


def iter_badges_mounts(mounts: list[str]) -> Iterator[str]:
    """Yield "host:container" for each mounted checkout of this repository."""
    for mount in iter_mounts(mounts, "credentials"):
        if is_checkout(PurePosixPath(mount.rsplit(":", 1)[1]).name):
            yield mount
