"""Verify a baked badge with a third-party program: ``python validate.py BASE_URL ADDRESS < badge.png``.

openbadgeslib resolves the issuer's did:web, verifies the badge's proof with the key that it finds there, fetches the
status list and looks up the badge. It verifies by itself only lists that are tokens, so it is asked to verify the
proof of ours, too. It runs in an environment of its own (see ``requirements/validator.in``) and knows no code of ours.
What is below BASE_URL is fetched from ADDRESS, as from behind a reverse proxy; there is nothing else on its network.

Prints a line of JSON: ``accepted``, ``reason``, and ``fetched``, the URLs that it asked for.
"""

from __future__ import annotations

import json
import sys
import urllib.request

from openbadgeslib.ob3 import OB3VerificationError
from openbadgeslib.ob3.did import resolve_verification_method
from openbadgeslib.ob3.ldp import verify_data_integrity_proof
from openbadgeslib.verify import verify_badge

TIMEOUT_SECONDS = 30
STATUS_LIST = "BitstringStatusListCredential"


class Network:
    """What is found at each URL. ``fetched`` holds what was asked for."""

    def __init__(self, base_url: str, address: str) -> None:
        self._base_url = base_url
        self._address = address
        self.fetched: dict[str, bytes] = {}

    def fetch(self, url: str) -> bytes:
        if not url.startswith(self._base_url):
            raise OSError(f"{url} is not there")
        found = self._address + url.removeprefix(self._base_url)
        with urllib.request.urlopen(found, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - of the demo itself
            self.fetched[url] = answer.read()
        return self.fetched[url]


def main(base_url: str, address: str) -> None:
    """Verify the badge on standard input."""
    network = Network(base_url, address)
    verdict = verify_badge(
        sys.stdin.buffer.read(),
        "3",
        resolve_did=True,
        check_status=True,
        verify_status_list=False,
        download=network.fetch,
    )
    forged = _forgery(network)
    accepted = verdict.valid and verdict.trusted and not forged
    print(json.dumps({"accepted": accepted, "reason": forged or verdict.reason or "", "fetched": [*network.fetched]}))


def _forgery(network: Network) -> str:
    """Return what is wrong with the proof of the status list that was fetched; empty if nothing is."""
    lists = [found for found in map(json.loads, network.fetched.values()) if STATUS_LIST in found.get("type", [])]
    if len(lists) != 1:
        return "There is no status list."
    [found] = lists
    method = found["proof"]["verificationMethod"]
    if method.partition("#")[0] != found["issuer"]:
        return "The status list was signed by somebody else."
    try:
        verify_data_integrity_proof(found, resolve_verification_method(method, download=network.fetch))
    except OB3VerificationError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:])
