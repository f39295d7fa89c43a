"""A simulator of the Credly web service API, spoken over real HTTP.

In a test: ``with CredlySimulator() as credly: requests.get(credly.url + "organizations", auth=(KEY, ""))``.
As a process: ``python -m sandbox.credly --port 0``.
What the real service leaves unsaid is decided in ``badges.py``, ``listing.py`` and ``api.py``; such places say
"Assumption".
"""

from sandbox.credly.faults import Fault
from sandbox.credly.seeds import DEMO_KEY, DEMO_ORGANIZATION_ID, OTHER_KEY, OTHER_ORGANIZATION_ID
from sandbox.credly.simulator import CredlySimulator

__all__ = ["DEMO_KEY", "DEMO_ORGANIZATION_ID", "OTHER_KEY", "OTHER_ORGANIZATION_ID", "CredlySimulator", "Fault"]
