"""Examine this installation and say what to do about each problem: ``manage.py badges_doctor``.

A probe examines one thing and yields findings. The command registers the core's probes; distribution and its backends
register theirs in the ``ready()`` of their apps.
"""

from badges_plugin.doctor.findings import Finding, Level, Probe
from badges_plugin.doctor.registry import Reach, examine, register, register_package

__all__ = ["Finding", "Level", "Probe", "Reach", "examine", "register", "register_package"]
