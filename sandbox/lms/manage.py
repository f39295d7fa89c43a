#!/usr/bin/env python
"""The LMS's command line, with the platform's own first argument: ``./manage.py lms shell``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line


def main() -> None:
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.lms.settings"
    execute_from_command_line([sys.argv[0], *sys.argv[2:]])


if __name__ == "__main__":
    main()
