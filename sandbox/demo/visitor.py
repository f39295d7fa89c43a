"""Somebody with a browser, as far as the demo needs one: signs in, sends forms, follows links."""

from __future__ import annotations

import re

import requests

TIMEOUT_SECONDS = 30
CSRF_COOKIE = "credentials_csrftoken"


class Visitor:
    """A session at the service, which is at ``address``."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._session = requests.Session()

    def sign_in(self, username: str, password: str) -> None:
        """Sign in with a form, which sandboxes have. The service sends people to the LMS."""
        self.read("/login/")
        self.send("/login/", username=username, password=password, next="/health/")

    def read(self, path: str) -> str:
        """Return a page; raise HTTPError for anything but 200."""
        return self.fetch(path).decode()

    def fetch(self, path: str) -> bytes:
        """Return a file; raise HTTPError for anything but 200."""
        answer = self._session.get(self._address + path, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer.content

    def send(self, path: str, **fields: str) -> str:
        """Send a form, of which the page has been read before, and return the page after it."""
        token = self._session.cookies.get(CSRF_COOKIE, "")
        answer = self._session.post(
            self._address + path, data={**fields, "csrfmiddlewaretoken": token}, timeout=TIMEOUT_SECONDS
        )
        answer.raise_for_status()
        return answer.text


def text_of(page: str) -> str:
    """Return the words of a page, each run of white space one space."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())
