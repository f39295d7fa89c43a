"""What the tests of the Credly simulator share: a badge to issue, and waiting without guessing how long."""

import time
from collections.abc import Callable
from typing import Any

import requests

from sandbox.credly import DEMO_KEY, DEMO_ORGANIZATION_ID, CredlySimulator

#: Templates of the default seed.
EXPLORER, FIRST_STEPS, REPEATABLE, DRAFT, ARCHIVED = (f"5e0a1c00-0000-4000-8000-{n:012d}" for n in range(1, 6))
FOREIGN_TEMPLATE = "5e0a1c00-0000-4000-8000-000000000021"


def badge_body(earner: str = "17", **changes: Any) -> dict[str, Any]:
    return {
        "recipient_email": f"{earner}@example.com",
        "issued_to_first_name": "Ada",
        "issued_to_last_name": "Lovelace",
        "badge_template_id": FIRST_STEPS,
        "issued_at": "2014-04-01 09:41:00 -0500",
        "issuer_earner_id": earner,
        **changes,
    }


def issue(
    url: str, earner: str = "17", *, key: str = DEMO_KEY, timeout: float = 10, **changes: Any
) -> requests.Response:
    """Ask the API at ``url`` for a badge of the demo organization, on a connection of its own."""
    path = f"organizations/{DEMO_ORGANIZATION_ID}/badges"
    return requests.post(url + path, json=badge_body(earner, **changes), auth=(key, ""), timeout=timeout)


class Client:
    """Speaks for one organization, with one connection."""

    def __init__(self, simulator: CredlySimulator, organization_id: str = DEMO_ORGANIZATION_ID) -> None:
        self.session = requests.Session()
        self.session.auth = (DEMO_KEY, "")
        self.base = f"{simulator.url}organizations/{organization_id}"

    def get(self, path: str = "", **parameters: str) -> requests.Response:
        return self.session.get(self.base + path, params=parameters, timeout=10)

    def issue(self, **changes: Any) -> requests.Response:
        return self.session.post(f"{self.base}/badges", json=badge_body(**changes), timeout=10)

    def revoke(self, badge_id: str, **body: Any) -> requests.Response:
        return self.session.put(f"{self.base}/badges/{badge_id}/revoke", json=body, timeout=10)

    def replace(self, badge_id: str, **body: Any) -> requests.Response:
        return self.session.post(f"{self.base}/badges/{badge_id}/replace", json=body, timeout=10)

    def delete(self, badge_id: str) -> requests.Response:
        return self.session.delete(f"{self.base}/badges/{badge_id}", timeout=10)


def message(response: requests.Response) -> str:
    return str(response.json()["data"]["message"])


def poll(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)
