#!/usr/bin/env python
"""Django's command line in the sandbox: ``python sandbox/manage.py`` or ``python -m sandbox.manage``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line


def main() -> None:
    folder = Path(__file__).resolve().parent
    if sys.path[0] == str(folder):
        # Run as a script. Which ``credentials`` there is, the settings decide.
        sys.path[0] = str(folder.parent)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sandbox.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
