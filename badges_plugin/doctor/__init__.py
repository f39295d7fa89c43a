"""What is wrong with this installation, and what to do about it: ``manage.py badges_doctor``.

A probe looks at one thing and yields findings. The core's are registered here; distribution and its backends
register theirs in the ``ready()`` of their apps.
"""

from badges_plugin.doctor.findings import Finding, Level, Probe
from badges_plugin.doctor.registry import Reach, examine, register, register_package

__all__ = ["Finding", "Level", "Probe", "Reach", "examine", "register", "register_package"]
