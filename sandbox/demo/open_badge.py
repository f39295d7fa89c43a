"""The chapter of the demo about badges that the site signs itself: shown, kept, believed, revoked."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from django.contrib.auth import get_user_model

from sandbox.demo.deployment import BASE_URL
from sandbox.demo.visitor import Visitor, text_of

VALIDATOR = Path(__file__).resolve().parents[2] / ".venv-validator" / "bin" / "python"
VALIDATE = Path(__file__).with_name("validate.py")
TIMEOUT_SECONDS = 60
PASSWORD = "analytical engine"


class Unexpected(Exception):
    """Raised when somebody sees something else than they should."""


class OwnBadge:
    """The one badge that the site has signed for Ada. ``address`` is where the service is."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._png = b""

    def is_shown(self) -> str:
        """Let Ada publish the badge; return the link that others get."""
        user = get_user_model().objects.get(username="ada")
        user.set_password(PASSWORD)
        user.save()
        ada = Visitor(self._address)
        ada.sign_in("ada", PASSWORD)
        options: str
        [options] = set(re.findall(r'href="(/badges/mine/[0-9a-f-]{36}/)"', ada.read("/badges/mine/")))
        ada.read(options)
        ada.send(options, who="link", name="full", evidence="1")
        return BASE_URL + options.replace("/mine/", "/b/").lstrip("/")

    def is_kept(self, link: str) -> int:
        """Let anybody open the link and download the image; return its size in bytes."""
        path = urlsplit(link).path
        anybody = Visitor(self._address)
        page = text_of(anybody.read(path))
        for words in ("Awarded to Ada Lovelace", "neither revoked nor expired"):
            if words not in page:
                raise Unexpected(f"The public page does not say “{words}”: {page}")
        self._png = anybody.fetch(f"{path}badge.png")
        return len(self._png)

    def says_so(self, link: str) -> bool:
        """Return whether the public page tells that the badge was revoked, and nothing of its holder."""
        page = Visitor(self._address).read(urlsplit(link).path)
        if "Revoked" not in text_of(page):
            return False
        if "Ada" in page:
            raise Unexpected("The page of a revoked badge names its holder.")
        return True

    def verdict(self) -> tuple[bool, str, int]:
        """Have the image judged by others: whether they accept it, else why not; and how much they looked up."""
        done = subprocess.run(
            [VALIDATOR, VALIDATE, BASE_URL, f"{self._address}/"],
            input=self._png,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
        )
        if done.returncode:
            raise Unexpected(f"The validator ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
        said = json.loads(done.stdout)
        return said["accepted"], said["reason"], len(said["fetched"])
