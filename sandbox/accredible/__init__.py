"""A small simulator of the Accredible API over real HTTP: groups, credentials, and faults on demand.

In a test: ``with AccredibleSimulator() as accredible: ... accredible.url ...``. As a process:
``python -m sandbox.accredible --port 0``. What the real service leaves unsaid is decided in ``api.py``; such places
say "Assumption".
"""

from sandbox.accredible.records import DEMO_KEY, OTHER_KEY
from sandbox.accredible.simulator import AccredibleSimulator

__all__ = ["DEMO_KEY", "OTHER_KEY", "AccredibleSimulator"]
